"""What the home page says of the sitemap and the feed."""

from typing import Any

import pytest
from django.test import Client

from backoffice.feeds import building
from tests import factories
from tests.backoffice.feeds.reading import picture
from tests.backoffice.people import member

pytestmark = pytest.mark.django_db


def home(client: Client) -> str:
    return " ".join(client.get("/admin/").content.decode().split())


def test_staff_see_what_was_left_out(settings: Any, client: Client) -> None:
    client.force_login(member("products.view_product"))
    assert "not written yet" in home(client)
    picture(factories.product("Lamp"))
    factories.product("No picture")
    picture(factories.product("Free", price=0))
    building.make()
    page = home(client)
    assert '<a href="/sitemap.xml">Sitemap</a>: 3 products.' in page
    assert "Left out of the feed: 1 without a picture, 1 without a price." in page
    settings.SHOP_PRODUCT_URL = None
    assert "Sitemap" not in home(client)


def test_others_do_not(client: Client) -> None:
    client.force_login(member("orders.view_order"))
    assert "Sitemap" not in home(client)
