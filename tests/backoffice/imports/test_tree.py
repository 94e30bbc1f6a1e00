"""Categories that a file names."""

import pytest

from backoffice.imports.columns import Unreadable
from backoffice.imports.tree import Tree
from products.models import Category
from tests import factories

pytestmark = pytest.mark.django_db


def test_missing_levels_are_created_once() -> None:
    home = factories.category("Home")
    tree = Tree()
    assert tree.missing(["home"]) == ""
    assert tree.missing(["Home", "La > mps", "Small"]) == r"Home > La \> mps"
    assert Category.objects.count() == 1
    factories.category("Lamps", parent=home)  # by a concurrent request
    assert tree.missing(["Home", "Lamps", "Small"]) == "Home > Lamps"
    for _ in range(2):
        tree.create(["Home", "Lamps", "Small"])
    small = Category.objects.get(name="Small")
    assert (tree.find(["home", "LAMPS", "small"]), Category.objects.count()) == (small.pk, 3)
    assert small.lineage.startswith(f"/{home.pk}/")
    with pytest.raises(Unreadable, match="12 levels"):
        tree.missing(["x"] * 13)
