"""The requirements are locked with hashes, and audited if the advisory service is reachable."""

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.embedded

FILES = sorted(settings.BASE_DIR.glob("requirements*.txt"))
FOUND = "Found 1 known vulnerability in 1 package"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_pin_has_hashes_and_no_host(path: Path) -> None:
    text = path.read_text()
    pins = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(pins) > 20
    for pin in pins:
        assert re.match(r"[A-Za-z0-9._-]+==\S+ (;.*)?\\\n    --hash=sha256:[0-9a-f]{64}", pin), pin.splitlines()[0]
    assert "://" not in text


def test_every_installation_requires_hashes() -> None:
    for name in ("Makefile", "Dockerfile"):
        lines = (settings.BASE_DIR / name).read_text().replace("\\\n", " ").splitlines()
        installs = [line for line in lines if re.search(r"install.*--requirement", line, re.IGNORECASE)]
        assert installs
        assert all("--require-hashes" in line for line in installs), name


@pytest.mark.parametrize(
    ("pip_audit", "code", "said"),
    [
        ("exit 0", 0, "no advisory is known"),
        (f"echo '{FOUND}' >&2; echo 'django 5.2.1 CVE-2026-1 5.2.2'; exit 1", 1, "CVE-2026-1"),
        ("echo 'ERROR: Could not connect to the vulnerability service' >&2; exit 1", 0, "NOT audited"),
        ("exec sleep 30", 0, "NOT audited"),
    ],
    ids=["nothing", "an advisory", "no network", "no answer"],
)
def test_an_audit_fails_for_advisories_alone(tmp_path: Path, pip_audit: str, code: int, said: str) -> None:
    stub = tmp_path / "bin" / "pip-audit"
    stub.parent.mkdir()
    stub.write_text(f"#!/bin/sh\n{pip_audit}\n")
    stub.chmod(0o755)
    audit = subprocess.run(
        ["sh", "scripts/audit", str(tmp_path), "0.5"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert audit.returncode == code, audit.stdout + audit.stderr
    assert said in audit.stdout
