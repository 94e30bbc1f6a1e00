"""The OpenAPI document as a whole: spectacular's, with what holds for every operation.

`complete` is its post-processing hook. What is about one operation stands at its view; what a field means, in
vocabulary.py; what errors there are, in problems.py; which answer leads to which request, in links.py.
"""

import re
from typing import Any

from productbackend.api import links
from productbackend.api.problems import MEDIA_TYPE, PROBLEMS
from productbackend.api.schema import describe
from productbackend.api.vocabulary import DESCRIPTION, FIELDS, GROUPS, PARAMETERS

Document = dict[str, Any]

# Fields that some readers see and others do not: `{component: names}`.
SOMETIMES = {"Image": {"original"}, "CompletedCart": {"order"}}
ID_PATTERN = "^[0-9]{1,18}$"  # of the router's paths
# The problems that any operation may answer, by status, with the name of the response.
COMMON = {
    400: ("BadRequest", ["validation-error", "malformed"]),
    401: ("Unauthorized", ["not-authenticated"]),
    403: ("Forbidden", ["forbidden"]),
    404: ("NotFound", ["not-found"]),
    406: ("NotAcceptable", ["not-acceptable"]),
    413: ("ContentTooLarge", ["too-large"]),
    415: ("UnsupportedMediaType", ["unsupported-media-type"]),
    500: ("InternalServerError", ["internal-error"]),
    503: ("ServiceUnavailable", ["unavailable"]),
}
# What an answer is of which its view says nothing.
PLAIN = {
    "200": "As it is now.",
    "201": "Made.",
    "204": "Done.",
    "503": "Without the database.",
}
# The components of those problems that have members of their own, and an example of these.
MEMBERS: dict[str, tuple[str, dict[str, Any]]] = {
    "validation-error": (
        "ValidationProblem",
        {"errors": [{"field": "price", "code": "min_value", "detail": "It is 0 at least."}]},
    ),
    "insufficient-stock": (
        "ShortageProblem",
        {"shortages": [{"product": 7, "name": "Walking boot", "requested": 3, "available": 2}]},
    ),
    "already-ordered": ("OrderedProblem", {"order": "SMT2-3GPF-YXX7"}),
    "precondition-failed": ("ChangedProblem", {}),
}
PROBLEM = {"$ref": "#/components/schemas/Problem"}


def complete(result: Document, **kwargs: Any) -> Document:
    """Names, groups, problems, headers, links and words, in this order."""
    result["info"]["description"] = DESCRIPTION
    components = result["components"]
    _require_all(components["schemas"])
    components["schemas"].update(_problem_schemas())
    components["headers"] = _headers()
    components["parameters"] = {
        "X-Request-ID": {
            "name": "X-Request-ID",
            "in": "header",
            "schema": {"type": "string"},
            "description": "A name of your own for this request, which answers and logs bear: up to 128 of "
            "`A-Z a-z 0-9 . _ -`. For any other one is made.",
        }
    }
    components["responses"] = {name: _problem_response(codes) for name, codes in COMMON.values()}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            _complete_operation(path, method, operation)
    links.add(result)
    _drop_unused(result)
    result = _renamed(result)
    _explain(result["components"]["schemas"])
    result["tags"] = [{"name": name, "description": group.description} for name, group in GROUPS.items()]
    order = list(GROUPS)
    result["paths"] = dict(
        sorted(result["paths"].items(), key=lambda item: order.index(next(iter(item[1].values()))["tags"][0]))
    )
    return result


# --- Operations --------------------------------------------------------------------------------


