"""What tax rates add to the OpenAPI document."""

from productbackend.api.openapi.document import LINKS, OBJECT, TAGS, Link


def register() -> None:
    TAGS["taxes"] = "Tax rates by country and class, for staff with the permission."
    rates = [f"tax_rates_{verb}" for verb in OBJECT]
    LINKS.append(Link("tax_rates_create", "201", rates, {"id": "$response.body#/id"}))
    LINKS.append(Link("tax_rates_list", "200", rates, {"id": "$response.body#/results/0/id"}))
