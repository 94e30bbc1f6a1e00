"""Customers and staff who use the stack during a fault or a deployment; records their requests and responses."""

import io
import secrets
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests
from PIL import Image

from tests.containers.stack import SHOP, expect, number, request, say, sql, token
from tests.waiting import wait_for

STOCK = 1_000_000
PATIENCE = 90  # seconds for which a client retries


class Load:
    """The running clients and their results."""

    def __init__(self, *, asks_again: bool) -> None:
        self.asks_again = asks_again
        self.leaving = threading.Event()
        self.lock = threading.Lock()
        self.answers: Counter[str] = Counter()  # by method and status
        self.versions: Counter[str] = Counter()
        self.failures: list[str] = []
        self.complaints: list[str] = []
        self.orders: set[str] = set()
        self.pictures: set[str] = set()  # their paths
        self.slowest = 0.0

    def send(
        self, session: requests.Session, method: str, path: str, *expected: int, **options: Any
    ) -> requests.Response | None:
        """Send a request; return the response if it is expected. Record failures, and retry if the load does."""
        end = time.monotonic() + PATIENCE
        while True:
            began = time.monotonic()
            try:
                answer = session.request(method, SHOP + path, timeout=30, **options)
                failure = f"{answer.status_code} {answer.text[:200]}" if answer.status_code >= 500 else ""
            except requests.RequestException as error:
                failure = repr(error)[:300]
            took = time.monotonic() - began
            with self.lock:
                self.slowest = max(self.slowest, took)
                if failure:
                    self.failures.append(f"{time.strftime('%X')} {method} {path} after {took:.1f} s: {failure}")
                else:
                    self.answers[f"{method} {answer.status_code}"] += 1
                    self.versions[answer.headers.get("API-Version", "none")] += 1
            if not failure:
                if answer.status_code in expected:
                    return answer
                self.complaints.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
                return None
            if not self.asks_again:
                return None
            if time.monotonic() > end:
                self.complaints.append(f"{method} {path}: no answer within {PATIENCE} s")
                return None
            time.sleep(0.2)

    def shop(self, access: str, product: int, pause: float) -> None:
        """Browse, buy and read the order in a loop, over one persistent connection as a browser."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {access}"
        anyone = requests.Session()
        while not self.leaving.is_set() and not self.complaints:
            self.send(anyone, "GET", "/products/?in_stock=true&ordering=price&limit=5", 200)
            self.send(anyone, "GET", f"/products/{product}/", 200)
            item = self.send(session, "POST", "/cart-items/", 200, 201, json={"product": product, "quantity": 1})
            if item is not None:
                key = {"Idempotency-Key": uuid.uuid4().hex}
                path = f"/carts/{item.json()['cart']}/checkout/"
                if (order := self.send(session, "POST", path, 201, headers=key)) is not None:
                    with self.lock:
                        self.orders.add(order.json()["number"])
                    self.send(session, "GET", f"/orders/{order.json()['number']}/", 200)
            time.sleep(pause)

    def upload(self, access: str, product: int, pause: float) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {access}"
        while not self.leaving.is_set() and not self.complaints:
            files = {"image": ("a.jpg", photograph((1200, 900)))}
            # The first attempt of a retry may have succeeded: the same bytes are a 200.
            if (
                answer := self.send(session, "POST", f"/products/{product}/images/", 201, 200, files=files)
            ) is not None:
                with self.lock:
                    self.pictures.add(f"/products/{product}/images/{answer.json()['id']}/")
            self.leaving.wait(pause)

    def upload_slowly(self, access: str, product: int) -> None:
        """Upload a picture slowly: the web process may be replaced before it is complete."""
        while not self.leaving.is_set() and not self.complaints:
            status = slow_upload(access, product, seconds=20)
            with self.lock:
                self.answers[f"slow POST {status[:3]}"] += 1
                if not status.startswith(("200", "201")):
                    self.failures.append(f"{time.strftime('%X')} slow upload: {status}")

    def report(self) -> str:
        return (
            f"{sum(self.answers.values())} answers {dict(sorted(self.answers.items()))}, {len(self.failures)} failed, "
            f"versions {dict(sorted(self.versions.items()))}, slowest {self.slowest:.1f} s"
        )

    def check_books(self) -> None:
        """Assert that the responses match the database, and that the stock is consistent."""
        expect(not self.complaints, f"{self.complaints[:3]}")
        stored = {row[0] for row in sql("SELECT number FROM orders_order")}
        expect(self.orders <= stored, f"orders lost: {sorted(self.orders - stored)[:5]}")
        wrong = number(
            "SELECT COUNT(*) FROM products_product p WHERE quantity <> "
            "(SELECT COALESCE(SUM(delta), 0) FROM products_stockmovement WHERE product_id = p.id)"
        )
        expect(wrong == 0, f"{wrong} products differ from their movements")


def photograph(size: tuple[int, int]) -> bytes:
    """A new picture each time, since the shop deduplicates identical bytes."""
    image = Image.effect_noise(size, secrets.choice(range(10, 100)))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=secrets.choice(range(70, 95)))
    return file.getvalue()


def slow_upload(access: str, product: int, *, seconds: int) -> str:
    """The status of the response, or the error."""
    part = b'--line\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    body = part + photograph((400, 300)) + b"\r\n--line--\r\n"
    head = (
        f"POST /products/{product}/images/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {access}\r\n"
        f"Content-Type: multipart/form-data; boundary=line\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        with socket.create_connection(("127.0.0.1", 80), timeout=30) as connection:
            connection.sendall(head.encode())
            size = len(body) // (seconds * 4) + 1
            for start in range(0, len(body), size):
                connection.sendall(body[start : start + size])
                time.sleep(0.25)
            return connection.recv(1000).decode(errors="replace").partition("HTTP/1.1 ")[2][:200]
    except OSError as error:
        return repr(error)


def new_product(name: str, quantity: int = STOCK) -> int:
    answer = request("POST", "/products/", token=token(), json={"name": name, "quantity": quantity, "price": "1.50"})
    expect(answer.status_code == 201, f"/products/: {answer.status_code} {answer.text[:300]}")
    return int(answer.json()["id"])


def register(name: str) -> str:
    """Register a customer; return the access token."""
    password = secrets.token_urlsafe(12)
    data = {"username": name, "email": f"{name}@example.com", "password": password, "repeat_password": password}
    answer = request("POST", "/register/", json=data)
    expect(answer.status_code == 201, f"/register/: {answer.status_code} {answer.text[:300]}")
    # An unverified address gets few mails an hour, and a shopper orders often.
    sql(f"UPDATE accounts_user SET email_verified = 1 WHERE username = '{name}'")
    return token(name, password)


@contextmanager
def running_load(
    *, shoppers: int = 4, pause: float = 0.1, uploads_every: float = 0, slow_uploads: int = 0, asks_again: bool = False
) -> Iterator[Load]:
    """Run customers who buy one product, and staff who upload pictures."""
    mark = uuid.uuid4().hex[:8]
    load, product, staff = Load(asks_again=asks_again), new_product(f"Bought {mark}"), token()
    threads = [
        threading.Thread(target=load.shop, args=(register(f"shopper-{mark}-{each}"), product, pause))
        for each in range(shoppers)
    ]
    if uploads_every:
        shown = new_product(f"Shown {mark}", 1)
        threads.append(threading.Thread(target=load.upload, args=(staff, shown, uploads_every)))
    threads += [
        threading.Thread(target=load.upload_slowly, args=(staff, new_product(f"Slow {mark} {each}", 1)))
        for each in range(slow_uploads)
    ]
    for index, thread in enumerate(threads):
        thread.start()
        time.sleep(0.3 if index < shoppers else 3)
    try:
        yield load
    finally:
        load.leaving.set()
        for thread in threads:
            thread.join()
    say(f"load: {load.report()}")
    for failure in load.failures[:10]:
        say(f"  {failure}")


def check_pictures(paths: set[str], *, seconds: float = 180) -> None:
    """Assert that every image becomes ready and is served."""
    access = token()

    def ready(path: str) -> Any:
        image = request("GET", path, token=access).json()
        return image if image.get("status") == "ready" else None

    for path in sorted(paths):
        image = wait_for(partial(ready, path), seconds=seconds, every=0.5, name=path)
        fetch(image["thumb"])


def fetch(url: str) -> bytes:
    answer = request("GET", "/media/" + url.partition("/media/")[2])
    expect(answer.status_code == 200, f"{url}: {answer.status_code}")
    return answer.content
