"""The admin's home page: what waits, and the parts that apps add."""

import pytest
from django.http import HttpRequest
from django.test import Client

from productbackend.site import home
from productbackend.site.home import Waiting

pytestmark = pytest.mark.django_db


def test_a_number_that_was_not_counted_to_its_end_says_so() -> None:
    texts = [Waiting("Mails", number, "/", at_most=5_000).text for number in (0, 4_999, 5_000)]
    assert texts == ["0", "4,999", "5,000 or more"]
    assert Waiting("Jobs", 5_000, "/").text == "5,000"


def test_what_apps_add_is_escaped(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def added(request: HttpRequest) -> Waiting:
        return Waiting("<b>", 1, '/"x')

    monkeypatch.setattr(home, "WAITING", [added, lambda request: None])
    page = admin_client.get("/admin/").content.decode()
    assert '<li class="waits"><a href="/&quot;x"><strong>1</strong> &lt;b&gt;</a></li>' in page


def test_an_app_has_its_models_alone(admin_client: Client) -> None:
    assert "home-tiles" in admin_client.get("/admin/").content.decode()
    page = admin_client.get("/admin/products/").content.decode()
    assert "home-tiles" not in page
    assert "Stock movements" in page
