"""CONTRIBUTING lists every private part of another package that is used, where, and the test that breaks with it."""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
PACKAGES = [*sorted(path.parent.name for path in ROOT.glob("*/apps.py")), "productbackend"]
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py") if path.parent.name != "migrations")
NEED_AN_EXTRA = [path for path in SOURCES if path.name == "s3.py"]
# Django's and Python's documentation describes these.
DOCUMENTED = {"_meta", "_state", "_base_manager", "_default_manager", "_open", "_save", "_make", "_replace"}
ROW = re.compile(r"^\| ([\w., -]+) \| (.+) \| (`.+`) \| (`tests/.+`) \|$", re.MULTILINE)
PRIVATE = re.compile(r"^_[a-z]\w*$")


@cache
def listed() -> dict[str, set[str]]:
    """The private names of each source file that the table has."""
    found: dict[str, set[str]] = {}
    for _, parts, files, _ in ROW.findall((ROOT / "CONTRIBUTING.md").read_text()):
        for file in re.findall(r"`([^`]+)`", files):
            found.setdefault(file, set()).update(re.findall(r"\b(_[a-z]\w*)", parts))
    return found


def loaded(path: Path) -> ModuleType:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return importlib.import_module(name)


@cache
def text_of(module: str) -> str:
    return inspect.getsource(sys.modules[module])


def bases(module: ModuleType) -> Iterator[str]:
    """The modules of other packages whose classes this one's classes extend."""
    for each in vars(module).values():
        if inspect.isclass(each) and each.__module__ == module.__name__:
            for base in each.__mro__[1:]:
                package = base.__module__.partition(".")[0]
                if package not in PACKAGES and package not in sys.stdlib_module_names:
                    yield base.__module__


def used(path: Path) -> set[str]:
    """The private names of other packages that a file uses: those it does not define, or that a base class has too."""
    accessed, defined = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.Name(id=name):
                defined.add(name)
            case ast.Attribute(attr=name) | ast.alias(name=name):
                accessed.add(name)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
                accessed.add(name)
    own = {name for name in accessed | defined if PRIVATE.match(name)} - DOCUMENTED
    inherited = {name for name in own for base in bases(loaded(path)) if re.search(rf"\b{name}\b", text_of(base))}
    return (own - defined) | inherited


def unlisted(paths: Iterable[Path]) -> dict[str, tuple[set[str], set[str]]]:
    """The used and the listed names of each file for which they differ."""
    names = {str(path.relative_to(ROOT)): used(path) for path in paths}
    return {
        file: (parts, listed().get(file, set())) for file, parts in names.items() if parts != listed().get(file, set())
    }


@pytest.mark.embedded
@pytest.mark.parametrize("package", PACKAGES)
def test_every_private_part_is_listed(package: str) -> None:
    assert unlisted(path for path in SOURCES if path.is_relative_to(ROOT / package) and path not in NEED_AN_EXTRA) == {}


@pytest.mark.parametrize("path", NEED_AN_EXTRA, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_private_part_of_the_extra_is_listed(path: Path) -> None:
    pytest.importorskip("storages", reason="only `make test-services` installs it")
    assert unlisted([path]) == {}
