"""Factories of rows for tests."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hasher, make_password

from delivery.models import DeliveryMethod
from products.models import Category, Family, Product
from taxes.models import TaxRate
from tests.passwords import PASSWORD

_hash = cache(make_password)


def user(username: str = "carla", **fields: Any) -> Any:
    """Create an account with the password `PASSWORD`. Its hash is cached, since hashing is slow by design."""
    fields.setdefault("email", f"{username}@example.com")
    hashed = _hash(PASSWORD, hasher=get_hasher().algorithm)
    return get_user_model().objects.create(username=username, password=hashed, **fields)


def account(username: str = "carla") -> Any:
    """The account of that name as it is stored now."""
    return get_user_model().objects.get(username=username)


def category(name: str = "Shoes", **fields: Any) -> Category:
    return Category.objects.create(name=name, **fields)


def product(name: str = "Red shoe", **fields: Any) -> Product:
    fields.setdefault("quantity", 10)
    fields.setdefault("price", Decimal("19.90"))
    return Product.objects.create(name=name, **fields)


def family(name: str = "Shirt", axes: Sequence[str] = ("Size",), **fields: Any) -> Family:
    return Family.objects.create(name=name, axes=list(axes), **fields)


def member(family: Family, *values: str, **fields: Any) -> Product:
    """A product of the family with these values of its first axes."""
    options = dict(zip(family.axes, values, strict=False))
    name = fields.pop("name", ", ".join([family.name, *values]))
    return product(name, family=family, options=options, **fields)


def delivery_method(code: str = "parcel", **fields: Any) -> DeliveryMethod:
    fields.setdefault("price", Decimal("4.90"))
    return DeliveryMethod.objects.create(code=code, **{"name": code.capitalize()} | fields)


def tax_rate(rate: str = "19", country: str = "DE", **fields: Any) -> TaxRate:
    fields.setdefault("valid_from", date(2020, 1, 1))
    return TaxRate.objects.create(rate=Decimal(rate), country=country, **fields)
