"""Rows that tests start from, made as the shop makes them."""

from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hasher, make_password

from products.models import Category, Product

PASSWORD = "correct horse battery"
_hash = cache(make_password)


def user(username: str = "carla", **fields: Any) -> Any:
    """An account whose password is `PASSWORD`; hashed once for all, since hashing is slow on purpose."""
    fields.setdefault("email", f"{username}@example.com")
    hashed = _hash(PASSWORD, hasher=get_hasher().algorithm)
    return get_user_model().objects.create(username=username, password=hashed, **fields)


def category(name: str = "Shoes", **fields: Any) -> Category:
    return Category.objects.create(name=name, **fields)


def product(name: str = "Red shoe", **fields: Any) -> Product:
    fields.setdefault("quantity", 10)
    fields.setdefault("price", "19.90")
    return Product.objects.create(name=name, **fields)
