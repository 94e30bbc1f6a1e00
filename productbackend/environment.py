"""Reads typed settings from the process environment and `.env`, by python-decouple.

The process environment overrides the file. An empty value counts as unset. An invalid value
raises ImproperlyConfigured with one line that says which values are valid.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import snowballstemmer
from decouple import Csv, RepositoryEnv
from django.core.exceptions import ImproperlyConfigured
from django_countries.data import COUNTRIES

REQUIRED: Any = object()
PATH = Path(os.environ.get("ENV_FILE") or Path(__file__).resolve().parent.parent / ".env")


class Environment:
    """The settings of one `.env` file, overridden by the process environment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.file: dict[str, str] = RepositoryEnv(str(path)).data if path.is_file() else {}
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{path} cannot be read as UTF-8 text: {error}") from error

    def __call__(self, name: str, default: Any = REQUIRED, cast: Callable[[str], Any] = str) -> Any:
        """Return the value of `name`, converted by `cast`; `default`, unconverted, if it is unset or empty.

        Raises ImproperlyConfigured if it is required and unset, or invalid.
        """
        given = os.environ.get(name, "").strip()
        raw = given or self.file.get(name, "").strip()
        if not raw:
            if default is REQUIRED:
                raise ImproperlyConfigured(f"{name} is not set: set it in {self.path} or the environment.")
            return default
        try:
            return cast(raw)
        except ValueError as error:
            source = "the environment" if given else self.path
            # A secret that is too short must not be shown either.
            shown = name if cast in (secret, secrets) else f"{name}={raw}"
            raise ImproperlyConfigured(f"{shown} is invalid: {error}. Correct it in {source}.") from error


@contextmanager
def exit_on_bad_setting() -> Iterator[None]:
    """Exit with one line instead of a traceback if a setting is invalid."""
    try:
        yield
    except ImproperlyConfigured as error:
        sys.exit(f"productbackend: {error}")


def buckets(**given: str | None) -> bool:
    """Whether files are stored in buckets. Raises ImproperlyConfigured unless all of these settings or none are set."""
    unset = [name for name, value in given.items() if value is None]
    if len(unset) == len(given):
        return False
    if unset:
        others = ", ".join(name for name in given if name not in unset)
        raise ImproperlyConfigured(f"With {others} these must be set too: {', '.join(unset)}.")
    if given["S3_ORIGINALS_BUCKET"] == given["S3_RENDITIONS_BUCKET"]:
        raise ImproperlyConfigured(
            "S3_ORIGINALS_BUCKET and S3_RENDITIONS_BUCKET must differ: the bucket of the renditions is public."
        )
    require("storages", "S3_ORIGINALS_BUCKET is set: pip install --requirement requirements-s3.txt first.")
    return True


# ISO 4217 codes whose smallest unit is not a hundredth.
NOT_TWO_DECIMALS = {
    "BHD", "BIF", "CLF", "CLP", "DJF", "GNF", "IQD", "ISK", "JOD", "JPY", "KMF", "KRW", "KWD", "LYD",
    "MGA", "MRU", "OMR", "PYG", "RWF", "TND", "UGX", "UYI", "UYW", "VND", "VUV", "XAF", "XOF", "XPF",
}  # fmt: skip


def check_payment_methods(
    methods: list[str], *, currency: str, site_url: str, stripe_key: str, stripe_webhook_secrets: list[str]
) -> None:
    """Raise ImproperlyConfigured if these methods do not fit the other settings."""
    if methods and currency in NOT_TWO_DECIMALS:
        raise ImproperlyConfigured(
            f"CURRENCY={currency} has no hundredths, and amounts have two decimals: unset PAYMENT_METHODS."
        )
    if "test" in methods and site_url.startswith("https://"):
        raise ImproperlyConfigured(
            f"PAYMENT_METHODS names test, by which anybody pays without money, and SITE_URL={site_url} is a real shop: "
            "remove test."
        )
    if "stripe" in methods:
        needed = {"STRIPE_SECRET_KEY": stripe_key, "STRIPE_WEBHOOK_SECRET": stripe_webhook_secrets}
        if unset := [name for name, value in needed.items() if not value]:
            raise ImproperlyConfigured(f"PAYMENT_METHODS names stripe, and these must be set too: {', '.join(unset)}.")
        require("stripe", "PAYMENT_METHODS names stripe: pip install --requirement requirements-stripe.txt first.")


