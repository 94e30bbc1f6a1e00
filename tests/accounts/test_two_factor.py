"""The second factor by command, doctor and setting."""

import hashlib
import logging
from base64 import b32encode
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import two_factor
from productbackend import environment
from productbackend.doctor.findings import REGISTERED
from productbackend.environment import Environment
from productbackend.errors import InvalidValue
from tests import factories
from tests.accounts.phones import phone_of, signed_in, typed_password
from tests.mail import deliver
from tests.signing_in import client_of

pytestmark = pytest.mark.django_db


def test_the_command_removes_a_lost_second_factor(caplog: Any) -> None:
    stella = factories.user("stella", is_staff=True, is_superuser=True)
    phone = phone_of(stella)
    two_factor.renew_recovery_codes(user=stella)
    session, token = signed_in(phone), client_of(stella)
    deliver()
    caplog.set_level(logging.INFO)
    out = StringIO()
    call_command("reset_two_factor", "Stella@example.com", stdout=out)
    assert f"account {stella.pk} was removed" in out.getvalue()
    assert f"The second factor of account {stella.pk} was removed" in caplog.text
    assert phone.key not in caplog.text
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()
    assert session.get("/admin/").status_code == 302  # whoever found the phone may be signed in
    assert token.get("/account/").status_code == 401
    assert [mail.subject for mail in deliver()] == ["Your second factor at Product Backend was removed"]
    assert typed_password().get("/admin/").status_code == 200


def test_the_command_changes_nothing_else() -> None:
    stella = factories.user("stella", is_staff=True)
    for name, message in (("nobody", "No account"), ("stella", "has no second factor")):
        with pytest.raises(CommandError, match=message):
            call_command("reset_two_factor", name)
    stella.refresh_from_db()
    assert stella.token_version == 0
    assert deliver() == []


def test_doctor_counts_superusers_without_one(settings: Any) -> None:
    (check,) = [check for check in REGISTERED if check.name == "second factor"]
    stella = factories.user("stella", is_staff=True, is_superuser=True)
    factories.user("otto", is_staff=True)
    factories.user("gone", is_staff=True, is_superuser=True, is_active=False)
    assert [finding.level for finding in check.run()] == ["good"]
    settings.STAFF_TWO_FACTOR = "required"
    (finding,) = check.run()
    assert finding.level == "warn"
    assert finding.text.startswith("1 superuser(s) without a second factor")
    phone_of(stella)
    assert [finding.level for finding in check.run()] == ["good"]


def test_a_wrong_value_of_the_setting_is_one_line(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("STAFF_TWO_FACTOR", "always")
    cast = environment.one_of("off", "optional", "required")
    with pytest.raises(
        ImproperlyConfigured, match="STAFF_TWO_FACTOR=always is invalid: it takes off or optional or required"
    ):
        Environment(tmp_path / ".env")("STAFF_TWO_FACTOR", "optional", cast)


def test_a_second_one_is_refused() -> None:
    stella = factories.user("stella", is_staff=True)
    phone = phone_of(stella)
    with pytest.raises(InvalidValue, match="already"):
        two_factor.set_up(user=stella, key=phone.key, code=phone.code())
    assert TOTPDevice.objects.count() == 1


@pytest.mark.real_passwords
def test_a_recovery_code_is_stored_as_its_scrypt_hash() -> None:
    stella = factories.user("stella", is_staff=True)
    phone_of(stella)
    code = two_factor.renew_recovery_codes(user=stella)[0].replace("-", "").encode()
    salt = f"recovery code of {stella.pk}".encode()
    stored = b32encode(hashlib.scrypt(code, salt=salt, n=2**14, r=8, p=1, dklen=10)).decode()
    assert StaticToken.objects.filter(token=stored).count() == 1


def test_a_recovery_code_has_80_bits() -> None:
    stella = factories.user("stella", is_staff=True)
    phone_of(stella)
    for code in two_factor.renew_recovery_codes(user=stella):
        assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
        assert set(code) <= set("abcdefghijklmnopqrstuvwxyz234567-")
