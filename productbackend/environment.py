"""Reads typed settings from the process environment and `.env`, by python-decouple.

The process environment wins over the file. An empty value counts as unset. A value
that does not fit raises ImproperlyConfigured with one line that says what would.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from decouple import Config, Csv, RepositoryEmpty, RepositoryEnv
from django.core.exceptions import ImproperlyConfigured

REQUIRED: Any = object()
PATH = Path(os.environ.get("ENV_FILE") or Path(__file__).resolve().parent.parent / ".env")


class Environment:
    """The settings of one `.env` file, under those of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            repository = RepositoryEnv(str(path)) if path.is_file() else RepositoryEmpty()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{path} cannot be read as text in UTF-8: {error}") from error
        self.config = Config(repository)

    def __call__(self, name: str, default: Any = REQUIRED, cast: Callable[[str], Any] = str) -> Any:
        """The value of `name`, made by `cast`; `default`, as it is, where unset or empty."""
        if not os.environ.get(name, "unset").strip():
            del os.environ[name]  # decouple would let an empty variable hide the file's line
        raw = str(self.config(name, default="")).strip()
        if not raw:
            if default is REQUIRED:
                raise ImproperlyConfigured(f"{name} is not set: put it into {self.path} or the environment.")
            return default
        try:
            return cast(raw)
        except ValueError as error:
            place = "the environment" if name in os.environ else self.path
            # Half a secret is a secret too.
            shown = name if cast is secret else f"{name}={raw}"
            raise ImproperlyConfigured(f"{shown} does not fit: {error}. Mend it in {place}.") from error


@contextmanager
def line_or_exit() -> Iterator[None]:
    """End the process with one line, and no traceback, where a setting does not fit."""
    try:
        yield
    except ImproperlyConfigured as error:
        sys.exit(f"productbackend: {error}")


def buckets(**given: str | None) -> bool:
    """Whether files are kept in buckets; these settings of them come all together, or none."""
    unset = [name for name, value in given.items() if value is None]
    if len(unset) == len(given):
        return False
    if unset:
        others = ", ".join(name for name in given if name not in unset)
        raise ImproperlyConfigured(f"Beside {others} these must be set too: {', '.join(unset)}.")
    if given["S3_ORIGINALS_BUCKET"] == given["S3_RENDITIONS_BUCKET"]:
        raise ImproperlyConfigured(
            "S3_ORIGINALS_BUCKET and S3_RENDITIONS_BUCKET must be two: everyone may read the renditions."
        )
    if find_spec("storages") is None or find_spec("boto3") is None:
        raise ImproperlyConfigured("S3_ORIGINALS_BUCKET is set: pip install --requirement requirements-s3.txt first.")
    return True


def boolean(raw: str) -> bool:
    """True or False, in the words that people use for them."""
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    try:
        return words[raw.lower()]
    except KeyError:
        raise ValueError("it takes true or false") from None


def whole(least: int, most: int) -> Callable[[str], int]:
    """A cast to a whole number from `least` to `most`."""

    def cast(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not least <= int(raw) <= most:
            raise ValueError(f"it takes a whole number from {least} to {most}")
        return int(raw)

    return cast


port = whole(1, 65535)


def names(raw: str) -> list[str]:
    """A comma-separated list."""
    return [name for name in Csv()(raw) if name]


def one_of(*words: str) -> Callable[[str], str]:
    """A cast to one of some words."""

    def cast(raw: str) -> str:
        if raw.lower() not in words:
            raise ValueError(f"it takes {' or '.join(words)}")
        return raw.lower()

    return cast


PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10")


def networks(raw: str) -> list[IPv4Network | IPv6Network]:
    """Networks, such as 10.1.0.0/16; `private` stands for those that no address of the internet is in."""
    if raw.lower() == "none":
        return []
    wanted = [network for name in names(raw) for network in (PRIVATE if name.lower() == "private" else (name,))]
    try:
        return [ip_network(network) for network in wanted]
    except ValueError:
        raise ValueError("it takes networks such as 10.1.0.0/16, private, both with a comma between, or none") from None


def image_formats(raw: str) -> list[str]:
    """Formats to offer beside a picture's own, in the names that Pillow has for them."""
    known = {"webp": "WEBP", "avif": "AVIF"}
    if raw.lower() == "none":
        return []
    try:
        return [known[name.lower()] for name in dict.fromkeys(names(raw))]
    except KeyError:
        raise ValueError("it takes webp, avif, both with a comma between, or none") from None


def renditions(raw: str) -> dict[str, dict[str, Any]]:
    """What is made of each picture: name -> its box of pixels, and its formats where they are given."""
    wanted: dict[str, dict[str, Any]] = {}
    for part in names(raw):
        found = re.fullmatch(r"([a-z][a-z0-9]{0,19}):([1-9][0-9]{0,4})x([1-9][0-9]{0,4})(?::([A-Za-z+]+))?", part)
        if found is None:
            raise ValueError(
                f"{part} is not like zoom:1600x1200 or zoom:1600x1200:webp+avif, with a name of up to 20 small "
                "letters and digits"
            )
        name, width, height, formats = found.groups()
        if name in wanted:
            raise ValueError(f"{name} stands there twice")
        wanted[name] = {"box": (int(width), int(height))}
        if formats:
            wanted[name]["formats"] = image_formats(formats.replace("+", ","))
    if missing := [name for name in ("full", "thumb") if name not in wanted]:
        raise ValueError(f"{' and '.join(missing)} must be among them, for the API names full and thumb")
    return wanted


def url(raw: str) -> str:
    """An absolute URL, without a slash at its end."""
    if not re.fullmatch(r"https?://[^\s/?#]+(/\S*)?", raw):
        raise ValueError("it takes a URL that begins with https:// or http://")
    return raw.rstrip("/")


def places(raw: str) -> list[tuple[str, int]]:
    """A comma-separated list of hosts, each with its port."""
    found = [re.fullmatch(r"([A-Za-z0-9._-]+):([0-9]+)", name) for name in names(raw)]
    if not all(found):
        raise ValueError("it takes hosts with their ports, such as one:26379,two:26379")
    return [(place[1], port(place[2])) for place in found if place]


def redis_url(host: str, port: int, password: str, database: int, scheme: str = "redis") -> str:
    """Where one of a Redis server's numbered databases is."""
    login = f":{quote(password, safe='')}@" if password else ""
    return f"{scheme}://{login}{host}:{port}/{database}"


def time_zone(raw: str) -> str:
    """An IANA time zone, such as Europe/Berlin."""
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it takes an IANA time zone, such as Europe/Berlin") from None
    return raw


def currency(raw: str) -> str:
    """An ISO 4217 code."""
    if not re.fullmatch("[A-Z]{3}", raw):
        raise ValueError("it takes an ISO 4217 code of three capital letters, such as EUR")
    return raw


def rate(raw: str) -> str:
    """A DRF throttle rate, such as 20/min."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)", raw):
        raise ValueError("it takes a rate such as 20/min, 30/hour or 5/s")
    return raw


def secret(raw: str) -> str:
    """A key that signs: long enough that nobody guesses it."""
    if len(raw) < 32:
        raise ValueError("it takes 32 characters or more, made at random")
    return raw
