"""The second factor of staff: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

django-otp stores both and checks them: a device's row is locked while a code is checked, and a code works once.
"""

import hashlib
import logging
import re
import secrets
from base64 import b32encode

from django.conf import settings
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from accounts import notices
from accounts.models import User
from accounts.profile import locked_user
from productbackend.database.transactions import atomic_with_retry
from productbackend.doctor.findings import Findings, good, warn
from productbackend.errors import InvalidValue

logger = logging.getLogger(__name__)

RECOVERY_CODES = 10
CODE_MAX = 40  # characters as typed
NAME = "second factor"  # of the devices' rows
TOTP_CODE = re.compile("[0-9]{6}", re.ASCII)
RECOVERY_BYTES = 10  # 80 bits, of a code and of its hash: what the column of django-otp holds
RECOVERY_COST = 2**14  # of scrypt: 16 MB and some 50 ms for each code


def is_set_up(user: User) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def recovery_codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


def new_key() -> str:
    """Return a random key of 160 bits, in hexadecimal digits."""
    return str(default_key())


def key_text(key: str) -> str:
    """Return the key as people type it into an app: in base32, in groups of four."""
    return _in_groups(b32encode(bytes.fromhex(key)).decode())


def key_url(user: User, key: str) -> str:
    """Return the otpauth:// address of the key, for a QR code."""
    return str(TOTPDevice(user=user, key=key).config_url)


def set_up(*, user: User, key: str, code: str) -> list[str]:
    """Store the key if `code` is one of its current codes; return the recovery codes, which are not stored as such.

    It revokes every token and session of the account, which began without it. Raises InvalidValue if the code is wrong
    or a second factor is set up already.
    """
    codes = _new_codes(user)
    _set_up(user, key, _normalized(code), list(codes.values()))
    return list(codes)


@atomic_with_retry
def _set_up(user: User, key: str, typed: str, recovery: list[str]) -> None:
    locked = locked_user(user)
    if is_set_up(locked):
        raise InvalidValue(None, "invalid", "A second factor is set up already.")
    device = TOTPDevice.objects.create(user=locked, name=NAME, key=key)
    if not TOTP_CODE.fullmatch(typed) or not device.verify_token(typed):
        raise InvalidValue("code", "incorrect", "This code is wrong. Type the one that the app shows now.")
    _revoke_sessions(locked)
    notices.enqueue(notices.SET_UP_KIND, locked)
    logger.info("The second factor of account %s was set up", locked.pk)
    _replace_recovery_codes(locked, recovery)


def use_code(*, user: User, code: str) -> bool:
    """Return whether it is a current code of the app or an unused recovery code. It works once, also concurrently."""
    typed = _normalized(code)
    if TOTP_CODE.fullmatch(typed):
        return _use(TOTPDevice, user, typed)
    return _use(StaticDevice, user, _stored(user, typed))


@atomic_with_retry
def _use(model: type[TOTPDevice | StaticDevice], user: User, token: str) -> bool:
    device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
    return device is not None and bool(device.verify_token(token))


def renew_recovery_codes(*, user: User) -> list[str]:
    """Replace the recovery codes and return them. The caller has checked the password and a code of `user`."""
    codes = _new_codes(user)
    _renew(user, list(codes.values()))
    return list(codes)


@atomic_with_retry
def _renew(user: User, recovery: list[str]) -> None:
    locked = locked_user(user)
    if not is_set_up(locked):
        raise InvalidValue(None, "invalid", "No second factor is set up.")
    notices.enqueue(notices.CODES_KIND, locked)
    _replace_recovery_codes(locked, recovery)


@atomic_with_retry
def turn_off(*, user: User) -> bool:
    """Delete the second factor; return whether there was one. The caller has checked the password and a code."""
    locked = locked_user(user)
    removed, _ = TOTPDevice.objects.filter(user=locked).delete()
    StaticDevice.objects.filter(user=locked).delete()
    if removed:
        notices.enqueue(notices.REMOVED_KIND, locked)
        logger.info("The second factor of account %s was removed", locked.pk)
    return bool(removed)


@atomic_with_retry
def reset(*, user: User) -> bool:
    """Delete the second factor of somebody who lost it, and revoke every token and session of the account.

    Whoever found the phone may be signed in. Returns whether there was a second factor.
    """
    locked = locked_user(user)
    if not turn_off(user=locked):
        return False
    _revoke_sessions(locked)
    return True


def missing() -> Findings:
    """The doctor's check: superusers without a second factor in a shop that requires it."""
    if settings.STAFF_TWO_FACTOR != "required":
        yield good(f"STAFF_TWO_FACTOR is {settings.STAFF_TWO_FACTOR}")
        return
    secured = TOTPDevice.objects.filter(confirmed=True).values("user")
    number = User.objects.filter(is_superuser=True, is_staff=True, is_active=True).exclude(pk__in=secured).count()
    if number:
        yield warn(f"{number} superuser(s) without a second factor: whoever signs in first by the password sets it")
    else:
        yield good("every superuser has a second factor")


def _revoke_sessions(locked: User) -> None:
    locked.token_version += 1
    locked.save(update_fields=["token_version"])


def _replace_recovery_codes(locked: User, recovery: list[str]) -> None:
    StaticDevice.objects.filter(user=locked).delete()
    device = StaticDevice.objects.create(user=locked, name=NAME)
    StaticToken.objects.bulk_create(StaticToken(device=device, token=token) for token in recovery)


def _new_codes(user: User) -> dict[str, str]:
    """Return new recovery codes, each with what is stored of it. Called in no transaction: the hash is slow."""
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    return {_in_groups(code): _stored(user, code) for code in codes}


def _stored(user: User, code: str) -> str:
    """Return what is stored of a recovery code: its scrypt hash, with the account as salt, so that it can be found."""
    salt = f"recovery code of {user.pk}".encode()
    return b32encode(hashlib.scrypt(code.encode(), salt=salt, n=RECOVERY_COST, r=8, p=1, dklen=RECOVERY_BYTES)).decode()


def _normalized(code: str) -> str:
    """Remove the spaces and hyphens of a typed code."""
    return re.sub(r"[\s-]", "", code[:CODE_MAX]).lower()


def _in_groups(text: str) -> str:
    return "-".join(text[first : first + 4] for first in range(0, len(text), 4))
