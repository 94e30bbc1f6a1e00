"""manage.py doctor on a developer's machine; tests/services runs it on a whole deployment."""

import json
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from django.conf import settings as project
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

from outbox.models import Mail
from productbackend.doctor import configuration, findings, interpreter
from productbackend.doctor.checks import all_checks
from productbackend.doctor.site import Site
from productbackend.workers import beat
from tests.mail_server import MailServer
from tests.ports import free_port

KEY = "Zk3vQ9xT7bLr2WnY8sHc5JdM1fPgA6uE4tRoVi0yXqBwKjNz"


@contextmanager
def served(server: Any) -> Iterator[str]:
    """Run a web server; yields its URL."""
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
    """Run the service with these settings, without a proxy; yields its URL."""
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
    """Run the command; return the exit code and the output."""
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def run_check(name: str, url: str = "", mail_to: str = "") -> list[str]:
    """Run one check; return its findings."""
    checks = [check for check in all_checks(site=Site(url), mail_to=mail_to) if check.name == name]
    return [str(finding) for finding in findings.run_checks(checks)]


@pytest.mark.embedded  # tests/services checks a deployment
@pytest.mark.django_db(transaction=True)
def test_a_developers_machine_is_good_with_warnings(shop: str) -> None:
    code, lines = doctor()
    found = [(line[:4].strip(), line[6:].partition(":")[0]) for line in lines]
    assert code == 0, lines
    assert {level for level, _ in found} == {"good", "warn"}
    for name in (
        "database writes",
        "migrations",
        "storage",
        "site",
        "links",
        "renditions",
        "originals",
    ):
        assert ("good", name) in found
    for name in ("settings", "database", "cache", "queue", "workers", "mail server"):
        assert ("warn", name) in found


@pytest.mark.embedded  # tests/services checks a deployment
@pytest.mark.django_db(transaction=True)
def test_bad_findings_set_the_exit_code_and_hide_no_other_findings(shop: str, settings: Any) -> None:
    good = doctor()[1]
    settings.DEBUG = True
    Mail.objects.create(kind="test", recipient="a@example.com", due_at=timezone.now() - timedelta(minutes=6))
    code, lines = doctor("--json")
    found = json.loads("\n".join(lines))
    assert code == 1
    names = [each["name"] for each in found]
    assert list(dict.fromkeys(names)) == list(dict.fromkeys(line[6:].partition(":")[0] for line in good))
    bad = {each["name"]: each["text"] for each in found if each["level"] == "bad"}
    assert set(bad) == {"settings", "waiting"}
    assert bad["settings"].startswith("productbackend.E001: DEBUG is on")
    assert bad["waiting"] == "a mail has waited for 6 minutes: see MailsWaiting in docs/runbook.md"


GOOD = {
    "SECRET_KEY": KEY,
    "JWT_SIGNING_KEY": KEY,
    "SITE_URL": "https://shop.example.com",
    "HTTPS": True,
    "ALLOWED_HOSTS": ["shop.example.com"],
    "NUM_PROXIES": 1,
}
INSECURE = {"HTTPS": False, "SITE_URL": "http://shop.example.com"}
LOCAL = {"HTTPS": False, "SITE_URL": "http://127.0.0.1", "ALLOWED_HOSTS": ["127.0.0.1"]}


@pytest.mark.parametrize(
    ("identifier", "changes"),
    [
        ("productbackend.E001", {"DEBUG": True}),
        ("productbackend.E002", {"SECRET_KEY": f"django-insecure-{KEY}"}),
        ("productbackend.E002", {"JWT_SIGNING_KEY": "ab12" * 12}),
        ("productbackend.W001", {"JWT_SIGNING_KEY": "correct horse battery staple, many words"}),
        ("productbackend.E003", {"ALLOWED_HOSTS": ["*"]}),
        ("productbackend.E004", {"ALLOWED_HOSTS": ["other.example.com"]}),
        ("productbackend.E005", INSECURE),
        ("productbackend.W002", LOCAL),
        ("productbackend.E006", {"NUM_PROXIES": 0}),
        ("productbackend.W003", LOCAL | {"NUM_PROXIES": 0}),
        ("security.E023", {"SECURE_REFERRER_POLICY": "sideways"}),
    ],
)
def test_settings_that_endanger_the_shop(settings: Any, identifier: str, changes: dict[str, Any]) -> None:
    """Doctor and `check --deploy` report them alike."""
    for setting, value in (GOOD | changes).items():
        setattr(settings, setting, value)
    level = "bad " if identifier.partition(".")[2].startswith("E") else "warn"
    assert [line for line in run_check("settings") if line.startswith(f"{level}  settings: {identifier}: ")]
    reported = StringIO()
    try:
        call_command("check", "--deploy", "--tag", "security", stdout=reported, stderr=reported)
    except SystemCheckError as error:
        reported.write(str(error))
    assert identifier in reported.getvalue()


def test_good_settings_have_one_good_finding(settings: Any) -> None:
    for setting, value in GOOD.items():
        setattr(settings, setting, value)
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 1
    assert run_check("settings") == ["good  settings: manage.py check --deploy reports nothing"]


def test_the_page_of_commands_lists_each_check() -> None:
    page = (project.BASE_DIR / "docs" / "commands.md").read_text()
    source = Path(str(configuration.__file__)).read_text()
    listed = re.findall(r"^\| `(productbackend\.[EW][0-9]+)` \|", page, re.MULTILINE)
    assert listed == sorted(set(re.findall(r'id="([\w.]+)"', source)))


def test_a_silent_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_check("beat")[0].startswith("bad   beat: no task was ever sent")
    beat.tick()
    assert run_check("beat")[0].startswith("good  beat: sent a task 0 s ago")
    later = time.time() + 121
    monkeypatch.setattr(time, "time", lambda: later)
    assert run_check("beat")[0].startswith("bad   beat: no task was sent for 121 s")


