"""The table of mutants fits the code: each changes one line that is there once, and names tests that exist."""

from pathlib import Path

import pytest
from django.conf import settings

from tests.mutants.__main__ import MUTANTS

pytestmark = pytest.mark.embedded

ROOT: Path = settings.BASE_DIR


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_changes_one_place_and_its_net_exists(name: str) -> None:
    mutant = MUTANTS[name]
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.new != mutant.old
    assert [path for path in mutant.net.split() if not (ROOT / path).exists()] == []
