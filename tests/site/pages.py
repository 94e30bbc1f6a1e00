"""Helpers for the admin's pages."""

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from carts.models import Cart, CartItem
from products.images import lifecycle
from tests import factories
from tests.products import pictures


def url(model: str, page: str, *arguments: Any) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_{page}", args=arguments)


def run_action(
    client: Client, model: str, action: str, pk: int, across: bool = False, query: str = "", **more: str
) -> str:
    """Run an action on a row, or on all rows; return the page."""
    data = {"action": action, "_selected_action": [pk], "select_across": int(across), "index": 0, **more}
    return client.post(url(model, "changelist") + query, data, follow=True).content.decode()


def confirm(client: Client, model: str, page: str, query: str = "") -> str:
    """Submit the confirmation page; return the next page."""
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert form["post"] == "yes"
    return client.post(url(model, "changelist") + query, form, follow=True).content.decode()


def create_rows(rows: int, prefix: str = "") -> None:
    """Create so many rows of each model."""
    for number in range(rows):
        name = f"{prefix}{number}"
        root = factories.category(f"root {name}")
        category = factories.category(f"leaf {name}", parent=root)
        product = factories.product(f"shoe {name}", category=category, brand="Merrow")
        image, _ = lifecycle.add(product_id=product.pk, file=SimpleUploadedFile("a.jpg", pictures.jpeg(200, 150)))
        lifecycle.process(image.pk)
        for kind in ("ordered", "waiting"):
            cart = Cart.objects.create(user=factories.user(f"{kind}{name}"))
            CartItem.objects.create(cart=cart, product=product, quantity=2)
            if kind == "ordered":
                cart.completed = True
                cart.save()
