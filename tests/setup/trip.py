"""A shopping trip over HTTP with errors and failures, which records the secrets that it uses."""

import re
import socket
from collections.abc import Callable
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests

from tests.passwords import PASSWORD
from tests.products import pictures
from tests.waiting import wait_for

NAME = "carla-on-a-trip"
ADDRESS = f"{NAME}@customers.example.com"
NEW_PASSWORD = "another-horse-and-another-battery"
GUESS = "no-password-of-anyone"
REFUSED = "refused-by-a-trigger@customers.example.com"  # the database fails, with an error that quotes it
LATE = "late-by-a-trigger@customers.example.com"  # the database fails only in the worker
IDS = {step: f"trip-{step}" for step in ("register", "upload", "checkout", "failure", "late")}


class Trip:
    """`send` is the service's `request`; `mails` returns the mails received so far."""

    def __init__(self, url: str, send: Callable[..., requests.Response], mails: Callable[[], list[Message]]) -> None:
        self.url = url
        self.send = send
        self.mails = mails
        self.secrets = {PASSWORD, NEW_PASSWORD, GUESS, ADDRESS, REFUSED, LATE}
        self.user_id = 0
        self.order = ""

    def go(self) -> None:
        self.register()
        access = self.sign_in(PASSWORD)
        self.buy(access, self.stock_up())
        self.fail_to_sign_in()
        self.use_the_admin()
        self.reset()
        self.send_malformed_requests()

    def register(self) -> None:
        account = {"username": NAME, "email": ADDRESS, "password": PASSWORD, "repeat_password": PASSWORD}
        answer = self.send("POST", "/register/", json=account, headers={"X-Request-ID": IDS["register"]})
        assert answer.status_code == 201, answer.text
        self.user_id = answer.json()["id"]
        again = self.send("POST", "/register/", json=account)
        assert again.status_code == 400
        link = self.link_in("erify")
        token = self.secret(link["token"])
        assert self.send("GET", "/email/confirm/", params=link, headers={"Accept": "text/html"}).status_code == 200
        assert self.send("POST", "/email/confirm/", json={"token": token}).status_code == 204

    def sign_in(self, password: str) -> str:
        pair = self.send("POST", "/token/", json={"username": ADDRESS, "password": password}).json()
        renewed = self.send("POST", "/token/refresh/", json={"refresh": pair["refresh"]}).json()
        for token in (*pair.values(), *renewed.values()):
            self.secret(token)
        return str(renewed["access"])

    def stock_up(self) -> int:
        """Create a product with a picture as staff."""
        pair = self.send("POST", "/token/", json={"username": "boss", "password": PASSWORD}).json()
        staff = self.secret(pair["access"])
        answer = self.send("POST", "/products/", token=staff, json={"name": "Lamp of a trip", "quantity": 5})
        assert answer.status_code == 201, answer.text
        product = int(answer.json()["id"])
        answer = self.send(
            "POST",
            f"/products/{product}/images/",
            token=staff,
            files={"image": ("photo.jpg", pictures.jpeg(300, 200), "image/jpeg")},
            headers={"X-Request-ID": IDS["upload"]},
        )
        assert answer.status_code == 201, answer.text
        wait_for(lambda: self.send("GET", f"/products/{product}/").json()["image"], seconds=30)
        return product

    def buy(self, access: str, product: int) -> None:
        for path in ("/", "/products/", f"/products/{product}/", f"/products/{product}/", "/categories/"):
            assert self.send("GET", path, params={"search": ADDRESS} if path == "/products/" else {}).ok
        item = self.send("POST", "/cart-items/", token=access, json={"product": product, "quantity": 2}).json()
        parts = ("name", "company", "line1", "line2", "postal_code", "city", "region", "phone")
        address = {part: self.secret(f"the {part} of a trip") for part in parts} | {"country": "DE"}
        details = {
            "shipping_address": address,
            "phone": self.secret("030-trip"),
            "note": self.secret("Ring, on a trip."),
        }
        assert self.send("PATCH", f"/carts/{item['cart']}/", token=access, json=details).ok
        key = self.secret("the-idempotency-key-of-a-trip")
        headers = {"Idempotency-Key": key, "X-Request-ID": IDS["checkout"]}
        answer = self.send("POST", f"/carts/{item['cart']}/checkout/", token=access, headers=headers)
        assert answer.status_code == 201, answer.text
        self.order = answer.json()["number"]
        wait_for(lambda: any(self.order in str(mail["Subject"]) for mail in self.mails()), seconds=30)

    def fail_to_sign_in(self) -> None:
        for name in (ADDRESS, NAME, "nobody@customers.example.com"):
            answer = self.send("POST", "/token/", json={"username": name, "password": GUESS})
            assert answer.status_code == 401
        broken = self.send("GET", "/carts/", token=self.secret("eyJhbGciOiJIUzI1NiJ9.eyJub2JvZHkiOiIxIn0.c2lnbmF0dXJl"))
        assert broken.status_code == 401

    def use_the_admin(self) -> None:
        """A failed sign-in, a successful one, and a search for a person."""
        session = requests.Session()
        page = f"{self.url}/admin/login/"
        for password in (GUESS, PASSWORD):
            session.get(page, timeout=20)
            form = {"username": "boss", "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
            session.post(page, data=form, timeout=20)
        found = session.get(f"{self.url}/admin/accounts/user/", params={"q": ADDRESS}, timeout=20)
        assert NAME in found.text
        for cookie in session.cookies:
            self.secret(str(cookie.value))

    def reset(self) -> None:
        known = len(self.mails())
        assert self.send("POST", "/password-reset/", json={"email": ADDRESS}).status_code == 202
        wait_for(lambda: len(self.mails()) > known, seconds=30)
        link = self.link_in("password")
        self.secret(link["token"])
        page = self.send("GET", "/password-reset/confirm/", params=link, headers={"Accept": "text/html"})
        assert page.status_code == 200, page.text
        wrong = self.send("POST", "/password-reset/confirm/", json={**link, "token": "x", "new_password": NEW_PASSWORD})
        assert wrong.status_code == 400
        answer = self.send("POST", "/password-reset/confirm/", json={**link, "new_password": NEW_PASSWORD})
        assert answer.status_code == 204, answer.text
        self.sign_in(NEW_PASSWORD)

    def send_malformed_requests(self) -> None:
        """Requests that Gunicorn rejects and would quote."""
        token = self.secret("a-token-in-a-broken-line")
        cookie = self.secret("a-session-in-a-broken-header")
        for request in (
            f"GET /email/confirm/?token={token} and-more HTTP/1.1\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: localhost\r\nCookie : sessionid={cookie}\r\n\r\n",
        ):
            address = urlsplit(self.url)
            with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
                connection.sendall(request.encode())
                assert b" 400 " in connection.recv(1000)

    def fail(self) -> None:
        """Two failures of the database by triggers: one in the request, one in the worker."""
        for name, address, step in (("refused", REFUSED, "failure"), ("late", LATE, "late")):
            account = {"username": name, "email": address, "password": PASSWORD, "repeat_password": PASSWORD}
            answer = self.send("POST", "/register/", json=account, headers={"X-Request-ID": IDS[step]})
            assert answer.status_code == (500 if step == "failure" else 201), answer.text

    def link_in(self, subject: str) -> dict[str, str]:
        """The query parameters of the link in the customer's last mail with this subject."""

        def found() -> str | None:
            for mail in reversed(self.mails()):
                if mail["To"] == ADDRESS and subject in str(mail["Subject"]):
                    part: Any = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
                    text = part.get_payload(decode=True).decode()
                    match = re.search(r"https?://\S+\?\S+", text)
                    return match[0] if match else None
            return None

        return {name: values[0] for name, values in parse_qs(urlsplit(wait_for(found, seconds=30) or "").query).items()}

    def secret(self, value: str) -> str:
        self.secrets |= {value, unquote(value)}
        return value
