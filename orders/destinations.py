"""Checks of `manage.py doctor`: whether orders to each of the shop's countries have a delivery method and their tax.

The shop's countries are SHOP_COUNTRY and those that delivery methods name.
"""

from django.conf import settings

from delivery.models import DeliveryMethod
from delivery.offers import defect
from productbackend.database.postal_addresses import country_name
from productbackend.doctor.findings import Findings, bad, good, warn
from taxes.models import TaxRate
from taxes.rates import rates_in


def delivery() -> Findings:
    """Whether each country has an active method, and somebody can choose each active method."""
    methods = list(DeliveryMethod.objects.all())
    if not methods:
        yield good("the shop has no delivery methods: checkout asks for none")
        return
    active = [method for method in methods if method.is_active]
    if not active:
        yield warn("no delivery method is active: checkout asks for none")
        return
    defects = {method.code: reason for method in active if (reason := defect(method))}
    for code, reason in defects.items():
        yield bad(f"nobody can choose the active method {code}: {reason}. Change it in the admin")
    usable = [method for method in active if method.code not in defects]
    countries = shop_countries(methods)
    served = {code for code in countries if any(not each.countries or code in each.countries for each in usable)}
    if missing := countries - served:
        yield warn(f"no active method delivers to {named(missing)}")
    elif not defects:
        yield good("each of the shop's countries has an active method")


def taxes() -> Findings:
    """Whether each country has a tax rate in force, of every class that another country has."""
    if not TaxRate.objects.exists():
        yield good("the shop has no tax rates: no tax is shown")
        return
    countries = shop_countries(list(DeliveryMethod.objects.all()))
    if not settings.SHOP_COUNTRY:
        yield warn("SHOP_COUNTRY is unset: carts without an address show no tax")
    rates = rates_in(countries)
    if missing := countries - rates.keys():
        yield warn(f"no tax rate is in force in {named(missing)}: orders to there have no tax")
    classes = {tax_class for found in rates.values() for tax_class in found}
    gaps = {name: {code for code, found in rates.items() if name not in found} for name in sorted(classes)}
    for name, without in gaps.items():
        if without:
            yield warn(f"the class {name} has no rate in {named(without)}: its products have no tax there")
    if countries and not missing and not any(gaps.values()):
        yield good("each of the shop's countries has its tax rates")


def shop_countries(methods: list[DeliveryMethod]) -> set[str]:
    return {settings.SHOP_COUNTRY, *(code for method in methods for code in method.countries)} - {""}


def named(countries: set[str]) -> str:
    """The names of countries, with their codes."""
    return ", ".join(f"{country_name(code)} ({code})" for code in sorted(countries))
