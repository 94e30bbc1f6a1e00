"""One code that is used concurrently signs in once. `make test-services` runs this on MySQL too."""

from collections.abc import Iterator
from functools import partial
from threading import Barrier

import pytest
import time_machine
from django.test import Client, RequestFactory
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import networks, two_factor
from accounts.models import SignInNetwork, User
from outbox.models import Mail
from tests import factories
from tests.accounts.phones import CODE, Phone, phone_of, typed_password
from tests.concurrently import run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


@pytest.fixture
def stella() -> User:
    user: User = factories.user("stella", is_staff=True, is_superuser=True)
    return user


def signed_in_by(code: str) -> list[Client]:
    """The clients of 8 that got in with the code."""
    clients = [typed_password() for _ in range(THREADS)]
    run_concurrently([partial(client.post, CODE, {"code": code}) for client in clients])
    return [client for client in clients if client.get("/admin/").status_code == 200]


def test_one_of_eight_uses_a_code(stella: User) -> None:
    assert len(signed_in_by(phone_of(stella).code())) == 1


@pytest.mark.thorough
def test_one_of_eight_uses_a_recovery_code(stella: User) -> None:
    phone_of(stella)
    code, *_ = two_factor.renew_recovery_codes(user=stella)
    assert len(signed_in_by(code)) == 1
    assert two_factor.recovery_codes_left(stella) == 9


def test_control_without_the_lock_several_use_a_code(stella: User) -> None:
    """Control: django-otp's devices, all read before one of them is written."""
    code = phone_of(stella).code()
    read = Barrier(THREADS)

    def use() -> bool:
        device = TOTPDevice.objects.get(user=stella)
        read.wait(timeout=60)
        return bool(device.verify_token(code))

    assert run_concurrently([use] * THREADS).count(True) > 1


def test_control_without_the_lock_several_use_a_recovery_code(stella: User) -> None:
    device = StaticDevice.objects.create(user=stella, name="codes")
    StaticToken.objects.create(device=device, token="once")
    read = Barrier(THREADS)

    def use() -> bool:
        """What django-otp's device does: it does not look whether the DELETE found the row."""
        found = device.token_set.filter(token="once").first()
        read.wait(timeout=60)
        if found is not None:
            found.delete()
        return found is not None

    assert run_concurrently([use] * THREADS).count(True) == THREADS


@pytest.fixture
def stopped_clock() -> Iterator[None]:
    """Codes stay valid, however long eight threads take to hash eighty recovery codes."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.mark.thorough
@pytest.mark.usefixtures("stopped_clock")
def test_one_of_eight_sets_up(stella: User) -> None:
    phones = [Phone(two_factor.new_key()) for _ in range(THREADS)]
    calls = [partial(two_factor.set_up, user=stella, key=phone.key, code=phone.code()) for phone in phones]
    outcomes = run_concurrently(calls)
    assert sum(isinstance(outcome, list) for outcome in outcomes) == 1
    assert TOTPDevice.objects.filter(user=stella).count() == 1


def test_concurrent_sign_ins_from_one_new_network_are_one_notice(stella: User) -> None:
    def record(address: str) -> None:
        networks.record_sign_in(user=stella, request=RequestFactory().get("/", REMOTE_ADDR=address))

    record("192.0.2.1")
    assert run_concurrently([partial(record, "198.51.100.1")] * THREADS) == [None] * THREADS
    assert SignInNetwork.objects.count() == 2
    assert Mail.objects.filter(kind="new-network").count() == 1
