"""What apps add to the OpenAPI document apart from their views, and the hook that writes it: tags, text and links."""

from typing import Any, NamedTuple

INTRODUCTION = "The back end of a shop."
CONVENTIONS = {
    "Lists": "are pages: follow `next` until it is null. `count` is exact up to 1,000.",
    "Errors": "are RFC 9457 problem documents. `type` is the URL of a page that explains the error and what to do.",
    "Times": "are ISO 8601 in UTC; **money** is a string with two decimals. Every path ends in a slash, except those "
    "of files such as `/sitemap.xml`.",
}


class Link(NamedTuple):
    """A link from the response of an operation to others, which take `parameters` or a `body` from it.

    Clients and fuzzers follow links, for example to read, change, buy and delete an object that they created.
    """

    operation: str
    status: str
    targets: list[str]
    parameters: dict[str, str] | None = None
    body: dict[str, Any] | None = None


# Apps add to these in `ready()`.
TAGS: dict[str, str] = {}  # the groups of operations, in the order of the document, with their descriptions
GUIDE: dict[str, str] = {}  # paragraphs of the introduction, by their first words
LINKS: list[Link] = []

OBJECT = ("retrieve", "update", "partial_update", "destroy")


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the introduction, tags and links to the document, and order its paths by tags."""
    tags = TAGS | {"service": "The root, the health of the service, and the problem types."}
    paragraphs = [f"**{name}** {text}" for name, text in (GUIDE | CONVENTIONS).items()]
    result["info"]["description"] = "\n\n".join([INTRODUCTION, *paragraphs])
    result["tags"] = [{"name": name, "description": text} for name, text in tags.items()]
    order = list(tags)
    result["paths"] = dict(
        sorted(result["paths"].items(), key=lambda item: order.index(next(iter(item[1].values()))["tags"][0]))
    )
    _add_links(result)
    return result


def _add_links(document: dict[str, Any]) -> None:
    operations = {
        operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()
    }
    for link in LINKS:
        links = operations[link.operation]["responses"][link.status].setdefault("links", {})
        for target in link.targets:
            if target not in operations:
                raise ValueError(f"A link names {target}, which is not an operation.")
            links[target] = {"operationId": target} | (
                {"parameters": link.parameters} if link.parameters else {"requestBody": link.body}
            )
