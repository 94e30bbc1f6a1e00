"""Orders that were placed at given times, and what their lists show."""

import re
from datetime import datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import time_machine
from django.test import Client

from accounts.models import User
from orders.models import Order
from products.models import Product
from tests import factories
from tests.orders.placed import place

BERLIN = "Europe/Berlin"


def local(text: str, **more: Any) -> datetime:
    """The time in Berlin, such as `2026-10-25 02:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN), **more)


def sell(moment: datetime, *lines: tuple[Product, int], **columns: Any) -> Order:
    """An order that was placed at that time; without lines, of one piece of a new product for 19.90."""
    if not User.objects.filter(username="carla").exists():
        factories.user("carla")
    with time_machine.travel(moment, tick=False):
        number = place("carla", *(lines or [(factories.product(), 1)]))
        Order.objects.filter(number=number).update(**columns)
    return Order.objects.get(number=number)


def listed(client: Client, url: str) -> list[str]:
    """The numbers of the orders in the list at this URL."""
    response = client.get(url)
    assert response.status_code == 200, url
    return re.findall(r'/change/[^"]*">([2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4})</a>', response.content.decode())


def note(client: Client, url: str) -> str:
    """The sentence above the list of orders."""
    [text] = re.findall(r'<p class="list-note">(.*?)</p>', client.get(url).content.decode())
    return unescape(text)


def tiles(page: str) -> dict[str, tuple[str, str]]:
    """The figures of the home page with their links: label -> text, URL. Labels of sales are after their heading."""
    found = {}
    parts = re.findall(r'<h[23][^>]*>([^<]*)</h[23]>\s*<ul class="home-tiles">(.*?)</ul>', page, re.DOTALL)
    for heading, part in parts:
        for url, text, label in re.findall(r'<a href="([^"]*)"><strong>(.*?)</strong> (.*?)</a>', part):
            found[label if heading == "To do" else f"{heading}: {label}"] = (text, unescape(url))
    return found
