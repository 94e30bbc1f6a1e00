"""A sign-in of staff from a new network sends a notice; networks are forgotten after 90 days."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import networks
from accounts.models import SignInNetwork
from accounts.tasks import clear_sessions
from tests import factories
from tests.accounts.phones import CODE, phone_of, signed_in, typed_password
from tests.mail import deliver
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db

HOME, NEAR, AWAY = "192.0.2.1", "192.0.2.200", "198.51.100.1"


def subjects() -> list[str]:
    return [str(mail.subject) for mail in deliver()]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (HOME, "192.0.2.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert networks.network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network


def test_a_new_network_is_a_notice_once(api: APIClient) -> None:
    stella = factories.user("stella", is_staff=True, email_verified=True)
    sign_in(api, "stella", REMOTE_ADDR=HOME)
    typed_password(REMOTE_ADDR=NEAR)
    assert subjects() == []  # the first one, and the same one
    typed_password(REMOTE_ADDR=AWAY)
    (mail,) = deliver()
    assert mail.to == [stella.email]
    assert "A sign-in from a new network" in mail.subject
    assert "from the network 198.51.100.0/24" in str(mail.body)
    assert "your account stella" in str(mail.body)
    for address in (HOME, AWAY):
        sign_in(api, "stella", REMOTE_ADDR=address)
    assert subjects() == []
    sign_in(api, "stella", REMOTE_ADDR="203.0.113.1")
    assert len(subjects()) == 1


def test_only_a_completed_sign_in_counts(api: APIClient) -> None:
    phone = phone_of(factories.user("stella", is_staff=True))
    signed_in(phone, REMOTE_ADDR=HOME)
    away = typed_password(REMOTE_ADDR=AWAY)
    away.post(CODE, {"code": phone.wrong()})
    sign_in(api, "stella", "wrong", REMOTE_ADDR=AWAY)
    assert (subjects(), SignInNetwork.objects.count()) == ([], 1)
    away.post(CODE, {"code": phone.code(ahead=1)})
    assert len(subjects()) == 1


def test_no_network_of_a_customer_is_stored(api: APIClient) -> None:
    factories.user("carla")
    for address in (HOME, AWAY):
        assert sign_in(api, "carla", REMOTE_ADDR=address).status_code == 200
    assert not SignInNetwork.objects.exists()


def test_old_networks_are_deleted_but_the_last(api: APIClient) -> None:
    factories.user("stella", is_staff=True)
    sign_in(api, "stella", REMOTE_ADDR=HOME)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        sign_in(api, "stella", REMOTE_ADDR=AWAY)
    deliver()
    with time_machine.travel(timezone.now() + timedelta(days=89)):
        clear_sessions()
        assert SignInNetwork.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        clear_sessions()
        assert [row.network for row in SignInNetwork.objects.all()] == ["198.51.100.0/24"]
        # A thief who finds an account that was not used for a year is noticed.
        sign_in(api, "stella", REMOTE_ADDR="203.0.113.1")
        assert len(subjects()) == 1


def test_closing_the_account_deletes_its_networks(api: APIClient, settings: Any) -> None:
    stella = factories.user("stella", is_staff=True)
    phone_of(stella)
    access = sign_in(api, "stella", REMOTE_ADDR=HOME).json()["access"]
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    assert api.delete("/account/", {"password": factories.PASSWORD}).status_code == 204
    assert not SignInNetwork.objects.exists()
