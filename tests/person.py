"""A person who uses everything of the shop that takes personal data, over HTTP.

Where the shop takes payments, by the books in memory of `tests.payments`, the person pays.
"""

from typing import Any

from django.conf import settings
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from delivery.models import DeliveryMethod
from orders.models import Order
from payments.models import Payment
from tests import factories
from tests.guests import fill, new_guest
from tests.mail import deliver, query
from tests.passwords import PASSWORD
from tests.payments import books
from tests.signing_in import register, sign_in, with_token

NAME, EMAIL, NEW_EMAIL = "Mathilda-Q", "mathilda@private.example", "quast@elsewhere.example"


class Person:
    """`typed` has each text that the person typed, except passwords, and what staff typed about them.

    Countries are not among them: an order's country stays.
    """

    def __init__(self, api: APIClient) -> None:
        self.api, self.client = api, api
        self.typed: set[str] = set()
        self.orders: list[str] = []

    def live(self, staff: APIClient) -> None:
        """Everything but closing the account."""
        DeliveryMethod.objects.create(code="parcel", name="Parcel", price="4.90")
        self.register()
        self.fill_the_book()
        self.buy()
        self.buy_as_guest()
        self.change_email()
        self.leave_carts()
        self.be_served(staff)
        deliver()

    def type(self, text: str) -> str:
        self.typed.add(text)
        return text

    def address(self, word: str) -> dict[str, str]:
        """An address of which each part is unique."""
        parts = {
            "name": f"Žoë {word} 🚲",
            "company": f"{word} & Töchter",
            "line1": f"{word}straße 17",
            "line2": f"Hinterhaus von {word}",
            "postal_code": f"PLZ {word}",
            "city": f"Bad {word}",
            "region": f"{word}land",
            "phone": f"+49 30 {word}",
        }
        return {**{part: self.type(text) for part, text in parts.items()}, "country": "DE"}

    def contact(self, word: str) -> dict[str, str]:
        return {"phone": self.type(f"0800 {word}"), "note": self.type(f"Ring at {word}'s door.")}

    def register(self) -> None:
        assert register(self.api, self.type(NAME), self.type(EMAIL)).status_code == 201
        [verification] = deliver()
        assert self.api.post("/email/confirm/", query(verification)).status_code == 204
        self.client = with_token(sign_in(self.api, NAME).json()["access"])
        self.names = {"first_name": self.type("Mathilda-Sophie"), "last_name": self.type("Quastenberg")}
        assert self.client.patch("/account/", self.names).status_code == 200

    def fill_the_book(self) -> None:
        self.book = []
        for word in ("Buchwald", "Heimat"):
            response = self.client.post("/account/addresses/", self.address(word), format="json")
            assert response.status_code == 201, response.content
            self.book.append(response.json()["id"])

    def buy(self) -> None:
        """Once with another address for the bill, and once by `completed` with a key, which stores the cart."""
        cart = fill(self.client, factories.product())
        book = {"shipping_address": {"id": self.book[0]}, "billing_address": self.address("Kanzlei")}
        self.change(self.client, cart, **book, **self.contact("Abendrot"), email=self.type("order@private.example"))
        self.orders.append(self.checkout(self.client, cart))
        self.pay(self.client, self.orders[-1])
        cart = fill(self.client, factories.product())
        self.change(self.client, cart, shipping_address=self.address("Zweithaus"), **self.contact("Morgenrot"))
        key = {"Idempotency-Key": self.type("key-of-mathilda")}
        self.orders.append(self.client.patch(f"/carts/{cart}/", {"completed": True}, headers=key).json()["order"])
        self.pay(self.client, self.orders[-1])

    def pay(self, client: APIClient, order: str) -> None:
        """Pay the order, and return from the provider's page, if the shop takes payments."""
        if not settings.PAYMENT_METHODS:
            return
        body = {"method": "books", "return_url": self.type(f"https://front.example/mathilda/{order}")}
        key = {"Idempotency-Key": self.type(f"payment-of-mathilda-{order}")}
        started = client.post(f"/orders/{order}/payments/", body, headers=key)
        assert started.status_code == 201, started.content
        books.BOOKS.pay(Payment.objects.get(pk=started.json()["id"]).reference or "")
        assert client.get(started["Location"]).json()["status"] == "succeeded"
        assert client.get(f"/orders/{order}/").json()["status"] == "paid"

    def buy_as_guest(self) -> None:
        """One order is claimed by the account, the other never. The money of that one comes by bank transfer."""
        for email, word in ((EMAIL, "Gastgeber"), (self.type("gast@private.example"), "Herberge")):
            guest = new_guest(self.api)
            cart = fill(guest, factories.product())
            self.change(guest, cart, email=email, shipping_address=self.address(word), **self.contact(f"{word}s"))
            key = {"Idempotency-Key": self.type(f"key-of-{word}")}
            body = {"completed": True}
            self.orders.append(guest.patch(f"/carts/{cart}/", body, headers=key).json()["order"])
            if email == EMAIL:
                self.pay(guest, self.orders[-1])
        assert self.client.post("/account/orders/claim/").json() == {"claimed": 1}

    def change_email(self) -> None:
        self.api.post("/password-reset/", {"email": EMAIL})
        for email in (self.type(NEW_EMAIL), self.type("pending@elsewhere.example")):
            changed = self.client.patch("/account/", {"email": email, "password": PASSWORD})
            assert changed.status_code == 200, changed.content
            if email == NEW_EMAIL:
                verification = next(mail for mail in deliver() if mail.to == [NEW_EMAIL])
                assert self.api.post("/email/confirm/", query(verification)).status_code == 204

    def leave_carts(self) -> None:
        """A cart of the account and one of a guest, with addresses, that are not checked out."""
        for client, word in ((self.client, "Liegenlassen"), (new_guest(self.api), "Vergessen")):
            details = {**self.contact(f"{word}s"), "email": self.type(f"{word.lower()}@private.example")}
            cart = fill(client, factories.product())
            self.change(client, cart, shipping_address=self.address(word), **details)

    def be_served(self, staff: APIClient) -> None:
        """Staff send the first order, cancel the second, write a note, and change the account in the admin."""
        tracking = {
            "carrier": self.type("Post an Mathilda"),
            "tracking_number": self.type("JD-MATHILDA"),
            "tracking_url": self.type("https://post.example/mathilda-q1"),
        }
        assert staff.post(f"/orders/{self.orders[0]}/fulfil/", tracking, format="json").status_code == 200
        assert self.client.post(f"/orders/{self.orders[1]}/cancel/").status_code == 200
        if settings.PAYMENT_METHODS:
            self.be_served_about_money(staff)
        page = Client()
        page.force_login(factories.account("stella"))
        user = factories.account(NAME)
        form = {"username": NAME, "email": NEW_EMAIL, "is_active": "on", **self.names}
        assert page.post(reverse("admin:accounts_user_change", args=[user.pk]), form).status_code == 302
        note = {"text": self.type("Mathilda called: leave it with the baker.")}
        first = Order.objects.get(number=self.orders[0])
        assert page.post(reverse("admin:orders_order_note", args=[first.pk]), note).status_code == 302
        for name in ("accounts_user", "orders_order", "carts_cart", "outbox_mail"):
            assert page.get(reverse(f"admin:{name}_changelist"), {"q": NAME}).status_code == 200

    def be_served_about_money(self, staff: APIClient) -> None:
        """Staff refund a part of the first order, and mark the last one as paid."""
        refund = {"amount": "1.00", "reason": self.type("Scratched, says Mathilda.")}
        assert staff.post(f"/orders/{self.orders[0]}/refunds/", refund).status_code == 201
        total = staff.get(f"/orders/{self.orders[3]}/").json()["total"]
        came = {"amount": total, "reference": self.type("From Mathilda's aunt.")}
        assert staff.post(f"/orders/{self.orders[3]}/mark-paid/", came).json()["status"] == "paid"

    def change(self, client: APIClient, cart: int, **details: Any) -> None:
        response = client.patch(f"/carts/{cart}/", {**details, "delivery_method": "parcel"}, format="json")
        assert response.status_code == 200, response.content

    def checkout(self, client: APIClient, cart: int) -> str:
        response = client.post(f"/carts/{cart}/checkout/")
        assert response.status_code == 201, response.content
        return response.json()["number"]

    def close(self) -> None:
        assert self.client.delete("/account/", {"password": PASSWORD}).status_code == 204