def _complete_operation(path: str, method: str, operation: Document) -> None:
    answers = operation["responses"]
    as_page = any("text/html" in answer.get("content", {}) for answer in answers.values())
    for status in _statuses(path, method, operation):
        if str(status) not in answers:
            name, codes = COMMON[status]
            answers[str(status)] = (
                _problem_response(codes, as_page=True) if as_page else {"$ref": f"#/components/responses/{name}"}
            )
    for status, answer in answers.items():
        if "$ref" in answer:
            continue
        answer["description"] = str(answer.get("description") or PLAIN[status])
        if status >= "400" and (codes := re.findall(r"`/problems/([a-z-]+)`", answer["description"])):
            answers[status] = answer = _problem_response(codes, as_page=as_page)
        answer["headers"] = _answer_headers(operation, status) | answer.get("headers", {})
    operation["responses"] = dict(sorted(answers.items()))
    _complete_parameters(operation)
    if operation.get("security") == [{}]:  # generators take that for something that is needed
        operation["security"] = []


def _statuses(path: str, method: str, operation: Document) -> list[int]:
    statuses = [400, 401, 406, 500, 503]
    if method != "get" or {} not in operation.get("security", [{}]):
        statuses.append(403)
    if "{" in path:
        statuses.append(404)
    if method in ("post", "put", "patch"):
        statuses += [413, 415]
    return statuses


def _answer_headers(operation: Document, status: str) -> Document:
    names = ["X-Request-ID", "API-Version"]
    is_tagged = "304" in operation["responses"] or operation["operationId"] in TAGGED
    if is_tagged and status in ("200", "201", "304"):
        names.append("ETag")
    if status == "201":
        names.append("Location")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


# Writes that answer the new tag; one that completes a cart has none, for the cart is gone.
TAGGED = {
    f"{group}_{verb}"
    for group in ("products", "categories", "images", "carts", "cart_items")
    for verb in ("create", "update", "partial_update")
} - {"carts_update", "carts_partial_update"}
TAGGED |= {"account_partial_update", "images_order", "carts_checkout", "orders_cancel", "orders_fulfil"}


def _complete_parameters(operation: Document) -> None:
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["schema"].get("pattern") == ID_PATTERN:
            parameter["schema"] = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
        words = PARAMETERS.get(parameter["name"])
        if words and not parameter.get("description"):
            parameter["description"] = words.description
        if words and parameter["in"] == "path":
            parameter["example"] = words.example
    parameters.append({"$ref": "#/components/parameters/X-Request-ID"})


# --- Problems ----------------------------------------------------------------------------------


def _problem_response(codes: list[str], *, as_page: bool = False) -> Document:
    schemas = [{"$ref": f"#/components/schemas/{MEMBERS[code][0]}"} for code in codes if code in MEMBERS]
    if len(schemas) < len(codes):
        schemas.append(PROBLEM)
    content: Document = {
        MEDIA_TYPE: {
            "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
            "examples": {code: {"summary": PROBLEMS[code].meaning, "value": _example(code)} for code in codes},
        }
    }
    if as_page:  # such a path shows its errors as pages too
        content["text/html"] = {"schema": {"type": "string"}}
    names = ["X-Request-ID", "API-Version"]
    status = PROBLEMS[codes[0]].status
    names += ["Retry-After"] if status in (429, 503) else ["WWW-Authenticate"] if status == 401 else []
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {"description": describe(codes), "content": content, "headers": headers}


def _example(code: str) -> Document:
    row = PROBLEMS[code]
    members = MEMBERS[code][1] if code in MEMBERS else {}
    return {"type": f"/problems/{code}", "title": row.title, "status": row.status, "detail": row.meaning, **members}


def _problem_schemas() -> Document:
    text = {"type": "string"}
    members = {
        "type": {**text, "format": "uri-reference"},
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
    }
    error = {"field": {"type": ["string", "null"]}, "code": text, "detail": text}
    shortage = {
        "product": {"type": ["integer", "null"]},
        "name": text,
        "requested": {"type": "integer"},
        "available": {"type": "integer"},
    }

    def whole(properties: Document) -> Document:
        return {"type": "object", "required": list(properties), "properties": properties}

    def problem(description: str, more: Document, *, is_always: bool = True) -> Document:
        schema = whole(members | more) if is_always else whole(members) | {"properties": members | more}
        return schema | {"description": description, "additionalProperties": True}

    several = {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}}
    shortages = {"type": "array", "items": {"$ref": "#/components/schemas/Shortage"}}
    return {
        "Problem": problem("RFC 9457: `type` names a page that says what it means; some have further members.", {}),
        "FieldError": whole(error),
        "ValidationProblem": problem("A 400 that names each value that does not fit.", {"errors": several}),
        "Shortage": whole(shortage),
        "ShortageProblem": problem("A 409 that names each product that is short.", {"shortages": shortages}),
        "OrderedProblem": problem("A 409 that names the order that the cart became.", {"order": text}),
        "ChangedProblem": problem(
            "A 412; of a cart, it carries the cart as it is now.",
            {"cart": {"$ref": "#/components/schemas/Cart"}},
            is_always=False,
        ),
    }


