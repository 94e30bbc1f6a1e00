"""The back office's tables, which stand in its packages."""

from backoffice.history.models import Change

__all__ = ["Change"]
