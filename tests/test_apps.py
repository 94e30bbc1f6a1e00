"""`productbackend/` names no app of the shop, not even in a string; only its settings and its URLs do."""

import re
import tomllib
from pathlib import Path

from django.apps import apps
from django.conf import settings

PROJECT = settings.BASE_DIR / "productbackend"
APPS = [config for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR]
LABELS = [config.label for config in APPS]
# `User` is also what Django calls it.
MODELS = [model.__name__ for config in APPS for model in config.get_models() if model.__name__ != "User"]
# A label in any spelling, also as a part of an operation's id, and a model as a class or a component is spelled.
NAME = re.compile(rf"(?<![A-Za-z0-9])(?:(?i:{'|'.join(LABELS)})|{'|'.join(MODELS)})(?![A-Za-z])")
# INSTALLED_APPS and jobs, and the routes of every app.
EXEMPT = {PROJECT / name for name in ("settings.py", "fixed_settings.py", "urls.py")}
SUFFIXES = {".py", ".html", ".css", ".js"}
FILES = [path for path in PROJECT.rglob("*") if path.suffix in SUFFIXES and path not in EXEMPT]


def test_names_are_found() -> None:
    assert {"accounts", "carts", "delivery", "orders", "outbox", "products", "taxes"} <= set(LABELS)
    for line in ("from carts import items", '"/products/"', '"orders_cancel"', '"Cart"', "# Accounts"):
        assert NAME.search(line), line
    for line in ("productbackend", "ordering", "cartridge"):
        assert not NAME.search(line), line


def test_no_file_names_an_app() -> None:
    named = []
    for path in FILES:
        name = str(path.relative_to(PROJECT))
        lines = path.read_text().replace("Product Backend", "").splitlines()
        named += [f"{name}:{number}: {line}" for number, line in enumerate([name, *lines]) if NAME.search(line)]
    assert named == []


def test_the_import_contracts_know_every_app() -> None:
    linter = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(linter["root_packages"]) == {*LABELS, PROJECT.name}
    [contract] = [each for each in linter["contracts"] if each.get("source_modules") == [PROJECT.name]]
    assert set(contract["forbidden_modules"]) == set(LABELS)
