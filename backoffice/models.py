"""The back office's tables, which stand in its packages."""

from backoffice.dashboard.models import ProductSalesDay, SalesCheck, SalesDay, SalesProgress
from backoffice.history.models import Change

__all__ = ["Change", "ProductSalesDay", "SalesCheck", "SalesDay", "SalesProgress"]
