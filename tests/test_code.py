"""Rules of CONTRIBUTING.md that the other tools do not check: sizes, seams, and where tests are."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.embedded

ROOT: Path = settings.BASE_DIR
CODE = (
    "accounts", "backoffice", "benchmarks", "carts", "delivery", "orders", "outbox", "payments", "productbackend",
    "products", "taxes", "tests",
)  # fmt: skip
FILE_MAX, FUNCTION_MAX = 400, 40
ENTRIES_MAX = 19  # in a package's own folder
# Modules without rules of their own: Django's, and the shapes of requests. The tests of views cover them.
WIRING = {
    "admin", "apps", "filters", "middleware", "models", "openapi", "serializers", "signals", "tasks", "throttles",
    "views",
}  # fmt: skip
WHOLE = {"orders/admin", "payments/admin", "products/admin", "products/models", "products/reads"}  # tested together
PRIVATE = re.compile(r"""(?:setattr|patch)\w*\([^)]*?["'](?:[\w.]*\.)?_[a-z]\w*["']""")


@cache
def files() -> dict[str, str]:
    """Path and text of each Python file, without migrations."""
    paths = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    names = {str(path.relative_to(ROOT)): path for path in paths if "migrations" not in path.parts}
    return {name: path.read_text() for name, path in names.items() if "node_modules" not in name}


def functions() -> Iterator[tuple[str, str, int]]:
    for name, text in files().items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, node.name, (node.end_lineno or 0) - node.lineno + 1


def test_no_file_is_too_long() -> None:
    lengths = {name: text.count("\n") for name, text in files().items()}
    assert {name: length for name, length in lengths.items() if length > FILE_MAX} == {}


def test_no_function_is_too_long() -> None:
    assert [(name, function, length) for name, function, length in functions() if length > FUNCTION_MAX] == []


@pytest.mark.parametrize("package", ["productbackend", "products"])
def test_no_package_has_too_many_entries(package: str) -> None:
    entries = [path.name for path in (ROOT / package).iterdir() if path.name != "__pycache__"]
    assert len(entries) <= ENTRIES_MAX, sorted(entries)


def test_tests_patch_no_private_name() -> None:
    found = {name: PRIVATE.findall(text) for name, text in files().items() if name.startswith("tests/")}
    assert {name: patches for name, patches in found.items() if patches} == {}


@pytest.mark.parametrize(
    "app",
    ["accounts", "backoffice", "carts", "delivery", "orders", "outbox", "payments", "products", "taxes"],
)
def test_each_domain_module_has_a_test_in_its_place(app: str) -> None:
    modules = [Path(name) for name in files() if name.startswith(f"{app}/") and "management" not in name]
    domain = [path for path in modules if path.stem not in WIRING | {"__init__"} and str(path.parent) not in WHOLE]
    tests = {path: list((ROOT / "tests" / path.parent).glob(f"test_{path.stem}*.py")) for path in domain}
    assert [str(path) for path, found in tests.items() if not found] == []


def test_each_package_of_the_project_has_tests_in_its_place() -> None:
    packages = {name.split("/")[1] for name in files() if name.startswith("productbackend/") and name.count("/") > 1}
    assert {package for package in packages if not list((ROOT / "tests" / package).rglob("test_*.py"))} == set()


def test_what_make_test_leaves_out_is_run_with_the_services() -> None:
    assert 'QUICK = -m "not thorough and not release"\n' in (ROOT / "Makefile").read_text()
    assert 'RELEVANT = "not release and (not embedded or thorough)"\n' in files()["tests/services/run.py"]
    assert "make test-services\n" in (ROOT / ".ci" / "run").read_text()
