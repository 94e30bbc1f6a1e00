"""Canonicalizes e-mail addresses, so that each mailbox has one spelling."""

import ipaddress
import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LENGTH_MAX = 254
LABEL_MAX = 63  # between two dots
PREFIX = "xn--"
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
ATOMS = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def canonical_address(text: str) -> str:
    """Canonicalize an address: lower case, the domain in ASCII (IDNA), no needless quotes.

    An invalid address, or one without an ASCII form, is returned in lower case: no account has it, and
    `validate_address` rejects it.
    """
    text = text.strip()
    if len(text) > LENGTH_MAX:
        return text
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    local, at, domain = text.lower().rpartition("@")
    return f"{_local(local)}@{_domain(domain)}" if at else domain


def validate_address(text: str) -> None:
    """Raise ValidationError if `text` is no address or has no ASCII form, for example with zero-width characters."""
    address = canonical_address(text)
    if not address.isascii():
        raise ValidationError(validate_email.message, code="invalid", params={"value": text})
    validate_email(address)


def _local(local: str) -> str:
    """The part before the @, without quotes unless it needs them."""
    quoted = QUOTED.fullmatch(local)
    bare = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else local
    return bare if ATOMS.fullmatch(bare) else local


def _domain(domain: str) -> str:
    if domain.startswith("[") and domain.endswith("]"):
        try:
            return f"[{ipaddress.ip_address(domain[1:-1])}]"
        except ValueError:
            return domain
    return ".".join(map(_label, domain.replace("。", ".").split(".")))


def _label(label: str) -> str:
    """A label of a domain in ASCII. Python's idna codec maps ß to ss, which is another domain."""
    if label.startswith(PREFIX):
        return label if len(label) <= LABEL_MAX and _is_canonical(label) else "-"  # an invalid label
    if label.isascii() or len(label) > LABEL_MAX or any(unicodedata.category(each)[0] in "CZ" for each in label):
        return label
    return PREFIX + unicodedata.normalize("NFC", label).encode("punycode").decode("ascii")


def _is_canonical(label: str) -> bool:
    """Whether encoding the decoded label gives the same label: it must not decode to ASCII or to capitals."""
    try:
        text = label.removeprefix(PREFIX).encode("ascii").decode("punycode")
    except UnicodeError:
        return False
    return not text.isascii() and _label(unicodedata.normalize("NFKC", text).lower()) == label
