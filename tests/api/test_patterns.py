"""The patterns of the document are valid ECMAScript; tests/clients runs them in Node."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from productbackend.api.openapi.patterns import ecmascript
from tests.openapi import DOCUMENT

pytestmark = pytest.mark.embedded

# Samples that match each pattern, and that do not; tests/clients checks the same in Node.
SAMPLES = json.loads(Path(__file__).with_name("patterns.json").read_text())


def patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from patterns(each)


def test_every_pattern_is_valid_ecmascript() -> None:
    found = set(patterns(DOCUMENT))
    assert found
    foreign = re.compile(r"\\[wWdDbBAZ]|\(\?P|\(\?>|\(\?[a-z]|[*+?}]\+")
    assert not [pattern for pattern in found if foreign.search(pattern)]
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in found)


def test_every_pattern_has_samples() -> None:
    assert set(patterns(DOCUMENT)) == {sample["pattern"] for sample in SAMPLES}
    for sample in SAMPLES:
        validator = Draft202012Validator({"pattern": sample["pattern"]})
        assert [text for text in sample["taken"] if not validator.is_valid(text)] == []
        assert [text for text in sample["refused"] if validator.is_valid(text)] == []


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (r"\A[\w.@-]+\Z", r"^[\p{L}\p{N}_.@-]+$"),
        (r"^\w+\d\W$", r"^[\p{L}\p{N}_]+\p{Nd}[^\p{L}\p{N}_]$"),
        (r"^(?P<a>[^\]\d])\-\@$", r"^(?<a>[^\]\p{Nd}])-@$"),
        (r"^[]a]$", r"^[\]a]$"),
    ],
)
def test_python_becomes_ecmascript(python: str, expected: str) -> None:
    assert ecmascript(python) == expected


@pytest.mark.parametrize("python", [r"(?i)a", r"a++", r"(?>a)", r"\bx", r"[\W]"])
def test_an_untranslatable_pattern_is_an_error(python: str) -> None:
    with pytest.raises(ValueError, match="ECMAScript"):
        ecmascript(python)
