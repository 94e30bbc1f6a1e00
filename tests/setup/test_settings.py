"""Settings are read from the environment and `.env`, typed; an invalid one is reported in one line."""

import ast
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection
from redis import Redis

from productbackend import environment
from productbackend.environment import Environment

pytestmark = pytest.mark.embedded

SAMPLE = settings.BASE_DIR / ".env.sample"
SOURCE = settings.BASE_DIR / "productbackend" / "settings.py"
KEY = "a-key-of-the-tests-alone-that-signs-nothing"


@cache
def names_read() -> set[str]:
    """Every name that settings.py reads from the environment."""
    calls = (node for node in ast.walk(ast.parse(SOURCE.read_text())) if isinstance(node, ast.Call))
    asked = (call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "env")
    return {ast.literal_eval(name) for name in asked}


def in_process(env_file: Path, code: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run Python with this `.env` and environment, without the tests' settings."""
    inherited = {name: value for name, value in os.environ.items() if name not in names_read()}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=inherited | {"ENV_FILE": str(env_file)} | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Return a function that runs settings.py with this environment alone and no `.env`; it returns its names."""
    monkeypatch.setattr(environment, "find_spec", lambda name: True)  # only `make test-services` installs all packages
    for name in names_read() - {"DATA_DIR"}:
        monkeypatch.delenv(name, raising=False)

    def run(**given: str) -> dict[str, Any]:
        for name, value in ({"SECRET_KEY": KEY} | given).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SOURCE))

    return run


def test_the_sample_describes_every_setting_and_no_other() -> None:
    lines = SAMPLE.read_text().splitlines()
    described = [line.partition("=")[0] for line in lines if re.match("[A-Z]", line)]
    assert set(described) == names_read() | {"MYSQL_ROOT_PASSWORD"}  # which the server of docker-compose.yml reads
    assert len(described) == len(set(described))
    for number, line in enumerate(lines):
        if re.match("[A-Z]", line):
            assert lines[number - 1].startswith("# "), f"{line} has no description"


def test_the_samples_values_are_the_defaults(tmp_path: Path) -> None:
    code = (
        "import json; from productbackend import settings as s;"
        "print(json.dumps({n: repr(getattr(s, n)) for n in dir(s) if n.isupper() and n != 'env'}))"
    )
    plain = in_process(Path(os.devnull), code, SECRET_KEY=KEY, DATA_DIR=str(tmp_path))
    sample = in_process(SAMPLE, code, SECRET_KEY=KEY, DATA_DIR=str(tmp_path))
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout == sample.stdout


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("webp", ["WEBP"]), ("AVIF, webp", ["AVIF", "WEBP"]), ("webp,webp", ["WEBP"]), ("none", [])],
)
def test_formats_of_pictures(raw: str, expected: list[str]) -> None:
    assert environment.image_formats(raw) == expected


def test_renditions_of_pictures() -> None:
    assert environment.renditions("full:500x400, thumb:100x100:none,zoom2:1600x1200:WEBP+avif") == {
        "full": {"box": (500, 400)},
        "thumb": {"box": (100, 100), "formats": []},
        "zoom2": {"box": (1600, 1200), "formats": ["WEBP", "AVIF"]},
    }


def test_the_folder_of_the_shops_mails(read: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    assert environment.folder("docs") == settings.BASE_DIR / "docs"
    given = read(MAIL_TEMPLATES_DIR=str(tmp_path))
    assert [engine.get("DIRS") for engine in given["TEMPLATES"]] == [None, [tmp_path]]


def test_hosts_with_ports() -> None:
    assert environment.host_ports("one.example:26379, 10.0.0.2:26380") == [("one.example", 26379), ("10.0.0.2", 26380)]
    assert environment.host_ports("[::1]:26379,two:1") == [("::1", 26379), ("two", 1)]


@pytest.mark.parametrize(
    ("raw", "host", "url"),
    [
        ("::1", "::1", "redis://:word@[::1]:6379/0"),
        ("[2001:db8::2]", "2001:db8::2", "redis://:word@[2001:db8::2]:6379/0"),
        ("10.0.0.1", "10.0.0.1", "redis://:word@10.0.0.1:6379/0"),
        ("redis", "redis", "redis://:word@redis:6379/0"),
    ],
)
def test_a_host_may_be_an_address_of_ipv6(raw: str, host: str, url: str) -> None:
    assert environment.host(raw) == host
    assert environment.redis_url(host, 6379, "word", 0) == url
    where = Redis.from_url(url).connection_pool.connection_kwargs
    assert (where["host"], where["port"], where["password"]) == (host, 6379, "word")
    broker = Connection(url)
    assert (broker.hostname, broker.port, broker.password) == (host, 6379, "word")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("shop@localhost", "shop@localhost"),
        ("The Shop <mail@shop.example>", "The Shop <mail@shop.example>"),
        ("Shoes, Inc. <mail@shop.example>", '"Shoes, Inc." <mail@shop.example>'),
        ('"Shoes, Inc." <mail@shop.example>', '"Shoes, Inc." <mail@shop.example>'),
        ("mail@bücher.example", "mail@xn--bcher-kva.example"),
        ("Bücher, Söhne <mail@bücher.example>", '"Bücher, Söhne" <mail@xn--bcher-kva.example>'),
    ],
)
def test_a_sender_is_a_valid_header(raw: str, expected: str) -> None:
    assert environment.sender(raw) == expected == environment.sender(expected)


def test_no_secret_is_in_the_sample() -> None:
    secrets = ("SECRET_KEY", "JWT_SIGNING_KEY", "MYSQL_PASSWORD", "REDIS_PASSWORD", "EMAIL_HOST_PASSWORD")
    stripe = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
    for name in (*secrets, *stripe, "MYSQL_REPLICA_PASSWORD", "REDIS_BROKER_PASSWORD", "S3_SECRET_ACCESS_KEY"):
        assert f"\n{name}=\n" in SAMPLE.read_text()


@pytest.mark.parametrize(
    ("line", "variable", "expected"),
    [
        ("SHOP_NAME=File", None, "File"),
        ("SHOP_NAME=File", "Process", "Process"),
        ("SHOP_NAME=File", "", "File"),
        ("SHOP_NAME=File", "  ", "File"),
        ("SHOP_NAME=", None, "Default"),
        ("", None, "Default"),
        ("SHOP_NAME = 'Shoes & Co'", None, "Shoes & Co"),
    ],
)
def test_the_environment_overrides_the_file_and_empty_counts_as_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, variable: str | None, expected: str
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"{line}\n")
    monkeypatch.delenv("SHOP_NAME", raising=False)
    if variable is not None:
        monkeypatch.setenv("SHOP_NAME", variable)
    assert Environment(path)("SHOP_NAME", "Default") == expected
    assert os.environ.get("SHOP_NAME") == variable  # reading changes nothing


@pytest.mark.parametrize(
    ("cast", "bad"),
    [
        (environment.boolean, "maybe"),
        (environment.port, "0"),
        (environment.port, "65536"),
        (environment.port, "8000 # here"),
        (environment.integer(1, 5), "6"),
        (environment.integer(1, 5), "-1"),
        (environment.time_zone, "Mars/Olympus"),
        (environment.time_zone, "../etc/passwd"),
        (environment.currency, "eur"),
        (environment.host_ports, "one,two:26379"),
        (environment.host_ports, "one:0"),
        (environment.host_ports, "::1:26379"),
        (environment.host, "redis:6379"),
        (environment.host, "[::1]:6379"),
        *((environment.sender, bad) for bad in ("Shop", "a@b@c", "a b@c.example", "a@", "jürgen@shop.example")),
        *((environment.sender, bad) for bad in ("a@shop.example, b@shop.example", "Shop <a@-shop>", "Shop <a@b")),
        (environment.folder, "manage.py"),
        (environment.folder, "/no/such/folder"),
        (environment.rate, "20/fortnight"),
        (environment.rate, "0/min"),
        (environment.rate, "often"),
        (environment.image_formats, "webp,bmp"),
        (environment.image_formats, "none,webp"),
        (environment.renditions, "full:500x500"),
        (environment.renditions, "full:500x500,thumb:100x100,full:9x9"),
        (environment.renditions, "full:500x500,thumb:100x100,my-own:9x9"),
        (environment.renditions, "full:500x500,thumb:100x0"),
        (environment.renditions, "full:500,thumb:100x100"),
        (environment.renditions, "full:500x500:bmp,thumb:100x100"),
    ],
)
def test_an_invalid_value_names_the_setting_and_its_source(tmp_path: Path, cast: Any, bad: str) -> None:
    path = tmp_path / ".env"
    path.write_text(f"ODD_SETTING={bad}\n")
    with pytest.raises(ImproperlyConfigured, match="ODD_SETTING") as raised:
        Environment(path)("ODD_SETTING", None, cast)
    assert bad in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_short_secret_is_refused_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("JWT_SIGNING_KEY=hunter2\n")
    with pytest.raises(ImproperlyConfigured, match="JWT_SIGNING_KEY") as raised:
        Environment(path)("JWT_SIGNING_KEY", None, environment.secret)
    assert "hunter2" not in str(raised.value)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["manage.py", "run"],
        ["manage.py", "makemigrations", "--check"],
        ["-m", "celery", "-A", "productbackend", "worker"],
        ["-m", "celery", "-A", "productbackend", "beat", "--pidfile="],
        ["-m", "gunicorn", "--config", "python:productbackend.gunicorn", "productbackend.wsgi"],
    ],
    ids=" ".join,
)
def test_every_command_reports_it_in_one_line(command: list[str]) -> None:
    answer = subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=os.environ | {"PORT": "many"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode != 0
    assert answer.stdout == ""
    assert answer.stderr.splitlines() == [answer.stderr.strip()]
    assert "PORT=many" in answer.stderr


def test_a_file_that_cannot_be_read_says_so_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"SHOP_NAME=\xff\xfe\n")
    with pytest.raises(ImproperlyConfigured, match="UTF-8"):
        Environment(path)


def test_the_tests_read_no_env_file() -> None:
    assert Path(os.devnull) == environment.PATH
    assert "mysql" not in settings.DATABASES["default"]["ENGINE"] or "TEST_MYSQL_HOST" in os.environ


@pytest.mark.parametrize(("asked", "expected"), [("", False), ("true", True), ("off", False)])
def test_debug_is_off_unless_asked_for(read: Callable[..., dict[str, Any]], asked: str, expected: bool) -> None:
    assert read(DEBUG=asked)["DEBUG"] is expected


def test_mysql_and_redis_are_one_setting_away(read: Callable[..., dict[str, Any]]) -> None:
    given = read(MYSQL_HOST="db", REDIS_HOST="queue", REDIS_PASSWORD="p@ss/word")
    assert given["DATABASES"]["default"]["ENGINE"] == "django.db.backends.mysql"
    assert given["CACHES"]["default"]["BACKEND"] == "productbackend.caches.redis_cache.RedisCache"
    assert given["CELERY_BROKER_URL"] == "redis://:p%40ss%2Fword@queue:6379/0"


def test_unset_settings_of_replica_and_queue_default_to_the_others(read: Callable[..., dict[str, Any]]) -> None:
    given = read(
        MYSQL_HOST="db",
        MYSQL_PORT="3307",
        MYSQL_USER="shop",
        MYSQL_REPLICA_HOST="db2",
        MYSQL_REPLICA_PASSWORD="reads",
        REDIS_HOST="cache",
        REDIS_PASSWORD="word",
        REDIS_BROKER_HOST="master",
        REDIS_BROKER_SENTINELS="one:26379,two:26380",
    )
    replica = given["DATABASES"]["replica"]
    assert [replica[name] for name in ("HOST", "PORT", "USER", "PASSWORD")] == ["db2", 3307, "shop", "reads"]
    assert given["CACHES"]["default"]["LOCATION"] == "redis://:word@cache:6379/1"
    assert given["CELERY_BROKER_URL"] == "sentinel://:word@one:26379/0;sentinel://:word@two:26380/0"
    assert given["BROKER_OPTIONS"]["master_name"] == "master"


ALL_OF_S3 = {
    "S3_ORIGINALS_BUCKET": "originals",
    "S3_RENDITIONS_BUCKET": "renditions",
    "S3_ACCESS_KEY_ID": "key",
    "S3_SECRET_ACCESS_KEY": "hunter2",
}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"S3_ACCESS_KEY_ID": ""}, "must be set too: S3_ACCESS_KEY_ID."),
        ({"S3_ORIGINALS_BUCKET": "", "S3_SECRET_ACCESS_KEY": ""}, "too: S3_ORIGINALS_BUCKET, S3_SECRET_ACCESS_KEY."),
        ({"S3_RENDITIONS_BUCKET": "originals"}, "must differ"),
        ({"S3_ENDPOINT_URL": "s3.example.com"}, "S3_ENDPOINT_URL=s3.example.com is invalid"),
        ({"MEDIA_URL": "cdn.example.com"}, "MEDIA_URL=cdn.example.com is invalid"),
    ],
)
def test_incomplete_s3_is_rejected(given: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: True)  # only `make test-services` installs it
    for name, value in (ALL_OF_S3 | given).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as raised:
        runpy.run_path(str(SOURCE))
    assert message in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_buckets_are_four_settings_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: True)
    for name, value in (ALL_OF_S3 | {"MEDIA_URL": "https://cdn.example.com/shop/"}).items():
        monkeypatch.setenv(name, value)
    made = runpy.run_path(str(SOURCE))
    assert made["MEDIA_URL"] == "https://cdn.example.com/shop/"
    originals, renditions = made["STORAGES"]["originals"], made["STORAGES"]["default"]
    assert originals["BACKEND"] == renditions["BACKEND"] == "productbackend.storages.s3.Bucket"
    assert (originals["OPTIONS"]["bucket_name"], renditions["OPTIONS"]["bucket_name"]) == ("originals", "renditions")
    assert renditions["OPTIONS"]["endpoint_url"] is None
    assert "object_parameters" not in originals["OPTIONS"]


def test_buckets_without_their_client_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    monkeypatch.delenv("MYSQL_HOST", raising=False)
    for name, value in ALL_OF_S3.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-s3\.txt"):
        runpy.run_path(str(SOURCE))
