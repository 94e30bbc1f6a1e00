"""The back office's tables, which stand in its packages."""

from backoffice.bulk.models import BulkChange
from backoffice.dashboard.models import ProductSalesDay, SalesCheck, SalesDay, SalesProgress
from backoffice.feeds.models import FeedBuild
from backoffice.history.models import Change
from backoffice.imports.models import Import, ImportRow, ImportSlice

__all__ = [
    "BulkChange", "Change", "FeedBuild", "Import", "ImportRow", "ImportSlice", "ProductSalesDay", "SalesCheck",
    "SalesDay", "SalesProgress",
]  # fmt: skip
