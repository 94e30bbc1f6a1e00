"""What the back office adds to the OpenAPI document."""

from productbackend.api.openapi.document import TAGS


def register() -> None:
    TAGS["backoffice"] = "Files for staff: products, stock and orders, for spreadsheets and the accounts."
