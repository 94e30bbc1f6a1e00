"""The README's words, followed as a newcomer would."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.setup.service import Service
from tests.setup.test_run import assert_nothing_is_left

pytestmark = pytest.mark.embedded

README = (settings.BASE_DIR / "README.md").read_text()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The service with the demo's catalogue, without its pictures: drawing these takes longer than the tour."""
    service = Service(tmp_path / "var", has_demo=False)
    try:
        service.start()
        service.load_demo(products=60, pictures=0)
        yield service
    finally:
        service.stop()


def test_the_tour_does_what_it_says(service: Service, tmp_path: Path) -> None:
    block = re.search(r"```sh\n(SHOP=.*?)```", README, re.DOTALL)
    assert block is not None
    tour = block[1].replace("http://127.0.0.1:8000", service.url)
    shell = subprocess.run(
        ["bash", "-eu", "-c", tour], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False
    )
    assert shell.returncode == 0, shell.stderr
    answers = shell.stdout
    assert '"username":"carla"' in answers
    assert '"status":"paid"' in answers
    assert "/problems/" not in answers
    order = re.findall(r'"number":"([^"]+)"', answers)
    assert len(order) == 2  # the checkout, and the order as it is read in the end
    assert len(set(order)) == 1

    family = service.family()
    assert service.stop(signal.SIGHUP, to_group=True) == 0  # the terminal is closed after it
    assert_nothing_is_left(service, family)


def test_its_table_names_every_setting() -> None:
    sample = (settings.BASE_DIR / ".env.sample").read_text()
    described = re.findall(r"^\| `([A-Z][A-Z0-9_]*)` \|", README, re.MULTILINE)
    assert described == re.findall(r"^([A-Z][A-Z0-9_]*)=", sample, re.MULTILINE)
