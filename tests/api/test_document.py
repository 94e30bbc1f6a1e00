"""The OpenAPI document says all that a front-end developer needs, and nothing that is not so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from jsonschema import Draft202012Validator

from productbackend.api import vocabulary
from productbackend.api.problems import PROBLEMS
from productbackend.api.schema import describe

DOCUMENT = yaml.safe_load((Path(settings.BASE_DIR) / "openapi.yml").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]
NAMES = [operation["operationId"] for operation in OPERATIONS]
UNSAID = {"$ref", "allOf", "anyOf", "oneOf", "items", "enum"}  # an example of these is made of their parts'


def properties() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for component, schema in SCHEMAS.items():
        for name, value in schema.get("properties", {}).items():
            yield component, name, value


def parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    shared = DOCUMENT["components"]["parameters"]
    return [shared[item["$ref"].rpartition("/")[2]] if "$ref" in item else item for item in operation["parameters"]]


def answers(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, answer in operation["responses"].items():
        name = answer.get("$ref", "").rpartition("/")[2]
        yield status, DOCUMENT["components"]["responses"][name] if name else answer


def test_names_are_unique_and_good() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert {"products_list", "products_partial_update", "orders_cancel", "carts_checkout", "products_facets"} <= set(
        NAMES
    )
    assert {"Product", "ProductWrite", "ProductPatch", "ProductList", "CartItem", "OrderStatus"} <= SCHEMAS.keys()
    assert not [name for name in SCHEMAS if name.startswith(("Patched", "Paginated")) or name.endswith("Request")]


def test_operations_stand_in_groups_in_their_order() -> None:
    groups = [operation["tags"] for operation in OPERATIONS]
    order = [tag["name"] for tag in DOCUMENT["tags"]]
    assert [group[0] for group in groups] == sorted((group[0] for group in groups), key=order.index)
    assert set(order) == {group[0] for group in groups}


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_everything_about_an_operation_is_said(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert [item["name"] for item in parameters(operation) if not item.get("description")] == []
    for status, answer in answers(operation):
        assert answer["description"]
        assert {"X-Request-ID", "API-Version"} <= answer["headers"].keys()
        assert ("Location" in answer["headers"]) == (status == "201")
        if status in ("429", "503"):
            assert "Retry-After" in answer["headers"] or operation["operationId"] == "health_ready"


def test_every_field_is_explained_and_has_an_example() -> None:
    assert [(component, name) for component, name, value in properties() if not value.get("description")] == []
    bare = [
        (component, name)
        for component, name, value in properties()
        if not value.keys() & (UNSAID | {"examples"})
        and value.get("type") != "boolean"
        and value.get("format") != "binary"
    ]
    assert bare == []


def test_examples_are_what_they_are_examples_of() -> None:
    wrong = []
    for where, schema, value in [*field_examples(), *problem_examples()]:
        # References lead to the root, which the schema is here.
        errors = Draft202012Validator({**schema, "components": DOCUMENT["components"]}).iter_errors(value)
        wrong += [(where, error.message) for error in errors]
    assert wrong == []


def field_examples() -> Iterator[tuple[str, Any, Any]]:
    for component, name, value in properties():
        for example in value.get("examples", []):
            yield f"{component}.{name}", value, example


def problem_examples() -> Iterator[tuple[str, Any, Any]]:
    for operation in OPERATIONS:
        for status, answer in answers(operation):
            content = answer.get("content", {}).get("application/problem+json", {})
            for code, example in content.get("examples", {}).items():
                assert example["value"]["type"] == f"/problems/{code}"
                assert str(example["value"]["status"]) == status
                yield operation["operationId"], content["schema"], example["value"]


def test_every_problem_is_the_answer_to_something() -> None:
    said = {answer["description"] for operation in OPERATIONS for _, answer in answers(operation)}
    # Any path answers 405 to a method that is not in the document.
    assert [code for code in PROBLEMS if describe([code]) not in " ".join(said)] == ["method-not-allowed"]


def test_the_vocabulary_has_no_word_that_nothing_uses() -> None:
    fields = {name for component, field, _ in properties() for name in (field, f"{component}.{field}")}
    assert vocabulary.FIELDS.keys() - fields == set()
    plain = {field for component, field, _ in properties() if f"{component}.{field}" not in vocabulary.FIELDS}
    assert {name for name in vocabulary.FIELDS if "." not in name} - plain == set()
    taken = {item["name"] for operation in OPERATIONS for item in parameters(operation)}
    assert vocabulary.PARAMETERS.keys() - taken == set()
