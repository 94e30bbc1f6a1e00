"""Ways to pay that do not fit the other settings stop the start with one line."""

import runpy
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from productbackend import environment

pytestmark = pytest.mark.embedded

SOURCE = settings.BASE_DIR / "productbackend" / "settings.py"
STRIPE = {
    "PAYMENT_METHODS": "stripe",
    "STRIPE_SECRET_KEY": "sk_live_hunter2",
    "STRIPE_WEBHOOK_SECRET": "whsec_hunter2,whsec_hunter3",
    "SITE_URL": "https://shop.example.com",
}


def read(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> dict[str, Any]:
    monkeypatch.delenv("MYSQL_HOST", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(SOURCE))


def test_stripe_with_two_webhook_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    made = read(monkeypatch, STRIPE)
    assert made["PAYMENT_METHODS"] == ["stripe"]
    assert made["STRIPE_WEBHOOK_SECRETS"] == ["whsec_hunter2", "whsec_hunter3"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (STRIPE | {"STRIPE_SECRET_KEY": ""}, "must be set too: STRIPE_SECRET_KEY."),
        (STRIPE | {"STRIPE_WEBHOOK_SECRET": ""}, "must be set too: STRIPE_WEBHOOK_SECRET."),
        (STRIPE | {"STRIPE_WEBHOOK_SECRET": ","}, "must be set too: STRIPE_WEBHOOK_SECRET."),
        ({"PAYMENT_METHODS": "transfer,test", "SITE_URL": "https://shop.example.com"}, "remove test"),
        *(
            ({"PAYMENT_METHODS": "transfer", "CURRENCY": code}, f"CURRENCY={code} has no hundredths")
            for code in ("JPY", "KWD", "CLF", "MGA")
        ),
        ({"PAYMENT_METHODS": "cheque"}, "PAYMENT_METHODS=cheque is invalid"),
        ({"PAYMENT_METHODS": "test,test"}, "each once"),
    ],
)
def test_bad_combinations(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        read(monkeypatch, given)
    assert message in str(raised.value)
    assert "hunter" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_stripe_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None if name == "stripe" else name)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-stripe\.txt"):
        read(monkeypatch, STRIPE)


@pytest.mark.parametrize(
    "given",
    [
        {"CURRENCY": "JPY"},
        {"PAYMENT_METHODS": "test", "SITE_URL": "http://shop.example.com"},
        {"PAYMENT_METHODS": "transfer", "SITE_URL": "https://shop.example.com"},
    ],
)
def test_good_combinations(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    assert read(monkeypatch, given)["PAYMENT_HOLD_MINUTES"] == 30
