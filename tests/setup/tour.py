"""Follows the README's tour."""

import re
import subprocess
from pathlib import Path

from django.conf import settings

from tests.setup.service import Service


def take_the_tour(service: Service, folder: Path, *, is_paying: bool = False) -> None:
    """Run the commands of the README's tour, with those of a shop that takes money if it does."""
    readme = (settings.BASE_DIR / "README.md").read_text()
    shopping, paying = re.findall(r"^```sh\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    tour = (shopping + paying if is_paying else shopping).replace("http://127.0.0.1:8000", service.url)
    shell = subprocess.run(
        ["bash", "-eu", "-c", tour], capture_output=True, text=True, timeout=60, cwd=folder, check=False
    )
    assert shell.returncode == 0, shell.stderr
    answers = shell.stdout
    assert '"username":"carla"' in answers
    assert "/problems/" not in answers
    # The first order: of the checkout, and read. The second one: read after paying.
    orders = re.findall(r'"number":"([^"]+)","status":"([^"]+)"', answers)
    expected = ["pending", "pending", "paid"] if is_paying else ["paid", "paid"]
    assert [status for _, status in orders] == expected
    assert orders[0][0] == orders[1][0]
    assert len({number for number, _ in orders}) == (2 if is_paying else 1)
    assert ('"status":"succeeded"' in answers) == is_paying
