"""What delivery methods add to the OpenAPI document."""

from productbackend.api.openapi.document import LINKS, OBJECT, TAGS, Link

METHODS = [f"delivery_methods_{verb}" for verb in OBJECT]


def register() -> None:
    TAGS["delivery"] = "The ways in which orders reach customers. Anyone may read; staff with the permission may write."
    LINKS.append(Link("delivery_methods_create", "201", METHODS, {"id": "$response.body#/id"}))
    LINKS.append(
        Link("delivery_methods_list", "200", ["delivery_methods_retrieve"], {"id": "$response.body#/results/0/id"})
    )
