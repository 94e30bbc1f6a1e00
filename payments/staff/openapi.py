"""What refunds add to the problem types and to the OpenAPI document."""

from rest_framework import serializers

from productbackend.api.fields import HelpText
from productbackend.api.openapi.document import LINKS, Link
from productbackend.api.openapi.problems import SERIALIZERS, ProblemSerializer
from productbackend.api.problem_types import PROBLEMS, Problem


class RefundProblemSerializer(ProblemSerializer):
    """A 409 with what can be refunded."""

    refundable = serializers.CharField(help_text=HelpText("The largest amount that can be refunded now.", "12.40"))


PROBLEM_TYPES = {
    "refund-too-large": Problem(
        409,
        "The refund is more than what can be refunded",
        "`refundable` is what was paid, less what is refunded, charged back, or being refunded. Nothing was changed.",
        "Ask for at most `refundable`.",
    ),
}
STEPS = ["refunds_list", "refunds_create", "orders_mark_paid"]


def register() -> None:
    PROBLEMS.update(PROBLEM_TYPES)
    SERIALIZERS["refund-too-large"] = RefundProblemSerializer
    LINKS.append(Link("orders_list", "200", STEPS, {"number": "$response.body#/results/0/number"}))
