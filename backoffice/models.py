"""The tables of the back office."""

from backoffice.dashboard.models import ProductSalesDay, SalesCheck, SalesDay, SalesProgress

__all__ = ["ProductSalesDay", "SalesCheck", "SalesDay", "SalesProgress"]
