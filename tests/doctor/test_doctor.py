"""manage.py doctor on one machine, as a developer has it; tests/services looks at a whole deployment."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import CommandError, call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

from outbox.models import Mail
from productbackend import beat
from productbackend.doctor import findings
from productbackend.doctor.checks import all_checks
from productbackend.doctor.site import Site
from tests.outbox.server import Handler, free_port

KEY = "Zk3vQ9xT7bLr2WnY8sHc5JdM1fPgA6uE4tRoVi0yXqBwKjNz"


@contextmanager
def served(server: Any) -> Iterator[str]:
    """A web server's address, while it serves."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def opened(settings: Any) -> Iterator[str]:
    """The service, with these settings, at its address, and nothing before it."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    with served(server) as settings.SITE_URL:
        yield settings.SITE_URL


@pytest.fixture
def shop(settings: Any) -> Iterator[str]:
    settings.SECRET_KEY = settings.JWT_SIGNING_KEY = KEY
    beat.tick()
    with opened(settings) as url:
        yield url


def doctor(*arguments: str) -> tuple[int, list[str]]:
    """The exit code and what was printed."""
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def look(name: str, url: str = "", mail_to: str = "") -> list[str]:
    """What one check alone says."""
    checks = [check for check in all_checks(site=Site(url), mail_to=mail_to) if check.name == name]
    return [str(finding) for finding in findings.look_at(checks)]


@pytest.mark.embedded  # tests/services has one look at a deployment
@pytest.mark.django_db(transaction=True)
def test_a_developers_machine_is_good_with_warnings(shop: str) -> None:
    code, lines = doctor()
    told = [(line[:4].strip(), line[6:].partition(":")[0]) for line in lines]
    assert code == 0, lines
    assert {level for level, _ in told} == {"good", "warn"}
    for name in (
        "debug",
        "keys",
        "database writes",
        "migrations",
        "storage",
        "site",
        "links",
        "renditions",
        "originals",
    ):
        assert ("good", name) in told
    for name in ("database", "cache", "queue", "workers", "mail server"):
        assert ("warn", name) in told


@pytest.mark.embedded  # tests/services has one look at a deployment
@pytest.mark.django_db(transaction=True)
def test_what_is_bad_ends_with_an_exit_code_and_hides_nothing_else(shop: str, settings: Any) -> None:
    good = doctor()[1]
    settings.DEBUG = True
    Mail.objects.create(kind="test", recipient="a@example.com", due_at=timezone.now() - timedelta(minutes=6))
    code, lines = doctor("--json")
    found = json.loads("\n".join(lines))
    assert code == 1
    assert [each["name"] for each in found] == [line[6:].partition(":")[0] for line in good]
    bad = {each["name"]: each["text"] for each in found if each["level"] == "bad"}
    assert set(bad) == {"debug", "waiting"}
    assert bad["waiting"] == "a mail has waited for 6 minutes: see MailsWaiting in docs/runbook.md"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("debug", {"DEBUG": True}),
        ("keys", {"SECRET_KEY": f"django-insecure-{KEY}"}),
        ("keys", {"JWT_SIGNING_KEY": "ab12" * 12}),
        ("allowed hosts", {"ALLOWED_HOSTS": ["*"]}),
        ("allowed hosts", {"ALLOWED_HOSTS": ["shop.example.com"]}),
        ("site url", {"SITE_URL": "http://shop.example.com"}),
        ("proxies", {"HTTPS": True}),
        ("django", {"SECURE_REFERRER_POLICY": "sideways"}),
    ],
)
def test_settings_that_endanger_the_shop(settings: Any, name: str, changes: dict[str, Any]) -> None:
    settings.SECRET_KEY = settings.JWT_SIGNING_KEY = KEY
    assert not [line for line in look(name) if line.startswith("bad")]
    for setting, value in changes.items():
        setattr(settings, setting, value)
    assert [line for line in look(name) if line.startswith("bad")]


def test_a_beat_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look("beat")[0].startswith("bad   beat: nothing was ever sent")
    beat.tick()
    assert look("beat")[0].startswith("good  beat: sent something 0 s ago")
    later = time.time() + 121
    monkeypatch.setattr(time, "time", lambda: later)
    assert look("beat")[0].startswith("bad   beat: nothing was sent for 121 s")


def test_another_folder_than_the_web_servers(shop: str, settings: Any, tmp_path: Any) -> None:
    assert look("renditions")[0].startswith("good")
    with served_folder(tmp_path) as settings.SITE_URL:
        [line] = look("renditions")
    assert line.startswith("bad   renditions: a file that was written here answers 404 at /media/products/")


def test_originals_that_a_web_server_hands_out(live_server: Any, settings: Any) -> None:
    """Django's server of tests serves all that lies in the folder."""
    settings.SITE_URL = live_server.url
    assert look("renditions")[0].startswith("good")
    assert look("originals")[0].startswith("bad   originals: /media/products/")


