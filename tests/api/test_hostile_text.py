"""Hostile text of any length in any part of a request takes no more time than ordinary text."""

import io
import json
import time
from collections.abc import Iterator
from itertools import count, cycle
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from accounts import tokens
from productbackend.wsgi import application
from tests import factories
from tests.openapi import DOCUMENT

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

MOST = 0.020  # seconds of processor time beyond an ordinary request
# Each location gets two sizes in turn, of a cycle whose length is coprime to that of SHAPES.
SIZES = ((1_000, 64_000), (4_000, 990_000), (16_000, 990_000))
SHAPES = {
    "marks": "\u0315\u0300",
    "marks that are none by themselves": "\u0f73",
    "blanks": " ",
    "hyphens": "a-",
    "quotes": '"',
    "backslashes": "\\",
    "escaped quotes": '\\"',
    "brackets": "[",
    "braces": '{"a":',
    "percents": "%25",
    "percent at": "%40",
    "commas": ",",
    "semicolons": ";",
    "quoted semicolons": '";',
    "at": "a@",
    "tokens": "eyJ",
    "passwords": "password",
    "secrets": "token: ",
    "wide": "\U0001f600",
    "ligatures": "\ufdfa",
    "jamo": "\u1100\u1161\u11a8",
    "sharp": "\u0130\u00df\u0390",
    "slashes": "/",
    "dots": ".",
    "pairs": "a=1&",
    "digits": "9",
    "tags": 'W/"',
    "weights": "a/b;q=0.1,",
    "lines": "\r\n",
    "words": "\u0061\u0301 b",
}
BODIES = {"json", "form", "multipart", "raw", "boundary"}
# Headers that the document does not list, since every request may have them.
HEADERS = ("Accept", "Authorization", "Cookie", "Host", "X-Forwarded-For", "If-None-Match", "If-Match", "Content-Type",
           "X-Request-ID", "Idempotency-Key", "Referer", "User-Agent", "Range", "Origin", "Accept-Language",
           "If-Modified-Since", "X-CSRFToken", "Accept-Encoding", "X-Anything")  # fmt: skip
SECRET = {"old_password", "password", "new_password"}


class Location(NamedTuple):
    """Where the text goes: a method, a path, and the name of what is filled in its part of the request."""

    method: str
    path: str
    part: str  # path, query, header, json, form, multipart or raw
    name: str = ""
    others: dict[str, Any] = {}


def locations() -> Iterator[Location]:
    """Every path, parameter, header and field of the document, and of Django's other pages."""
    for path, operations in DOCUMENT["paths"].items():
        filled = path.replace("{product_id}", "1").replace("{image_id}", "1").replace("{id}", "1")
        filled = filled.replace("{number}", "AAAA-BBBB-CCCC").replace("{name}", "not-found")
        filled = filled.replace("{provider}", "stripe")
        for method, operation in operations.items():
            for parameter in operation["parameters"]:
                if "$ref" not in parameter and parameter["in"] != "path":
                    yield Location(method, filled, parameter["in"], parameter["name"])
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                part = {"application/json": "json", "multipart/form-data": "multipart"}.get(kind, "form")
                schema = component(content["schema"])
                for each in map(component, schema.get("oneOf", [content["schema"]])):
                    others = {name: example(field) for name, field in each.get("properties", {}).items()}
                    for name in others:
                        yield Location(method, filled, part, name, others)
                yield Location(method, filled, "raw", kind)
        if "{" in path:
            yield Location("get", path[: path.index("{")], "path")
    for name in HEADERS:
        yield Location("get", "/products/", "header", name)
        yield Location("get", "/account/", "header", name)
    for path in ("/admin/login/", "/admin/accounts/user/add/"):
        for name in ("username", "password", "email", "next", "csrfmiddlewaretoken", "password1", "password2", "x"):
            yield Location("post", path, "form", name, {"username": "x", "password": "y", "password1": "z"})
            yield Location("post", path, "multipart", name, {"username": "x"})
        yield Location("get", path, "query", "next")
    for path in ("products/product", "accounts/user", "carts/cart", "orders/order", "products/category"):
        yield Location("get", f"/admin/{path}/", "query", "q")
    yield Location("get", "/", "path")
    yield Location("get", "/admin/", "path")
    yield Location("post", "/products/1/images/", "boundary")


def component(reference: dict[str, str]) -> dict[str, Any]:
    """The schema that is referred to, or the one that stands there."""
    found: dict[str, Any] = DOCUMENT["components"]["schemas"].get(reference.get("$ref", "").rpartition("/")[2])
    return found or reference


