"""The migration of ratings: 5, the former default, becomes null; every other rating stays."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from products.models import Product
from tests import factories

pytestmark = pytest.mark.django_db

ratings = import_module("products.migrations.0013_ratings")


class Editor:
    connection = connection


def stored() -> list[float | None]:
    return list(Product.objects.order_by("pk").values_list("rating", flat=True))


def test_what_was_typed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings, "SLICE", 2)
    for number, rating in enumerate((5, 4.9, 0.1, None, 5)):
        factories.product(f"p{number}", rating=rating)
    ratings.forget_defaults(apps, Editor)
    assert stored() == [None, 4.9, 0.1, None, None]
    ratings.restore_defaults(apps, Editor)
    assert stored() == [5, 4.9, 0.1, 5, 5]
