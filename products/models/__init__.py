"""The catalogue's tables."""

from products.models.category import Category, category_names
from products.models.derived import with_derived
from products.models.family import Family, Option
from products.models.images import ProductImage, ReplacedFiles
from products.models.inventory import StockCheck, StockMovement
from products.models.limits import (
    AXES_MAX,
    AXIS_MAX,
    DESCRIPTION_MAX,
    OPTION_MAX,
    POSITION_MAX,
    QUANTITY_MAX,
    STANDARD_TAX_CLASS,
    SUGGESTION_KEY_LENGTH,
    VARIANTS_MAX,
)
from products.models.product import Product
from products.models.search import Reindex, Suggestion
from products.models.slugs import FormerSlug

__all__ = [
    "AXES_MAX",
    "AXIS_MAX",
    "DESCRIPTION_MAX",
    "OPTION_MAX",
    "POSITION_MAX",
    "QUANTITY_MAX",
    "STANDARD_TAX_CLASS",
    "SUGGESTION_KEY_LENGTH",
    "VARIANTS_MAX",
    "Category",
    "Family",
    "FormerSlug",
    "Option",
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
