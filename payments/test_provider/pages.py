"""The pages of the test provider, which customers and developers see. They work without scripts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from payments.test_provider import courses, money
from payments.test_provider.books import Books
from payments.test_provider.faults import NEXT_REFUND, NEXT_START, Injector
from payments.test_provider.store import Row
from productbackend.site.middleware import policy

STYLES = ("productbackend/page.css", "payments/test_provider.css")
SECONDS_MAX = 3_600.0
STATES = {
    "open": "Waits for you",
    "succeeded": "Paid",
    "failed": "Declined",
    "cancelled": "Cancelled",
}
KINDS = {
    "capture": "Paid",
    "refund": "Refunded",
    "chargeback": "Charged back",
    "chargeback_reversal": "Chargeback reversed",
}
HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


class Pages:
    """Renders pages, and does what their forms choose. Raises Refused and ValueError."""

    def __init__(self, books: Books, injector: Injector) -> None:
        self.books = books
        self.injector = injector

    def index(self) -> str:
        """The latest payments, the table of courses, and what the next calls of the shop meet."""
        latest = self.books.store.rows("SELECT * FROM payment ORDER BY id DESC LIMIT 20")
        faults = self.injector.faults
        return render(
            "index",
            payments=[self._shown(row) for row in latest],
            courses=courses.COURSES,
            forms=[
                ("next_start", "The next start of a payment", NEXT_START, faults.next_start),
                ("next_refund", "The next refund of the shop", NEXT_REFUND, faults.next_refund),
            ],
        )

    def payment(self, reference: str, *, problem: str = "") -> str:
        """The page on which a customer pays, or sees what became of the payment."""
        row = self.books.payment(reference)
        left = self.books.refundable(row)
        movements = [
            {
                "title": "Refund" if each["kind"] == "refund" and each["state"] != "done" else KINDS[each["kind"]],
                "amount": money.amount(each["cents"]),
                "state": "" if each["state"] == "done" else each["state"],
            }
            for each in self.books.movements(row)
        ]
        return render(
            "pay",
            payment=self._shown(row),
            return_url=row["return_url"],
            waits=row["state"] == "open" and self.books.waits(row),
            movements=movements,
            left=left,
            refundable=money.amount(left),
            courses=courses.COURSES,
            of_amount=courses.of_amount(row["cents"]),
            actions=self._actions(row, left),
            problem=problem,
        )

    def policy_of(self, reference: str) -> str:
        """The content security policy of a payment's page, whose form is redirected to the shop's page."""
        parts = urlsplit(self.books.payment(reference)["return_url"])
        if HOST.fullmatch(parts.netloc):
            return policy(form_action=f"'self' {parts.scheme}://{parts.netloc}")
        return policy()

    def choose(self, reference: str, form: Mapping[str, str]) -> str:
        """Do what the form chooses; return where to go on."""
        payment = self.books.payment(reference)
        here = f"/pay/{reference}"
        course = self._course(payment, form)
        if payment["state"] == "succeeded" and course in courses.AFTERWARDS:
            amount = form.get("amount", "").strip()
            self.books.do_afterwards(reference, course, cents=money.cents(amount) if amount else None)
            return here
        payment = self.books.pay(reference, course, seconds=seconds(form))
        return payment["return_url"] or here

    def choose_next(self, form: Mapping[str, str]) -> None:
        """Set what happens to the next start or refund."""
        self.injector.change({name: value for name, value in form.items() if name in ("next_start", "next_refund")})

    def _actions(self, row: Row, left: int) -> list[tuple[str, str]]:
        """What can still be done with a paid payment, of which the shop has `left` cents."""
        possible = {
            "refund_outside": left > 0,
            "chargeback": left > 0,
            "chargeback_reversal": self.books.charged_back(row) > 0,
        }
        return [(code, title) for code, title in courses.AFTERWARDS.items() if possible[code]]

    def _course(self, payment: Row, form: Mapping[str, str]) -> str:
        """The code that the form chooses by a code, a card, or else the amount. Raises ValueError."""
        if code := form.get("course", "").strip():
            if code not in courses.BY_CODE | courses.AFTERWARDS:
                raise ValueError(f"There is no course {code[:50]}. Known are {', '.join(courses.BY_CODE)}.")
            return code
        if card := form.get("card", "").strip():
            chosen = courses.of_card(card)
            if chosen is None:
                raise ValueError("This card number is not in the table. Never enter a real one.")
            return chosen.code
        return courses.of_amount(payment["cents"]).code

    def _shown(self, row: Row) -> dict[str, Any]:
        return {
            "reference": row["reference"],
            "order_number": row["order_number"],
            "amount": money.amount(row["cents"]),
            "currency": row["currency"],
            "state": row["state"],
            "title": STATES[row["state"]],
            "error": row["error"],
            "created_at": money.time(row["created_at"])[:19].replace("T", " "),
        }


def seconds(form: Mapping[str, str]) -> float | None:
    """How long the course waits, if the form says so. Raises ValueError."""
    given = form.get("seconds", "").strip()
    if not given:
        return None
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", given, re.ASCII) or float(given) > SECONDS_MAX:
        raise ValueError(f"The field seconds takes a number from 0 to {SECONDS_MAX:.0f}.")
    return float(given)


def render(name: str, **context: Any) -> str:
    return render_to_string(f"payments/test_provider/{name}.html", context)


def message(title: str, text: str) -> str:
    """A page with nothing but a message."""
    return render("message", title=title, text=text)


def icon() -> bytes:
    """The project's icon."""
    return (settings.WHITENOISE_ROOT / "favicon.ico").read_bytes()


def style() -> bytes:
    """The project's styles of pages, and those of this provider."""
    paths = [finders.find(name) for name in STYLES]
    return b"\n".join(Path(path).read_bytes() for path in paths if path)
