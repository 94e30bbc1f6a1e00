"""Settings come from the environment and `.env`, typed, and a bad one says so in one line."""

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from productbackend import environment
from productbackend.environment import Environment

SAMPLE = settings.BASE_DIR / ".env.sample"
SOURCE = settings.BASE_DIR / "productbackend" / "settings.py"


def names_read() -> set[str]:
    """Every name that settings.py asks the environment for."""
    calls = (node for node in ast.walk(ast.parse(SOURCE.read_text())) if isinstance(node, ast.Call))
    asked = (call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "env")
    return {ast.literal_eval(name) for name in asked}


def in_process(env_file: Path, code: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run Python with this `.env` and environment, and none of the tests' own settings."""
    kept = {name: value for name, value in os.environ.items() if name not in names_read()}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=kept | {"ENV_FILE": str(env_file)} | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_sample_describes_every_setting_and_no_other() -> None:
    lines = SAMPLE.read_text().splitlines()
    described = [line.partition("=")[0] for line in lines if re.match("[A-Z]", line)]
    assert set(described) == names_read() | {"MYSQL_ROOT_PASSWORD"}  # which the server of docker-compose.yml reads
    assert len(described) == len(set(described))
    for number, line in enumerate(lines):
        if re.match("[A-Z]", line):
            assert lines[number - 1].startswith("# "), f"{line} stands without a description"


def test_the_samples_values_are_the_defaults(tmp_path: Path) -> None:
    code = (
        "import json; from productbackend import settings as s;"
        "print(json.dumps({n: repr(getattr(s, n)) for n in dir(s) if n.isupper() and n != 'env'}))"
    )
    key = "a-key-of-the-tests-alone-that-signs-nothing"
    plain = in_process(Path(os.devnull), code, SECRET_KEY=key, DATA_DIR=str(tmp_path))
    sample = in_process(SAMPLE, code, SECRET_KEY=key, DATA_DIR=str(tmp_path))
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


def test_places_of_servers() -> None:
    assert environment.places("one.example:26379, 10.0.0.2:26380") == [("one.example", 26379), ("10.0.0.2", 26380)]


def test_no_secret_is_in_the_sample() -> None:
    secrets = ("SECRET_KEY", "JWT_SIGNING_KEY", "MYSQL_PASSWORD", "REDIS_PASSWORD", "EMAIL_HOST_PASSWORD")
    for name in (*secrets, "MYSQL_REPLICA_PASSWORD", "REDIS_BROKER_PASSWORD", "S3_SECRET_ACCESS_KEY"):
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
def test_the_process_wins_over_the_file_and_empty_counts_as_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, variable: str | None, expected: str
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"{line}\n")
    monkeypatch.delenv("SHOP_NAME", raising=False)
    if variable is not None:
        monkeypatch.setenv("SHOP_NAME", variable)
    assert Environment(path)("SHOP_NAME", "Default") == expected


@pytest.mark.parametrize(
    ("cast", "bad"),
    [
        (environment.boolean, "maybe"),
        (environment.port, "0"),
        (environment.port, "65536"),
        (environment.port, "8000 # here"),
        (environment.whole(1, 5), "6"),
        (environment.whole(1, 5), "-1"),
        (environment.time_zone, "Mars/Olympus"),
        (environment.time_zone, "../etc/passwd"),
        (environment.currency, "eur"),
        (environment.places, "one,two:26379"),
        (environment.places, "one:0"),
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
def test_a_bad_value_names_the_setting_and_the_place(tmp_path: Path, cast: Any, bad: str) -> None:
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


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["manage.py", "run"],
        ["-m", "celery", "-A", "productbackend", "worker"],
        ["-m", "celery", "-A", "productbackend", "beat", "--pidfile="],
        ["-m", "gunicorn", "--config", "python:productbackend.gunicorn", "productbackend.wsgi"],
    ],
    ids=" ".join,
)
def test_every_command_says_it_in_one_line(command: list[str]) -> None:
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
def test_debug_is_off_unless_asked_for(asked: str, expected: bool) -> None:
    answer = in_process(
        Path(os.devnull),
        "from productbackend import settings; print(settings.DEBUG)",
        SECRET_KEY="a-key-of-the-tests-alone-that-signs-nothing",
        DEBUG=asked,
    )
    assert answer.stdout.strip() == str(expected)