def _headers() -> Document:
    words = {
        "ETag": "Names this state for `If-None-Match` and `If-Match`.",
        "Location": "Where the new object is read.",
        "X-Request-ID": "The request's own name, or one that was made for it; logs bear it.",
        "API-Version": "The version of this document that the service keeps.",
        "WWW-Authenticate": "How to authenticate.",
    }
    headers: Document = {
        name: {"required": True, "description": text, "schema": {"type": "string"}} for name, text in words.items()
    }
    seconds = {"type": "integer", "minimum": 0}
    headers["Retry-After"] = {"required": True, "description": "Seconds to wait.", "schema": seconds}
    return headers


# --- Components --------------------------------------------------------------------------------


def _require_all(schemas: Document) -> None:
    """An answer has each of its fields, also those that a request may leave out."""
    for name, schema in schemas.items():
        if "properties" in schema and not name.endswith("Request"):
            schema["required"] = [field for field in schema["properties"] if field not in SOMETIMES.get(name, set())]


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_references, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_references, node.values()))
    return found | {node["$ref"]} if isinstance(node.get("$ref"), str) else found


def _drop_unused(result: Document) -> None:
    components = result["components"]
    while True:
        used = _references(result)
        unused = [
            (kind, name)
            for kind in ("schemas", "responses", "headers")
            for name in components[kind]
            if f"#/components/{kind}/{name}" not in used
        ]
        if not unused:
            return
        for kind, name in unused:
            del components[kind][name]


def _renamed(result: Document) -> Document:
    """Names that make a good client: `ProductWrite`, `ProductPatch` and `ProductList`."""
    schemas = result["components"]["schemas"]
    names = {name: _good_name(name, set(schemas)) for name in schemas}
    if len(set(names.values())) < len(names):
        raise ValueError(f"Two components of the document would have one name: {sorted(names.values())}")
    result["components"]["schemas"] = {names[name]: schemas[name] for name in sorted(schemas, key=names.__getitem__)}
    prefix = "#/components/schemas/"

    def follow(node: Any) -> Any:
        if isinstance(node, list):
            return [follow(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {
            key: prefix + names[value.removeprefix(prefix)]
            if key == "$ref" and isinstance(value, str) and value.startswith(prefix)
            else follow(value)
            for key, value in node.items()
        }

    renamed: Document = follow(result)
    return renamed


def _good_name(name: str, names: set[str]) -> str:
    if found := re.fullmatch(r"Paginated(\w+)List", name):
        return f"{found[1]}List"
    if found := re.fullmatch(r"Patched(\w+)Request", name):
        return found[1] if names.isdisjoint({found[1], f"{found[1]}Request"}) else f"{found[1]}Patch"
    if found := re.fullmatch(r"(\w+)Request", name):
        return found[1] if found[1] not in names else f"{found[1]}Write"
    return name


def _explain(schemas: Document) -> None:
    """Say of each property what it means, and give an example."""
    for component, schema in schemas.items():
        for name, value in schema.get("properties", {}).items():
            words = FIELDS.get(f"{component}.{name}") or FIELDS.get(name)
            if words is None:
                continue
            value.setdefault("description", words.description)
            if words.example is not None and not value.keys() & {"$ref", "allOf", "anyOf", "oneOf", "items"}:
                value.setdefault("examples", [words.example])
