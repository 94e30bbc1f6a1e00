"""Reads and sends the forms of admin pages as a browser does."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from django.test import Client


class Fields(HTMLParser):
    """The values of a page's fields by their names, as an unchanged form would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, kind = given.get("name") or "", given.get("type")
        if tag == "textarea":
            self.open, self.values[name] = name, ""
        if tag != "input" or not name or kind in ("submit", "file"):
            return
        if kind != "checkbox" or "checked" in given:
            self.values[name] = given.get("value") or ("on" if kind == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open:
            self.values[self.open] = (self.values[self.open] + data).removeprefix("\n")


def text(response: Any) -> str:
    """The page, with single spaces."""
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def shown(client: Client, path: str) -> dict[str, str]:
    """The fields of a page."""
    return Fields(client.get(path).content.decode()).values


def messages(client: Client, response: Any) -> list[str]:
    """Where the response leads to, and the messages there."""
    assert response.status_code == 302, text(response)
    page = client.get(response["Location"])
    return [str(message) for message in page.context["messages"]]


def send(client: Client, path: str, fields: Mapping[str, Any], **changed: Any) -> Any:
    """Press the button "Save" with some fields changed: None for one that is not sent."""
    data = {name: value for name, value in {**fields, **changed, "_save": "Save"}.items() if value is not None}
    return client.post(path, data)
