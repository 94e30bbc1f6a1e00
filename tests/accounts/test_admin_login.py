"""The sign-in page of the admin, and its page for a new password."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests import factories
from tests.passwords import NEW_PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("few_free_guesses")
def test_the_admin_form_shows_the_wait() -> None:
    factories.user("stella", is_staff=True)
    client = Client()
    body = {"username": "stella", "password": "wrong"}
    responses = [client.post("/admin/login/", body) for _ in range(6)]
    assert [response.status_code for response in responses] == [200] * 5 + [429]
    assert 0 < int(responses[-1]["Retry-After"]) <= 61
    assert "Too many passwords were tried. Try again in" in responses[-1].content.decode()
    assert not LogEntry.objects.exists()


def test_the_correct_password_signs_in_to_the_admin_and_changes_it() -> None:
    user = factories.user("stella", is_staff=True, pending_email="new@example.com")
    client = Client()
    assert client.post("/admin/login/", {"username": "stella", "password": factories.PASSWORD}).status_code == 302
    body = {"old_password": factories.PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post("/admin/password_change/", body)["Location"] == "/admin/password_change/done/"
    assert client.get("/admin/").status_code == 200  # this session stays valid
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert (user.pending_email, user.token_version) == (None, 1)
    assert Client().get("/admin/password_change/").status_code == 302
