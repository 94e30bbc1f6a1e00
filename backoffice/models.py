"""The back office's tables."""

from backoffice.imports.models import Import, ImportRow, ImportSlice

__all__ = ["Import", "ImportRow", "ImportSlice"]
