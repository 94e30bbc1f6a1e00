"""The documents name files that exist, and their links lead somewhere."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.conf import settings

pytestmark = pytest.mark.embedded

ROOT: Path = settings.BASE_DIR
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
TOP = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in ("var", "backups")}
# A file below one of the repository's folders, except in a quoted string; and a folder that stands in backquotes.
ENDINGS = "py|sh|md|yml|json|toml|ts|css|js|html|svg|template|txt"
FILE = re.compile(rf"""(?<![\w./*{{<"-])((?:[\w.-]+/)+[\w.-]+\.(?:{ENDINGS}))\b""")
FOLDER = re.compile(r"`((?:[a-z_]+/)+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_path_that_it_names_exists(document: Path) -> None:
    text = LINK.sub("", document.read_text())
    named = [path for path in FILE.findall(text) + FOLDER.findall(text) if path.split("/")[0] in TOP]
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_relative_link_resolves(document: Path) -> None:
    links = LINK.findall(CODE.sub("", document.read_text()))
    files = [unquote(link.partition("#")[0]) for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [file for file in files if file and not (document.parent / file).exists()] == []


def test_the_site_has_every_document_in_its_navigation() -> None:
    navigation = re.findall(r"^ +- (?:[^:]+: )(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(navigation) == sorted(map(name, DOCUMENTS))


def test_the_page_of_the_architecture_has_the_middleware_in_its_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| [0-9]+ \| `(\w+)`", text, re.MULTILINE)
    assert rows == [path.rpartition(".")[2] for path in settings.MIDDLEWARE]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_what_belongs_to_a_list_item_is_indented_by_four(document: Path) -> None:
    """The site's Markdown ends the list otherwise, and begins to count again."""
    assert re.findall(r"^ {1,3}(?:[-*] |[0-9]+\. |```).*", document.read_text(), re.MULTILINE) == []