def example(schema: dict[str, Any]) -> Any:
    return schema.get("example", schema.get("examples", ["x"])[0])


def environ(location: Location, text: str, token: str, session: str) -> dict[str, Any]:
    """The WSGI environ of the request."""
    path, query = location.path, ""
    headers = {"Host": "localhost", "Accept": "application/json"}
    if path.startswith("/admin/"):
        headers["Cookie"] = f"sessionid={session}; csrftoken={'a' * 32}"
    else:
        headers["Authorization"] = f"Bearer {token}"
    match location.part:
        case "path":
            path = f"{path}{text}/"
        case "query":
            query = f"{location.name}={quote(text)}"
        case "header":
            headers[location.name] = text.encode().decode("latin-1")
    content_type, body = content(location, text)
    if len(body) > settings.JSON_MAX_BYTES and location.part in ("json", "form", "raw"):
        body = body[: settings.JSON_MAX_BYTES]
    names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    if "HTTP_CONTENT_TYPE" in names:
        content_type = names.pop("HTTP_CONTENT_TYPE")
    return {
        "REQUEST_METHOD": location.method.upper(), "SCRIPT_NAME": "", "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query, "SERVER_NAME": "localhost", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(), "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)), **names,
    }  # fmt: skip


def content(location: Location, text: str) -> tuple[str, bytes]:
    """The content type and the body of the request; empty if the text is not in the body."""
    fields = location.others | {location.name: text}
    form = {"csrfmiddlewaretoken": "a" * 32} | fields
    match location.part:
        case "json":
            return "application/json", json.dumps(fields).encode()
        case "form":
            pairs = (f"{name}={quote(str(value))}" for name, value in form.items())
            return "application/x-www-form-urlencoded", "&".join(pairs).encode()
        case "multipart":
            return "multipart/form-data; boundary=x", multipart(form)
        case "boundary":
            return f"multipart/form-data; boundary={text}", multipart({"image": "x"})
        case "raw" if location.name.startswith("multipart"):
            return f"{location.name}; boundary=x", b"--x\r\n" + text.encode() + b"\r\n--x--\r\n"
        case "raw":
            return location.name, text.encode()
    return "", b""


def multipart(fields: dict[str, Any]) -> bytes:
    disposition = 'Content-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    parts = [
        disposition.format(name, '; filename="a.png"' if name == "image" else "", value)
        for name, value in fields.items()
    ]
    return ("".join(f"--x\r\n{part}" for part in parts) + "--x--\r\n").encode()


def answered(request: dict[str, Any]) -> tuple[float, int]:
    """Send the request; return its processor time in seconds, and its status."""
    statuses: list[int] = []
    began = time.thread_time()
    response = application(request, lambda status, headers: statuses.append(int(status[:3])))
    b"".join(response)
    took = time.thread_time() - began
    response.close()  # type: ignore[attr-defined]
    return took, statuses[0]


@pytest.fixture
def identity(db: Any, client: Any, rate: Any) -> Iterator[tuple[str, str]]:
    """An access token and a session of a superuser; nothing is throttled."""
    rate(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "1000000/min")
    user = factories.user("stella", is_staff=True, is_superuser=True)
    token = tokens.issue(user).access
    client.force_login(user)
    factories.product(category=factories.category())
    for signal in (request_started, request_finished):  # they would close the connection of the test's transaction
        signal.disconnect(close_old_connections)
    yield token, client.cookies["sessionid"].value
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.thorough
def test_hostile_text_takes_no_more_time_than_ordinary_text(identity: tuple[str, str]) -> None:
    """Each location gets a short and a long text, each of another shape."""
    shapes, sizes = cycle(SHAPES.items()), cycle(SIZES)
    slow, broken, asked = [], [], count()

    def least(location: Location, text: str) -> float:
        return min(answered(environ(location, text, *identity))[0] for _ in range(3))

    for location in locations():
        # Outside of bodies text beyond 8 kB is rejected by its length: one long size is enough.
        for size in next(sizes) if location.part in BODIES else next(sizes)[:1]:
            name, unit = next(shapes)
            text = unit * (size // len(unit.encode()))
            took, status = answered(environ(location, text, *identity))
            next(asked)
            for _ in range(3):  # ordinary text may take as long, or other processes interfered
                if took > MOST:
                    took = least(location, text) - least(location, "x")
            if took > MOST:
                slow.append((round(took * 1000), status, size, name, location[:4]))
            if status >= 500:
                broken.append((status, size, name, location[:4]))
    assert not slow, "\n".join(map(str, sorted(slow, reverse=True)))
    assert not broken, "\n".join(map(str, broken))
    assert next(asked) > 300