class Wrong(BaseHTTPRequestHandler):
    """A web server that says of the time what it was told to."""

    ahead = 0.0

    def do_GET(self) -> None:
        self.send_response_only(404)
        self.send_header("Date", formatdate(timezone.now().timestamp() + self.ahead, usegmt=True))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def served_folder(folder: Any) -> Any:
    return served(ThreadingHTTPServer(("127.0.0.1", 0), Wrong))


@pytest.mark.parametrize(("ahead", "level"), [(0, "good"), (-10, "warn"), (45, "bad "), (-3600, "bad ")])
def test_clocks_that_differ(ahead: float, level: str) -> None:
    handler = type("Handler", (Wrong,), {"ahead": ahead})
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        [line] = look("site clock", url)
    assert line.startswith(f"{level}  site clock: "), line


def test_a_forged_header_that_is_believed(shop: str, settings: Any) -> None:
    assert look("links")[0].startswith("good")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # NUM_PROXIES=1, with none there
    assert look("links")[0].startswith("bad   links: a client's own X-Forwarded-Proto is believed")


def test_an_address_inside_in_place_of_one_that_leads_nowhere_from_there(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.invalid"]
    with opened(settings) as url:
        settings.SITE_URL = "http://shop.example.invalid"
        assert look("site")[0].startswith("bad   site: http://shop.example.invalid: ")
        for name in ("links", "renditions", "originals"):
            assert look(name, url)[0].startswith("good")


def test_a_proxy_that_does_not_say_how_clients_came(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    with opened(settings):
        assert "is sent to https://" in look("links")[0]


def test_a_service_that_is_not_there_and_one_that_hangs(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SITE_URL = f"http://127.0.0.1:{free_port()}"
    assert look("site")[0].startswith(f"bad   site: {settings.SITE_URL}: Connection refused")
    assert look("renditions") == ["warn  renditions: not seen without the site: Connection refused"]
    monkeypatch.setattr(findings, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.SITE_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert look("site")[0].startswith("bad   site: no answer within")


@contextmanager
def mail_server(settings: Any, **options: Any) -> Iterator[Handler]:
    handler = Handler()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), auth_require_tls=False, **options)
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = "shop@example.com"
    try:
        yield handler
    finally:
        controller.stop()


def test_a_mail_server_is_greeted_and_gets_a_mail_only_where_one_is_asked_for(settings: Any) -> None:
    with mail_server(settings) as server:
        assert look("mail server") == [f"good  mail server: 127.0.0.1:{settings.EMAIL_PORT} takes mail"]
        assert look("mail sender") == ["good  mail sender: shop@example.com"]
        assert not server.taken
        assert look("mail", mail_to="ops@example.com")[0].startswith("good  mail: sent to ops@example.com")
        assert [mail["To"] for mail in server.taken] == ["ops@example.com"]
        server.answers["ops@example.com"] = "550 No such person"
        assert look("mail", mail_to="ops@example.com")[0].startswith("bad   mail: not sent to ops@example.com")
    assert look("mail server")[0].startswith(f"bad   mail server: 127.0.0.1:{settings.EMAIL_PORT}: Connection refused")


def test_a_mail_server_that_refuses_shows_no_password(settings: Any) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "shop", "correct horse"
    with mail_server(settings, authenticator=only("shop", "correct horse")):
        assert look("mail server")[0].endswith("takes mail, signed in as shop")
        settings.EMAIL_HOST_PASSWORD = "battery staple"
        [line] = look("mail server")
    assert line.startswith("bad   mail server: ")
    assert "535" in line
    assert "*** is not the password" in line


def only(user: str, password: str) -> Any:
    """Who may sign in; anyone else is told what was wrong, as a careless server does."""

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        if (given.login.decode(), given.password.decode()) == (user, password):
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=f"535 {given.password.decode()} is not the password")

    return authenticate