def require(module: str, message: str) -> None:
    """Raise ImproperlyConfigured with `message` unless the module of an optional package is installed."""
    if find_spec(module) is None:
        raise ImproperlyConfigured(message)


def boolean(raw: str) -> bool:
    """Parse true, yes, on or 1; false, no, off or 0."""
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    try:
        return words[raw.lower()]
    except KeyError:
        raise ValueError("it takes true or false") from None


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a cast to a whole number from `minimum` to `maximum`."""

    def cast(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not minimum <= int(raw) <= maximum:
            raise ValueError(f"it takes a whole number from {minimum} to {maximum}")
        return int(raw)

    return cast


port = integer(1, 65535)


def comma_separated(raw: str) -> list[str]:
    """Parse a comma-separated list."""
    return [name for name in Csv()(raw) if name]


def one_of(*words: str) -> Callable[[str], str]:
    """Return a cast to one of these words."""

    def cast(raw: str) -> str:
        if raw.lower() not in words:
            raise ValueError(f"it takes {' or '.join(words)}")
        return raw.lower()

    return cast


def some_of(*words: str) -> Callable[[str], list[str]]:
    """Return a cast to a comma-separated list of these words, each at most once."""

    def cast(raw: str) -> list[str]:
        given = comma_separated(raw.lower())
        if not set(given) <= set(words) or len(given) != len(set(given)):
            raise ValueError(f"it takes some of {', '.join(words)}, comma-separated, each once")
        return given

    return cast


search_language = one_of(*snowballstemmer.algorithms(), "none")

PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10")


def networks(raw: str) -> list[IPv4Network | IPv6Network]:
    """Parse comma-separated networks, such as 10.1.0.0/16; `private` stands for the private networks."""
    if raw.lower() == "none":
        return []
    wanted = [
        network for name in comma_separated(raw) for network in (PRIVATE if name.lower() == "private" else (name,))
    ]
    try:
        return [ip_network(network) for network in wanted]
    except ValueError:
        raise ValueError("it takes comma-separated networks such as 10.1.0.0/16, private, or none") from None


def image_formats(raw: str) -> list[str]:
    """Parse the formats of renditions in addition to the picture's own; returns Pillow's names."""
    known = {"webp": "WEBP", "avif": "AVIF"}
    if raw.lower() == "none":
        return []
    try:
        return [known[name.lower()] for name in dict.fromkeys(comma_separated(raw))]
    except KeyError:
        raise ValueError("it takes webp, avif, both comma-separated, or none") from None


def renditions(raw: str) -> dict[str, dict[str, Any]]:
    """Parse the renditions of each picture: name -> the box in pixels, and the formats if given."""
    wanted: dict[str, dict[str, Any]] = {}
    for part in comma_separated(raw):
        found = re.fullmatch(r"([a-z][a-z0-9]{0,19}):([1-9][0-9]{0,4})x([1-9][0-9]{0,4})(?::([A-Za-z+]+))?", part)
        if found is None:
            raise ValueError(
                f"{part} is not like zoom:1600x1200 or zoom:1600x1200:webp+avif, with a name of up to 20 lower-case "
                "letters and digits"
            )
        name, width, height, formats = found.groups()
        if name in wanted:
            raise ValueError(f"{name} is repeated")
        wanted[name] = {"box": (int(width), int(height))}
        if formats:
            wanted[name]["formats"] = image_formats(formats.replace("+", ","))
    if missing := [name for name in ("full", "thumb") if name not in wanted]:
        raise ValueError(f"{' and '.join(missing)} must be among them, since the API has full and thumb")
    return wanted


def folder(raw: str) -> Path:
    """Parse the path of an existing folder; a relative one begins at the folder of manage.py."""
    path = Path(__file__).resolve().parent.parent / raw
    if not path.is_dir():
        raise ValueError("it takes the path of an existing folder")
    return path


def url(raw: str) -> str:
    """Parse an absolute http or https URL; returns it without a trailing slash."""
    if not re.fullmatch(r"https?://[^\s/?#]+(/\S*)?", raw):
        raise ValueError("it takes a URL that begins with https:// or http://")
    return raw.rstrip("/")


def product_url(raw: str) -> str:
    """Parse the pattern of a product's page: an absolute URL of ASCII characters with `{slug}` after its host."""
    if not raw.isascii() or not re.fullmatch(r"https?://[^\s/?#{}]+/[^\s{}]*\{slug\}[^\s{}]*", raw):
        raise ValueError("it takes a URL with {slug} after its host, such as https://shop.example/p/{slug}")
    return raw


