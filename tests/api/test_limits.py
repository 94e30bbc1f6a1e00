"""Requests that are rejected before they are parsed: other charsets, long headers, long URLs."""

import io
from itertools import product
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from productbackend.wsgi import application
from products.reads.page_cache import wants_json
from tests import factories
from tests.api.test_problems import check

pytestmark = pytest.mark.django_db

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    "charset",
    ["punycode", "PUNYCODE", '"punycode"', "idna", "utf-7", "utf-16", "latin-1", "hex", "nonsense", '""', "x" * 90],
)  # fmt: skip
def test_other_charsets_are_rejected_everywhere(client: Client, charset: str) -> None:
    for kind, path in product(
        (JSON, FORM, MULTIPART), ("/token/", "/token/refresh/", "/admin/login/", "/email/confirm/", "/products/", "/x/")
    ):
        answer = client.generic("POST", path, b"{}", f"{kind}; charset={charset}")
        assert "UTF-8" in check(answer, 415, "unsupported-media-type")["detail"]


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8", '"UTF8"'])
def test_utf_8_is_accepted_in_any_spelling(client: Client, charset: str) -> None:
    for parameters in (f"charset={charset}", f" Charset={charset}", f"x=y; charset={charset}", f"charset={charset};"):
        answer = client.generic("POST", "/token/refresh/", b'{"refresh": "x"}', f"{JSON};{parameters}")
        check(answer, 401, "not-authenticated")
        answer = client.generic("POST", "/admin/login/", "username=%C3%A9&password=x", f"{FORM};{parameters}")
        assert answer.status_code == 200


def test_the_last_charset_counts_also_for_queries(client: Client) -> None:
    answer = client.generic("POST", "/token/", b"{}", f"{JSON}; charset=utf-8; charset=idna")
    check(answer, 415, "unsupported-media-type")
    # Django decodes the query before any middleware.
    assert asked(REQUEST_METHOD="GET", QUERY_STRING="name=x", CONTENT_TYPE="text/plain; charset=punycode")[0] == 415


def asked(**environ: Any) -> tuple[int, dict[str, str], bytes]:
    """Call the WSGI application directly: Django's test client would fail before it."""
    received: list[Any] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/token/", "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", **environ,
    }  # fmt: skip
    response = application(environ, lambda status, headers: received.extend((int(status[:3]), dict(headers))))
    return received[0], received[1], b"".join(response)


@pytest.mark.parametrize(
    "value",
    [
        f"{JSON}; x*=nonsense''%41",
        f"{JSON}; charset*=utf-8''punycode",
        f"{JSON}; charset*0=puny; charset*1=code",
        f"{JSON}{';' * 8000}",
        f'{JSON}; x="{";" * 8000}',
        f"multipart/form-data; boundary={'x' * 8000}",
    ],
)
def test_a_content_type_that_django_cannot_parse_is_rejected_first(value: str) -> None:
    status, headers, body = asked(CONTENT_TYPE=value)
    assert status == 415
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-ID"]
    assert b"/problems/unsupported-media-type" in body


def test_headers_and_urls_have_a_maximum_length(client: Client) -> None:
    check(client.get("/products/", HTTP_ACCEPT="a/b," * 3000), 431, "headers-too-large")
    answer = client.get("/products/", HTTP_X_ANYTHING="x" * 9_000)
    assert "X-Anything" in check(answer, 431, "headers-too-large")["detail"]
    check(client.get(f"/{'x' * 9_000}/"), 414, "uri-too-long")
    check(client.get("/products/", {"name": "x" * 9_000}), 414, "uri-too-long")


def test_a_long_accept_header_is_ignored(client: Client) -> None:
    for accept in ("text/html," * 500, " " * 8_000, "application/json;" + " " * 8_000):
        assert client.get("/products/", HTTP_ACCEPT=accept)["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json;q=0.9 , */*; q=0.8", True),
        ("application/json ; q=1", True),
        ("application/json;indent=4", False),
        ("text/plain;q=0.5", False),
        ("application/json;q=", False),
        ("text/html,*/*;q=0.1", False),
        ("application/json" + " " * 2_000, False),  # what is longer is left to the views
    ],
)
def test_requests_that_accept_json_may_be_served_from_the_cache(accept: str, is_json: bool) -> None:
    assert wants_json(accept) == is_json


def test_an_escaped_cookie_is_dropped(client: Client) -> None:
    user = factories.user("stella", is_staff=True, is_superuser=True)
    client.force_login(user)
    session = client.cookies["sessionid"].value
    cookies = 'x="{}"; sessionid={}'.format("\\" * 7_000, session)
    assert Client().get("/admin/", HTTP_COOKIE=cookies).status_code == 200


def test_bodies_at_the_account_paths_have_a_smaller_limit(api: APIClient, customer: APIClient) -> None:
    large = {"username": "x" * 10_000, "first_name": "x" * 10_000}
    for path in ("/token/", "/register/", "/token/refresh/", "/token/revoke/", "/password-reset/", "/email/confirm/",
                 "/password-reset/confirm/"):  # fmt: skip
        check(api.post(path, large), 413, "too-large")
    check(customer.patch("/account/", large), 413, "too-large")
    check(customer.post("/account/password/", large), 413, "too-large")
    assert Client().post("/admin/login/", large).status_code == 413


def test_a_password_above_the_length_limit_is_not_set(client: Client) -> None:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    long = "correct horse" * 100
    answer = client.post("/admin/accounts/user/add/", {"username": "new", "password1": long, "password2": long})
    assert b"1000 characters at most" in answer.content


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_a_field_of_a_form_has_a_maximum_length(client: Client, kind: str) -> None:
    client.force_login(factories.user("stella", is_staff=True, is_superuser=True))
    for length, status in ((100_000, 200), (100_001, 413)):
        text = "a" * length
        part = f'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n{text}\r\n--x--\r\n'
        body = part if "multipart" in kind else f"username={text}"
        response = client.generic("POST", "/admin/accounts/user/add/", body, content_type=kind)
        assert response.status_code == status
