"""What orders add to the problem types and to the OpenAPI document."""

from productbackend.api.openapi.document import LINKS, TAGS, Link
from productbackend.api.problem_types import PROBLEMS, Problem

STEPS = ["orders_retrieve", "orders_cancel", "orders_fulfil"]
PROBLEM_TYPES = {
    "order-state": Problem(
        409,
        "The order's status does not allow that",
        "A fulfilled order cannot be cancelled, and a cancelled one cannot be fulfilled.",
        "Read the order to see its status.",
    ),
}


def register() -> None:
    PROBLEMS.update(PROBLEM_TYPES)
    TAGS["orders"] = "Orders, with the prices at checkout."
    LINKS.append(Link("orders_list", "200", STEPS, {"number": "$response.body#/results/0/number"}))