LOCALHOST = "localhost"
LOCALHOST_ORIGIN = r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?\Z"


def origins(raw: str) -> list[str]:
    """Parse comma-separated origins: scheme, host, and a port that is not the scheme's own.

    `localhost` stands for any port of localhost and 127.0.0.1.
    """
    found = [name.lower() for name in comma_separated(raw)]
    for name in found:
        if name == LOCALHOST:
            continue
        if not re.fullmatch(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", name):
            raise ValueError(f"{name[:100]} is not an origin such as https://shop.example.com or http://localhost:5173")
        if name.endswith(":443" if name.startswith("https") else ":80"):
            raise ValueError(f"{name[:100]} has the scheme's own port, which browsers leave out")
    return found


def host(raw: str) -> str:
    """Parse a host name, an address or a socket's path; returns an IPv6 address without brackets."""
    name = raw[1:-1] if raw.startswith("[") and raw.endswith("]") else raw
    if ":" in name and not raw.startswith("/"):
        try:
            IPv6Address(name)
        except ValueError:
            raise ValueError("it takes a host name or address without a port") from None
    return name


def netloc(host: str, port: int) -> str:
    """The host and port of a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_ports(raw: str) -> list[tuple[str, int]]:
    """Parse a comma-separated list of hosts with ports."""
    found = [re.fullmatch(r"([A-Za-z0-9._-]+|\[[^\[\]]+\]):([0-9]+)", name) for name in comma_separated(raw)]
    if not all(found):
        raise ValueError("it takes comma-separated hosts with ports, such as one:26379,[2001:db8::2]:26379")
    return [(host(match[1]), port(match[2])) for match in found if match]


def redis_url(host: str, port: int, password: str, database: int, scheme: str = "redis") -> str:
    """The URL of a numbered database of a Redis server."""
    login = f":{quote(password, safe='')}@" if password else ""
    return f"{scheme}://{login}{netloc(quote(host, safe=':'), port)}/{database}"


LOCAL_PART = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}(?<!\.)")
DOMAIN = re.compile(r"(?=.{1,253}$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")


def sender(raw: str) -> str:
    """Parse the From address of mails, with or without a name; returns it quoted, with its domain in ASCII."""
    named = re.fullmatch(r"\s*(.*?)\s*<\s*([^<>]*?)\s*>\s*", raw)
    name, address = (named[1], named[2]) if named else ("", raw.strip())
    local, _, domain = address.rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        domain = ""
    if not LOCAL_PART.fullmatch(local) or not DOMAIN.fullmatch(domain) or not name.isprintable():
        raise ValueError("it takes an address such as mail@shop.example, or The Shop <mail@shop.example>")
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if not name:
        return f"{local}@{domain}"
    if not name.replace(" ", "").isalnum():
        escaped = re.sub(r'([\\"])', r"\\\1", name)
        name = f'"{escaped}"'
    return f"{name} <{local}@{domain}>"


def time_zone(raw: str) -> str:
    """Parse an IANA time zone, such as Europe/Berlin."""
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it takes an IANA time zone, such as Europe/Berlin") from None
    return raw


def currency(raw: str) -> str:
    """Parse an ISO 4217 code."""
    if not re.fullmatch("[A-Z]{3}", raw):
        raise ValueError("it takes an ISO 4217 code of three capital letters, such as EUR")
    return raw


def country(raw: str) -> str:
    """Parse an ISO 3166-1 alpha-2 code."""
    if raw not in COUNTRIES:
        raise ValueError("it takes an ISO 3166-1 code of two capital letters, such as DE")
    return raw


def rate(raw: str) -> str:
    """Parse a DRF throttle rate, such as 20/min."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)", raw):
        raise ValueError("it takes a rate such as 20/min, 30/hour or 5/s")
    return raw


def secrets(raw: str) -> list[str]:
    """Parse a comma-separated list of signing keys."""
    return [secret(key) for key in comma_separated(raw)]


def secret(raw: str) -> str:
    """Parse a signing key of at least 32 characters."""
    if len(raw) < 32:
        raise ValueError("it takes 32 or more random characters")
    return raw
