"""Only the body that was signed, with the secret, and lately, has a good signature."""

import pytest

from payments.test_provider import signing

pytestmark = pytest.mark.embedded

BODY = b'{"id": "tpe_1"}'
NOW = 1_800_000_000
SECRET = signing.event_secret("a key of the shop")


def is_signed(body: bytes = BODY, header: str | None = None, secret: str = SECRET, now: float = NOW) -> bool:
    return signing.is_signed(body, header or signing.sign(BODY, secret=SECRET, at=NOW), secret=secret, now=now)


def test_a_signature_is_good_for_five_minutes_in_both_directions() -> None:
    assert is_signed()
    assert is_signed(now=NOW + 300)
    assert is_signed(now=NOW - 300)
    assert not is_signed(now=NOW + 301)
    assert not is_signed(now=NOW - 301)


def test_another_body_or_secret_has_another_signature() -> None:
    assert not is_signed(body=BODY + b" ")
    assert not is_signed(secret=signing.event_secret("another key"))
    assert not is_signed(secret=signing.api_token("a key of the shop"))


def test_a_new_time_with_the_old_signature_is_refused() -> None:
    old = signing.sign(BODY, secret=SECRET, at=NOW - 1_000)
    assert not is_signed(header=old.replace(str(NOW - 1_000), str(NOW)))


@pytest.mark.parametrize(
    "header",
    ["x", "t=,v1=", "t=1", "v1=" + "a" * 64, "t=-5,v1=" + "a" * 64, "t=१,v1=" + "a" * 64, "t=" + "9" * 9_999 + ",v1=a"],
)
def test_a_malformed_header_is_refused(header: str) -> None:
    assert not is_signed(header=header)
