"""docs/howto/add-a-field.md: a copy of the source that follows it has the new field, after edits in six files."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from tests.migrating import MIGRATED
from tests.setup.service import EMBEDDED

ROOT: Path = settings.BASE_DIR
RECIPE = (ROOT / "docs" / "howto" / "add-a-field.md").read_text()
FILES_MAX = 6
BLOCK = re.compile(r"^    ```diff\n    \+\+\+ (\S+)\n(.*?)^    ```$", re.MULTILINE | re.DOTALL)
TIMEOUT = 120  # seconds

# Run in the copy: generates the migration, creates the field's rows over HTTP, and prints what is read.
SHOP = """
import json, django
django.setup()
from django.core.management import call_command
call_command("makemigrations", "products", name="weight_grams", verbosity=0)
call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.test import APIClient
call_command("migrate", verbosity=0)
stella = get_user_model().objects.create(username="stella", is_staff=True, is_superuser=True)
staff, admin = APIClient(), Client()
staff.force_authenticate(stella)
admin.force_login(stella)
made = [
    staff.post("/products/", {"name": f"p{weight}", "quantity": 1, "weight_grams": weight}, format="json")
    for weight in (None, 850, 20, -1)
]
page = admin.get(f"/admin/products/product/{made[1].json()['id']}/change/").content.decode()
found = APIClient().get("/products/?max_weight_grams=100").json()["results"]
print(json.dumps({
    "statuses": [response.status_code for response in made],
    "weights": [response.json()["weight_grams"] for response in made[:3]],
    "refused": made[3].json()["errors"][0]["field"],
    "found": [row["name"] for row in found],
    "in_admin": 'name="weight_grams" value="850"' in page,
}))
"""


def diffs() -> list[tuple[str, list[str]]]:
    """Each block of the recipe: the path of a file, and the lines of the difference, without the list's indentation."""
    return [(path, [line[4:] for line in text.splitlines()]) for path, text in BLOCK.findall(RECIPE)]


def apply(path: Path, lines: list[str]) -> None:
    """Edit a file as the block says. Its other lines stand once in the file, one after another."""
    before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    after = "".join(f"{line[1:]}\n" for line in lines)
    text = path.read_text()
    assert text.count(f"\n{before}") == 1, f"{path.name} has not once:\n{before}"
    path.write_text(text.replace(f"\n{before}", f"\n{after}"))


@pytest.fixture
def copy(tmp_path: Path, shared: Path, django_db_setup: None) -> Path:
    """A copy of the source, and of the database before the field, if the tests have one on SQLite."""
    names = [Path(config.path).name for config in apps.get_app_configs() if Path(config.path).parent == ROOT]
    for name in (*names, "productbackend"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "manage.py", tmp_path)
    (tmp_path / "var").mkdir()
    if (shared / MIGRATED).exists():
        shutil.copy(shared / MIGRATED, tmp_path / "var" / "db.sqlite3")
    return tmp_path


def run(copy: Path, *arguments: str) -> str:
    """Run Python in the copy, with a database of its own."""
    given = {"DJANGO_SETTINGS_MODULE": "productbackend.settings", "DATA_DIR": str(copy / "var"), "DEBUG": "true"}
    given["ALLOWED_HOSTS"] = "testserver"
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | EMBEDDED | given,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.embedded  # on a database of its own
@pytest.mark.thorough
def test_a_field_takes_edits_in_six_files_at_most(copy: Path) -> None:
    files = {path for path, _ in diffs()}
    assert {"products/models/product.py", "products/api/serializers.py"} <= files
    assert len(files | {"CHANGELOG.md"}) <= FILES_MAX
    for path, lines in diffs():
        apply(copy / path, lines)
    answers = json.loads(run(copy, "-c", SHOP).splitlines()[-1])
    assert len(list((copy / "products" / "migrations").glob("*_weight_grams.py"))) == 1
    assert answers == {
        "statuses": [201, 201, 201, 400],
        "weights": [None, 850, 20],
        "refused": "weight_grams",
        "found": ["p20"],
        "in_admin": True,
    }
