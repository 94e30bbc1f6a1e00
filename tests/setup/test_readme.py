"""docs/settings.md describes the settings as .env.sample does. The README's tour is followed in tour.py."""

import re

from django.conf import settings

SETTING = re.compile(r"((?:^# .*\n)+)^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| (?:`(.+)`)? ?\| (.+) \|$", re.MULTILINE)


def test_the_page_of_settings_says_what_the_sample_says() -> None:
    sample = (settings.BASE_DIR / ".env.sample").read_text()
    page = (settings.BASE_DIR / "docs" / "settings.md").read_text()
    described = [
        (name, default, " ".join(line.removeprefix("# ") for line in comment.splitlines()))
        for comment, name, default in SETTING.findall(sample)
    ]
    assert ROW.findall(page) == described
    assert [name for name, _, _ in described] == re.findall(r"^([A-Z][A-Z0-9_]*)=", sample, re.MULTILINE)
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == re.findall(r"^# --- (.+) ---$", sample, re.MULTILINE)


def test_the_readme_fits_on_two_screens() -> None:
    assert len((settings.BASE_DIR / "README.md").read_text().splitlines()) <= 100
