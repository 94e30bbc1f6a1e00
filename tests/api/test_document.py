"""The OpenAPI document is complete and correct."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from productbackend.api.openapi.problems import describe
from productbackend.api.problem_types import PROBLEMS
from tests.openapi import DOCUMENT

pytestmark = pytest.mark.embedded

SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]
NAMES = [operation["operationId"] for operation in OPERATIONS]
COMPOSED = {"$ref", "allOf", "anyOf", "oneOf", "items", "enum"}  # their parts have the examples


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


def test_operation_ids_are_unique_and_components_are_renamed() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert {"products_list", "products_partial_update", "orders_cancel", "carts_checkout", "products_facets"} <= set(
        NAMES
    )
    assert {"Product", "ProductWrite", "ProductPatch", "ProductList", "CartItem", "OrderStatus"} <= SCHEMAS.keys()
    assert not [name for name in SCHEMAS if name.startswith(("Patched", "Paginated")) or name.endswith("Request")]


def test_operations_are_grouped_by_tags_in_order() -> None:
    groups = [operation["tags"] for operation in OPERATIONS]
    order = [tag["name"] for tag in DOCUMENT["tags"]]
    assert [group[0] for group in groups] == sorted((group[0] for group in groups), key=order.index)
    assert set(order) == {group[0] for group in groups}


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_every_operation_is_documented_completely(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert [item["name"] for item in parameters(operation) if not item.get("description")] == []
    for status, answer in answers(operation):
        assert answer["description"]
        assert {"X-Request-ID", "API-Version"} <= answer["headers"].keys()
        assert ("Location" in answer["headers"]) == (status in ("201", "308"))
        if status in ("429", "503"):
            assert "Retry-After" in answer["headers"] or operation["operationId"] == "health_ready"


def test_every_field_is_explained_and_has_an_example() -> None:
    assert [(component, name) for component, name, value in properties() if not value.get("description")] == []
    bare = [
        (component, name)
        for component, name, value in properties()
        if not value.keys() & (COMPOSED | {"examples"})
        and value.get("type") != "boolean"
        and value.get("format") != "binary"
    ]
    assert bare == []


def test_no_component_is_described_by_the_class_that_it_inherits_from() -> None:
    texts = [schema["description"] for schema in SCHEMAS.values() if "description" in schema]
    assert [text for text in texts if "Serializer" in text or "DRF" in text] == []


def test_examples_are_valid() -> None:
    examples = [*field_examples(), *problem_examples()]
    # References lead to the root. One schema for all of them, since each is compiled with all components.
    schema = {"prefixItems": [schema for _, schema, _ in examples], "components": DOCUMENT["components"]}
    errors = [*Draft202012Validator(schema).iter_errors([value for _, _, value in examples])]
    assert [(examples[int(error.instance_path[0])][0], error.message) for error in errors] == []
    assert len(examples) > 100


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


def test_every_problem_type_is_documented_in_an_operation() -> None:
    said = {answer["description"] for operation in OPERATIONS for _, answer in answers(operation)}
    # Any path responds 405 to an undocumented method, and with the others before an operation is reached.
    everywhere = {"method-not-allowed", "uri-too-long", "headers-too-large", "length-required"}
    assert {code for code in PROBLEMS if describe([code]) not in " ".join(said)} == everywhere