def test_another_folder_than_the_web_servers(shop: str, settings: Any, tmp_path: Any) -> None:
    assert run_check("renditions")[0].startswith("good")
    with served_folder(tmp_path) as settings.SITE_URL:
        [line] = run_check("renditions")
    assert line.startswith("bad   renditions: a file that was written here responds 404 at /media/products/")


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="needs a second file system")
def test_the_disk_of_the_pictures_is_that_of_their_folder(settings: Any) -> None:
    """In the container DATA_DIR is on another one. The folder does not exist before the first picture."""
    settings.MEDIA_ROOT = Path("/dev/shm/productbackend-none/media")
    [finding] = run_check("disk")
    assert f"{shutil.disk_usage('/dev/shm').free / 1e9:.1f} GB free" in finding


def test_public_originals(live_server: Any, settings: Any) -> None:
    """Django's live server serves the whole folder."""
    settings.SITE_URL = live_server.url
    assert run_check("renditions")[0].startswith("good")
    assert run_check("originals")[0].startswith("bad   originals: /media/products/")


class SkewedClock(BaseHTTPRequestHandler):
    """A web server whose Date header is wrong by `ahead` seconds."""

    ahead = 0.0

    def do_GET(self) -> None:
        self.send_response_only(404)
        self.send_header("Date", formatdate(timezone.now().timestamp() + self.ahead, usegmt=True))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def served_folder(folder: Any) -> Any:
    return served(ThreadingHTTPServer(("127.0.0.1", 0), SkewedClock))


@pytest.mark.parametrize(("ahead", "level"), [(0, "good"), (-10, "warn"), (45, "bad "), (-3600, "bad ")])
def test_clocks_that_differ(ahead: float, level: str) -> None:
    handler = type("Handler", (SkewedClock,), {"ahead": ahead})
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        [line] = run_check("site clock", url)
    assert line.startswith(f"{level}  site clock: "), line


def test_a_trusted_forged_header(shop: str, settings: Any) -> None:
    assert run_check("links")[0].startswith("good")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # NUM_PROXIES=1, with none there
    assert run_check("links")[0].startswith("bad   links: a client's own X-Forwarded-Proto is trusted")


def test_an_internal_url_for_an_unreachable_site_url(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.invalid"]
    with opened(settings) as url:
        settings.SITE_URL = "http://shop.example.invalid"
        assert run_check("site")[0].startswith("bad   site: http://shop.example.invalid: ")
        for name in ("links", "renditions", "originals"):
            assert run_check(name, url)[0].startswith("good")


def test_a_proxy_that_does_not_forward_the_scheme(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    with opened(settings):
        assert "redirects to https://" in run_check("links")[0]


def test_an_unreachable_site_and_one_that_hangs(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SITE_URL = f"http://127.0.0.1:{free_port()}"
    assert run_check("site")[0].startswith(f"bad   site: {settings.SITE_URL}: Connection refused")
    assert run_check("renditions") == ["warn  renditions: not checked without the site: Connection refused"]
    monkeypatch.setattr(findings, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.SITE_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert run_check("site")[0].startswith("bad   site: no response within")


@contextmanager
def mail_server(settings: Any, **options: Any) -> Iterator[MailServer]:
    settings.DEFAULT_FROM_EMAIL = "shop@example.com"
    with MailServer(auth_require_tls=False, **options) as server:
        server.configure(settings)
        yield server


def test_a_mail_server_gets_a_mail_only_on_request(settings: Any) -> None:
    with mail_server(settings) as server:
        assert run_check("mail server") == [f"good  mail server: 127.0.0.1:{settings.EMAIL_PORT} accepts mail"]
        assert run_check("mail sender") == ["good  mail sender: shop@example.com"]
        assert not server.mails
        assert run_check("mail", mail_to="ops@example.com")[0].startswith("good  mail: sent to ops@example.com")
        assert [mail["To"] for mail in server.mails] == ["ops@example.com"]
        server.replies["ops@example.com"] = "550 No such person"
        assert run_check("mail", mail_to="ops@example.com")[0].startswith("bad   mail: not sent to ops@example.com")
    assert run_check("mail server")[0].startswith(
        f"bad   mail server: 127.0.0.1:{settings.EMAIL_PORT}: Connection refused"
    )


def test_a_mail_server_that_refuses_shows_no_password(settings: Any) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "shop", "correct horse"
    with mail_server(settings, authenticator=only("shop", "correct horse")):
        assert run_check("mail server")[0].endswith("accepts mail, signed in as shop")
        settings.EMAIL_HOST_PASSWORD = "battery staple"
        [line] = run_check("mail server")
    assert line.startswith("bad   mail server: ")
    assert "535" in line
    assert "*** is not the password" in line


def only(user: str, password: str) -> Any:
    """Authenticate one user; quote the wrong credentials in the error, as a careless server does."""

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        if (given.login.decode(), given.password.decode()) == (user, password):
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=f"535 {given.password.decode()} is not the password")

    return authenticate


@pytest.mark.parametrize(("exponent", "level"), [(1, "good"), (2, "warn")])
def test_an_interpreter_with_quadratic_time(monkeypatch: pytest.MonkeyPatch, exponent: int, level: str) -> None:
    monkeypatch.setattr(interpreter, "seconds", lambda pairs: (pairs / 1e4) ** exponent)
    (finding,) = interpreter.unicode()
    assert finding.level == level
    assert ("patch release" in finding.text) == (level == "warn")


def test_timing_this_interpreter_is_quick() -> None:
    began = time.thread_time()
    assert len(list(interpreter.unicode())) == 1
    assert time.thread_time() - began < 0.5
