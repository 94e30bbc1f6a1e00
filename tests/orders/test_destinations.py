"""What doctor says of the countries to which orders can go."""

from datetime import timedelta
from typing import Any

import pytest

from orders import destinations
from productbackend.doctor.checks import all_checks
from productbackend.doctor.findings import Findings
from productbackend.doctor.site import Site
from taxes.models import TaxRate
from taxes.rates import today
from tests import factories

pytestmark = pytest.mark.django_db


def found(findings: Findings) -> list[tuple[str, str]]:
    return [(finding.level, finding.text) for finding in findings]


def test_doctor_has_both_checks() -> None:
    checks = {check.name: (check.run, check.needs) for check in all_checks(site=Site(""))}
    assert checks["delivery"] == (destinations.delivery, "the database")
    assert checks["taxes"] == (destinations.taxes, "the database")


def test_a_shop_without_methods_and_rates_is_good(settings: Any) -> None:
    settings.SHOP_COUNTRY = "DE"
    assert found(destinations.delivery()) == [("good", "the shop has no delivery methods: checkout asks for none")]
    assert found(destinations.taxes()) == [("good", "the shop has no tax rates: no tax is shown")]


def test_countries_without_an_active_method_are_named(settings: Any) -> None:
    settings.SHOP_COUNTRY = "DE"
    drone = factories.delivery_method("drone", countries=["CH", "DE"], is_active=False)
    assert found(destinations.delivery()) == [("warn", "no delivery method is active: checkout asks for none")]
    parcel = factories.delivery_method(countries=["AT"])
    missing = "no active method delivers to Switzerland (CH), Germany (DE)"
    assert found(destinations.delivery()) == [("warn", missing)]
    drone.is_active = True
    drone.save()
    good = [("good", "each of the shop's countries has an active method")]
    assert found(destinations.delivery()) == good
    drone.delete()
    parcel.countries = []
    parcel.save()
    assert found(destinations.delivery()) == good


def test_an_active_method_that_nobody_can_choose_is_bad(settings: Any) -> None:
    settings.SHOP_COUNTRY = "DE"
    factories.delivery_method("bulk", min_amount="100.00", max_amount="10.00")
    text = "nobody can choose the active method bulk: its min_amount is above its max_amount. Change it in the admin"
    assert found(destinations.delivery()) == [("bad", text), ("warn", "no active method delivers to Germany (DE)")]
    factories.delivery_method()
    assert found(destinations.delivery()) == [("bad", text)]


def test_countries_without_a_rate_in_force_are_named(settings: Any) -> None:
    factories.tax_rate()
    assert found(destinations.taxes()) == [("warn", "SHOP_COUNTRY is unset: carts without an address show no tax")]
    settings.SHOP_COUNTRY = "DE"
    good = [("good", "each of the shop's countries has its tax rates")]
    assert found(destinations.taxes()) == good
    factories.delivery_method(countries=["DE", "AT"])
    missing = [("warn", "no tax rate is in force in Austria (AT): orders to there have no tax")]
    assert found(destinations.taxes()) == missing
    factories.tax_rate("20", "AT", valid_from=today() + timedelta(days=1))
    assert found(destinations.taxes()) == missing
    TaxRate.objects.filter(country="AT").update(valid_from=today())
    assert found(destinations.taxes()) == good
    factories.tax_rate("7", tax_class="reduced")
    gap = [("warn", "the class reduced has no rate in Austria (AT): its products have no tax there")]
    assert found(destinations.taxes()) == gap
