"""The crowd of the soak: customers and guests who browse, order and pay, and staff who upload, import and export.

Each repeats a request that failed, with its key, as clients are told to. What failed is recorded with its time.
"""

import json
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests

from benchmarks.paying_customers import AGAIN, PATIENCE, Customer, GaveUp, Seen
from tests.containers.shoppers import STOCK, new_product, photograph, register
from tests.containers.stack import SHOP, expect, request, token

TIMEOUT = 75  # seconds; the proxy gives up after 60
CUSTOMERS, GUESTS, PRODUCTS = 4, 2, 12
PAGES = (
    "/products/?in_stock=true&ordering=price&limit=5",
    "/products/?search=lamp",
    "/products/facets/?search=lamp",
)


@dataclass(frozen=True)
class Failure:
    """A request that got neither an answer of the service nor a 503 with `Retry-After`; times by time.monotonic()."""

    began: float
    ended: float
    what: str

    @property
    def is_refusal(self) -> bool:
        return "[Errno 111]" in self.what  # the text is cut off behind it


class Record:
    """What all of the crowd sent and got."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.leaving = threading.Event()
        self.lock = threading.Lock()
        self.seen = Seen()
        self.answers: Counter[str] = Counter()
        self.failures: list[Failure] = []
        self.surprises: list[str] = []  # answers that nobody expects
        self.done: Counter[str] = Counter()
        self.orders: set[str] = set()
        self.pictures: list[str] = []
        self.slowest = 0.0

    def note(self, began: float, what: str, answer: requests.Response | str) -> bool:
        """Record an answer, or the error without one; return whether the request is to be repeated."""
        ended = time.monotonic()
        status = "no answer" if isinstance(answer, str) else str(answer.status_code)
        may_wait = not isinstance(answer, str) and answer.status_code == 503 and "Retry-After" in answer.headers
        with self.lock:
            self.answers[status] += 1
            self.slowest = max(self.slowest, ended - began)
            if (isinstance(answer, str) or answer.status_code >= 500) and not may_wait:
                text = answer if isinstance(answer, str) else f"{status} {answer.text[:200]}"
                self.failures.append(Failure(began, ended, f"{what}: {text}"))
            return isinstance(answer, str) or answer.status_code in AGAIN

    def count(self, what: str) -> None:
        with self.lock:
            self.done[what] += 1


class Caller:
    """One client with a connection that is kept; benchmarks.paying_customers uses it too."""

    def __init__(self, headers: dict[str, str], record: Record) -> None:
        self.headers, self.record, self.seen = headers, record, record.seen
        self.session = requests.Session()
        self.session.headers.update(headers)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """The first answer that needs no repetition. Raises GaveUp."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            began, answer = time.monotonic(), None
            try:
                answer = self.session.request(method, SHOP + path, timeout=TIMEOUT, **options)
                repeat = self.record.note(began, f"{method} {path}", answer)
            except requests.RequestException as error:
                repeat = self.record.note(began, f"{method} {path}", repr(error)[:300])
            if answer is not None and not repeat:
                return answer
            time.sleep(random.uniform(0.2, 0.8))
        raise GaveUp(f"{method} {path}")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> tuple[int, Any]:
        """The status and the body of the final answer. Raises GaveUp."""
        answer = self.send(method, path, json=body, headers={"Idempotency-Key": key} if key else {})
        return answer.status_code, json.loads(answer.content or b"null")

    def another(self) -> "Caller":
        return Caller(self.headers, self.record)

    def close(self) -> None:
        self.session.close()

    def expected(self, answer: tuple[int, Any], *statuses: int) -> Any:
        """The body of an answer; None, and a surprise on the record, if its status is another one."""
        if answer[0] in statuses:
            return answer[1]
        with self.record.lock:
            self.record.surprises.append(f"{answer[0]} {str(answer[1])[:300]}")
        return None


