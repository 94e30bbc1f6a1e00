"""Fixtures of the catalogue's admin pages."""

from tests.site.conftest import admin_client as admin_client
from tests.site.conftest import uncollected_files as uncollected_files
