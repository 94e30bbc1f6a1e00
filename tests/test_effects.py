"""docs/effects.md has a row for each effect outside the database, and no row without one."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from tests import effects

pytestmark = pytest.mark.embedded

ROOT: Path = settings.BASE_DIR
PAGE = (ROOT / "docs" / "effects.md").read_text()
SECTIONS = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
COLUMNS = ["effect", "in", "dies before", "dies during", "dies after", "found by", "shown by"]
NOT_OF_THE_SERVICE = {"tests", "benchmarks", ".venv", "var"}


def rows(text: str) -> list[list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    assert lines[0] == COLUMNS
    return lines[2:]


ROWS = [(kind, row) for kind, text in SECTIONS for row in rows(text)]


def listed() -> dict[str, set[str]]:
    """By module: the kinds of effects that the page lists."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for kind, row in ROWS:
        for module in re.findall(r"`([^`]+)`", row[1]):
            found[module].add(kind)
    return found


def found_in(root: Path) -> dict[str, set[str]]:
    """By module: the kinds of effects that the code below `root` makes."""
    names = (path.relative_to(root) for path in root.rglob("*.py"))
    modules = [name for name in names if name.parts[0] not in NOT_OF_THE_SERVICE]
    found = {str(name): effects.kinds((root / name).read_text()) for name in modules}
    return {name: kinds for name, kinds in found.items() if kinds}


def test_each_module_with_an_effect_has_a_row_and_no_other_has_one() -> None:
    assert listed() == found_in(ROOT)


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=lambda row: row[0])
def test_a_row_is_complete_and_names_what_exists(row: list[str]) -> None:
    assert len(row) == len(COLUMNS)
    assert all(row)
    jobs = {task for task, _ in settings.BEAT_JOBS.values()}
    assert set(re.findall(r"`(\w+\.tasks\.\w+)`", row[5])) <= jobs
    assert set(re.findall(r"manage\.py (\w+)", " ".join(row))) <= set(get_commands())
    [test] = re.findall(r"`([^`]+)`", row[6])
    assert (ROOT / test).is_file()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("Messages", "app.send_task(TASK, [1])"),
        ("Messages", "make_it.delay(1)"),
        ("Messages", "progress.dispatch(row.pk)"),
        ("Mail", "from django.core.mail import send_mail\nsend_mail('a', 'b', None, ['c'])"),
        ("Mail", "import smtplib"),
        ("Other servers", "import requests"),
        ("Other servers", "from urllib.request import urlopen"),
        ("Other servers", "with calling(payment.method, 'x') as at:\n    at.refund()"),
        ("Files", "open(path, 'w')"),
        ("Files", "path.open(mode='ab')"),
        ("Files", "os.replace(a, b)"),
        ("Files", "default_storage.save(name, file)"),
        ("Files", "storages['originals'].delete(name)"),
        ("Files", "files.write_renditions(original, result)"),
        ("Cache", "cache.set('a', 1, 60)"),
        ("Cache", "caches['counters'].incr('a')"),
        ("Processes", "import subprocess"),
    ],
)
def test_an_effect_in_a_new_module_is_found(tmp_path: Path, kind: str, code: str) -> None:
    module = tmp_path / "orders" / "new.py"
    module.parent.mkdir()
    module.write_text(f"def work():\n    {code.replace(chr(10), chr(10) + '    ')}\n")
    assert found_in(tmp_path) == {"orders/new.py": {kind}}


@pytest.mark.parametrize(
    "code",
    [
        "open(path)",
        "path.open('rb')",
        "text.replace('a', 'b')",
        "order.save()",
        "row.delete()",
        "cache.get('a')",
        "transaction.get_connection(using)",
        "default_storage.open(name)",
    ],
)
def test_a_read_or_a_row_is_none(code: str) -> None:
    assert effects.kinds(code) == set()
