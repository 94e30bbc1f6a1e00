"""The catalogue's tables."""

from products.models.category import Category, category_names
from products.models.derived import with_derived
from products.models.images import ProductImage, ReplacedFiles
from products.models.inventory import StockCheck, StockMovement
from products.models.limits import (
    DESCRIPTION_MAX,
    POSITION_MAX,
    QUANTITY_MAX,
    STANDARD_TAX_CLASS,
    SUGGESTION_KEY_LENGTH,
)
from products.models.product import Product
from products.models.search import Reindex, Suggestion
from products.models.slugs import FormerSlug

__all__ = [
    "DESCRIPTION_MAX",
    "POSITION_MAX",
    "QUANTITY_MAX",
    "STANDARD_TAX_CLASS",
    "SUGGESTION_KEY_LENGTH",
    "Category",
    "FormerSlug",
    "Product",
    "ProductImage",
    "Reindex",
    "ReplacedFiles",
    "StockCheck",
    "StockMovement",
    "Suggestion",
    "category_names",
    "with_derived",
]
