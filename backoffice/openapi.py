"""What the back office adds to the problem types and to the OpenAPI document."""

from rest_framework import serializers

from productbackend.api.fields import HelpText
from productbackend.api.openapi.document import LINKS, TAGS, Link
from productbackend.api.openapi.problems import SERIALIZERS, ProblemSerializer
from productbackend.api.problem_types import PROBLEMS, Problem


class ImportProblemSerializer(ProblemSerializer):
    """A 409 with the number of rows that are refused."""

    refused = serializers.IntegerField(help_text=HelpText("Rows that are refused.", 2))


PROBLEM_TYPES = {
    "import-refused": Problem(
        409,
        "Rows of the import are refused",
        "In the mode `all_or_nothing` no row is written if one is refused; `/imports/{id}/rows/?outcome=refused` says "
        "why. An import that has failed is not run again either.",
        "Correct the file and upload it again, or upload it with the mode `row_by_row`.",
    ),
    "import-state": Problem(
        409,
        "The import is still being checked",
        "An import is run once its check is complete.",
        "Read the import until its `status` is `checked`.",
    ),
}


def register() -> None:
    PROBLEMS.update(PROBLEM_TYPES)
    SERIALIZERS["import-refused"] = ImportProblemSerializer
    TAGS["backoffice"] = "Files for staff: products, stock and orders, for spreadsheets and the accounts."
    TAGS["feeds"] = "The catalogue for search engines: a sitemap, and a feed for Google."
    ids = {"id": "$response.body#/id"}
    LINKS.append(Link("imports_create", "201", ["imports_retrieve", "imports_rows", "imports_run"], ids))
