"""Mails and accounts in the admin."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orders.models import Order
from outbox.models import Mail
from tests import factories
from tests.site.pages import confirm, create_rows, run_action, url

pytestmark = pytest.mark.django_db


def test_a_mail_is_sent_again(admin_client: Client) -> None:
    create_rows(1)
    Mail.objects.update(status="failed", attempts=5)
    page = run_action(admin_client, "outbox.mail", "send_again", Mail.objects.get().pk)
    assert "1 mail will be sent again" in page
    assert Mail.objects.get().status == "failed"
    assert "1 will be sent by the worker" in confirm(admin_client, "outbox.mail", page)
    mail = Mail.objects.get()
    assert (mail.status, mail.attempts) == ("pending", 0)


def test_a_new_account_has_a_name_that_is_unique_ignoring_case(admin_client: Client) -> None:
    data = {"username": "Carla", "password1": "a long enough one", "password2": "a long enough one"}
    page = url("accounts.user", "add")
    assert admin_client.post(page, data | {"email": "Carla@Example.com"}).status_code == 302
    assert "This name is taken" in admin_client.post(page, data | {"username": "CARLA"}).content.decode()
    taken = data | {"username": "Clara", "email": "carla@example.COM"}
    assert "This address is taken" in admin_client.post(page, taken).content.decode()
    assert admin_client.post(page, data | {"username": "noaddress"}).status_code == 302


def test_a_name_with_a_link_is_rejected(admin_client: Client) -> None:
    page = url("accounts.user", "change", factories.user("carla").pk)
    data = {"username": "carla", "is_active": "on", "first_name": "www.evil.example", "last_name": "http://x"}
    assert admin_client.post(page, data).content.decode().count("Links are not allowed") == 2
    password = {"password1": "a long enough one", "password2": "a long enough one"}
    answer = admin_client.post(url("accounts.user", "add"), {"username": "www.evil.example", **password})
    assert "Links are not allowed" in answer.content.decode()


def test_an_account_is_changed_and_a_new_password_ends_its_tokens(admin_client: Client) -> None:
    user = factories.user("carla")
    page = url("accounts.user", "change", user.pk)
    data = {"username": "Carlotta", "email": "", "is_active": "on"}
    assert admin_client.post(page, data).status_code == 302
    user.refresh_from_db()
    assert (user.username, user.username_key, user.email, user.token_version) == ("Carlotta", "carlotta", None, 0)
    password = {"password1": "a long enough one", "password2": "a long enough one", "usable_password": "true"}
    admin_client.post(reverse("admin:auth_user_password_change", args=[user.pk]), password)
    user.refresh_from_db()
    assert user.check_password("a long enough one")
    assert user.token_version == 1


def test_deleting_an_account_closes_it_and_keeps_its_orders(admin_client: Client) -> None:
    create_rows(1)
    order = Order.objects.get()
    admin_client.post(url("accounts.user", "delete", order.user_id), {"post": "yes"})
    order.refresh_from_db()
    assert order.user is None


def test_the_page_of_a_customer_links_to_their_orders_with_what_they_paid(admin_client: Client) -> None:
    carla, otto = factories.user("carla"), factories.user("otto")
    page = url("accounts.user", "change", carla.pk)
    assert "Orders: 0</a>" in admin_client.get(page).content.decode()
    rows = [("paid", 1000, 0), ("fulfilled", "234.50", "4.50"), ("cancelled", 50, 50), ("pending", 70, 0)]
    for number, (status, total, refunded) in enumerate(rows):
        amounts = {"total": total, "refunded": refunded, "currency": "EUR"}
        Order.objects.create(number=f"N{number}", cart_id=number, status=status, user=carla, **amounts)
    Order.objects.create(number="OTTO", cart_id=9, status="paid", user=otto, total=5, currency="EUR")
    content = admin_client.get(page).content.decode()
    link = f"{url('orders.order', 'changelist')}?user__id__exact={carla.pk}"
    assert f'<a href="{link}">Orders: 4, 1,230.00 EUR</a>' in content
    listed = admin_client.get(link).content.decode()
    assert [number in listed for number in ("N0", "N1", "N2", "N3", "OTTO")] == [True] * 4 + [False]
    reader = factories.user("rita", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename="view_user"))
    admin_client.force_login(reader)
    assert "Orders: " not in admin_client.get(page).content.decode()
