"""The app of Django's admin, with the site of `sections.py`."""

from django.contrib.admin.apps import AdminConfig


class ShopAdminConfig(AdminConfig):
    default_site = "productbackend.site.sections.ShopSite"