def test_mysql_and_redis_are_one_setting_away() -> None:
    answer = in_process(
        Path(os.devnull),
        "from productbackend import settings as s;"
        "print(s.DATABASES['default']['ENGINE'], s.CACHES['default']['BACKEND'], s.CELERY_BROKER_URL)",
        SECRET_KEY="a-key-of-the-tests-alone-that-signs-nothing",
        MYSQL_HOST="db",
        REDIS_HOST="queue",
        REDIS_PASSWORD="p@ss/word",
    )
    assert answer.stdout.split() == [
        "django.db.backends.mysql",
        "productbackend.redis_cache.RedisCache",
        "redis://:p%40ss%2Fword@queue:6379/0",
    ]


def test_a_replica_and_a_queue_of_its_own_take_what_is_not_said_from_the_others() -> None:
    answer = in_process(
        Path(os.devnull),
        "from productbackend import settings as s; r = s.DATABASES['replica'];"
        "print(r['HOST'], r['PORT'], r['USER'], r['PASSWORD'], s.CACHES['default']['LOCATION'], s.CELERY_BROKER_URL,"
        " s.BROKER_OPTIONS['master_name'])",
        SECRET_KEY="a-key-of-the-tests-alone-that-signs-nothing",
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
    assert answer.stdout.split() == [
        *("db2", "3307", "shop", "reads"),
        "redis://:word@cache:6379/1",
        "sentinel://:word@one:26379/0;sentinel://:word@two:26380/0",
        "master",
    ]


ALL_OF_S3 = {
    "S3_ORIGINALS_BUCKET": "originals",
    "S3_RENDITIONS_BUCKET": "renditions",
    "S3_ACCESS_KEY_ID": "key",
    "S3_SECRET_ACCESS_KEY": "hunter2",
}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"S3_ACCESS_KEY_ID": ""}, "must be set too: S3_ACCESS_KEY_ID."),
        ({"S3_ORIGINALS_BUCKET": "", "S3_SECRET_ACCESS_KEY": ""}, "too: S3_ORIGINALS_BUCKET, S3_SECRET_ACCESS_KEY."),
        ({"S3_RENDITIONS_BUCKET": "originals"}, "must be two"),
        ({"S3_ENDPOINT_URL": "s3.example.com"}, "S3_ENDPOINT_URL=s3.example.com does not fit"),
        ({"MEDIA_URL": "cdn.example.com"}, "MEDIA_URL=cdn.example.com does not fit"),
    ],
)
def test_half_of_s3_is_refused(given: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: True)  # only `make test-services` installs it
    for name, value in (ALL_OF_S3 | given).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as raised:
        runpy.run_path(str(SOURCE))
    assert words in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_buckets_are_four_settings_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: True)
    for name, value in (ALL_OF_S3 | {"MEDIA_URL": "https://cdn.example.com/shop/"}).items():
        monkeypatch.setenv(name, value)
    made = runpy.run_path(str(SOURCE))
    assert made["MEDIA_URL"] == "https://cdn.example.com/shop/"
    originals, renditions = made["STORAGES"]["originals"], made["STORAGES"]["default"]
    assert originals["BACKEND"] == renditions["BACKEND"] == "productbackend.bucket.Bucket"
    assert (originals["OPTIONS"]["bucket_name"], renditions["OPTIONS"]["bucket_name"]) == ("originals", "renditions")
    assert renditions["OPTIONS"]["endpoint_url"] is None
    assert "object_parameters" not in originals["OPTIONS"]


def test_buckets_without_their_client_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    for name, value in ALL_OF_S3.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-s3\.txt"):
        runpy.run_path(str(SOURCE))