class Crowd:
    """The people, each with a thread."""

    def __init__(self, seed: int) -> None:
        self.record = Record(seed)
        self.products = [new_product(f"Lamp {number}", STOCK) for number in range(PRODUCTS)]
        self.skus = [request("GET", f"/products/{pk}/").json()["sku"] for pk in self.products]
        self.staff = {"Authorization": f"Bearer {token()}"}
        self.numbers = iter(range(1_000_000))
        customers = [{"Authorization": f"Bearer {register(f'soak-{number}')}"} for number in range(CUSTOMERS)]
        people: list[Callable[[], None]] = [partial(self.shop, partial(dict, each)) for each in customers]
        people += [partial(self.shop, self.new_guest)] * GUESTS
        people += [self.upload, self.import_stock, self.export]
        self.threads = [threading.Thread(target=self.go_on, args=(each,)) for each in people]

    def go_on(self, act: Callable[[], None]) -> None:
        """Let somebody act again and again until the crowd leaves."""
        while not self.record.leaving.is_set():
            try:
                act()
            except GaveUp as error:
                with self.record.lock:
                    self.record.seen.unfinished.append(str(error))
            self.record.leaving.wait(0.5)

    def new_guest(self) -> dict[str, str]:
        answer = Caller({}, self.record).call("POST", "/guests/")
        return {"Guest-Token": answer[1]["guest_token"]}

    def shop(self, headers: Callable[[], dict[str, str]]) -> None:
        """Browse, fill a cart, order it, and do with the order what benchmarks.paying_customers draws."""
        with self.record.lock:
            number = next(self.numbers)
        drawn = random.Random(f"{self.record.seed}:{number}")
        caller, staff = Caller(headers(), self.record), Caller(self.staff, self.record)
        found = caller.send("GET", drawn.choice(PAGES))
        caller.expected((found.status_code, found.text), 200)
        cart = None
        for product in drawn.sample(self.products, 2):
            caller.expected(caller.call("GET", f"/products/{product}/"), 200)
            item = caller.expected(caller.call("POST", "/cart-items/", {"product": product, "quantity": 1}), 200, 201)
            cart = item and item["cart"]
        if cart is None:
            return
        if "Guest-Token" in caller.headers:
            email = {"email": f"guest-{secrets.token_hex(6)}@example.com"}
            caller.expected(caller.call("PATCH", f"/carts/{cart}/", email), 200)
        customer = Customer(number, cart, caller=caller, staff=staff, seed=self.record.seed)
        customer.act()
        if order := getattr(customer, "order", None):
            with self.record.lock:
                self.record.orders.add(order)
        self.record.count("customers and guests")
        caller.close()
        staff.close()

    def upload(self) -> None:
        """Create a product, and give it a picture."""
        caller = Caller(self.staff, self.record)
        product = caller.expected(caller.call("POST", "/products/", {"name": "Shown", "quantity": 1}), 201)
        path = f"/products/{product['id']}/images/"
        answer = caller.send("POST", path, files={"image": ("a.jpg", photograph((600, 400)))})
        if image := caller.expected((answer.status_code, answer.json()), 200, 201):
            with self.record.lock:
                self.record.pictures.append(f"{path}{image['id']}/")
            self.record.count("pictures")
        self.record.leaving.wait(2)

    def import_stock(self) -> None:
        """Import one piece more of each product, and wait until workers have done it."""
        caller = Caller(self.staff, self.record)
        file = "sku,quantity\n" + "".join(f"{sku},+1\n" for sku in self.skus)
        answer = caller.send("POST", "/imports/", data={"kind": "stock"}, files={"file": ("stock.csv", file)})
        row = caller.expected((answer.status_code, answer.json()), 201)
        if row and self.follow(caller, row["id"], {"checked"}):
            caller.expected(caller.call("POST", f"/imports/{row['id']}/run/"), 200, 202, 409)
            if self.follow(caller, row["id"], {"done"}):
                self.record.count("imports")
        self.record.leaving.wait(5)

    def follow(self, caller: Caller, import_id: int, wanted: set[str]) -> bool:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            row = caller.expected(caller.call("GET", f"/imports/{import_id}/"), 200)
            if row is None or row["status"] == "failed":
                break
            if row["status"] in wanted:
                return True
            time.sleep(1)
        with self.record.lock:
            self.record.surprises.append(f"import {import_id} did not become one of {wanted}: {row}")
        return False

    def export(self) -> None:
        """A whole export has each product; one that was cut off is no answer."""
        answer = Caller(self.staff, self.record).send("GET", "/exports/stock/")
        if answer.status_code != 200 or not set(self.skus) <= {row.split(",")[0] for row in answer.text.split()}:
            with self.record.lock:
                self.record.surprises.append(f"export: {answer.status_code} {answer.text[:200]}")
        self.record.count("exports")
        self.record.leaving.wait(5)


@contextmanager
def running_crowd(seed: int) -> Iterator[Crowd]:
    crowd = Crowd(seed)
    for thread in crowd.threads:
        thread.start()
    try:
        yield crowd
    finally:
        crowd.record.leaving.set()
        for thread in crowd.threads:
            thread.join(PATIENCE)
    expect(not any(thread.is_alive() for thread in crowd.threads), "somebody of the crowd hangs")
