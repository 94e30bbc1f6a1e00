"""docs/runbook.md has a heading for each alert, and its commands, services and metrics exist."""

import re

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

pytestmark = pytest.mark.embedded

RUNBOOK = (settings.BASE_DIR / "docs" / "runbook.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)
RULES = yaml.safe_load((settings.BASE_DIR / "deploy" / "prometheus" / "alerts.yml").read_text())
ALERTS = {rule["alert"]: rule["annotations"] for group in RULES["groups"] for rule in group["rules"]}
SERVICES = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())["services"]


def anchor(heading: str) -> str:
    """The anchor of a heading, as Markdown renderers generate it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_links_to_its_heading(alert: str) -> None:
    assert ALERTS[alert]["runbook_url"].endswith(f"docs/runbook.md#{anchor(alert)}")
    [text] = re.findall(rf"^## {alert}\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    for part in ("**Means**", "**See**", "**Do**"):
        assert part in text


def test_its_links_resolve() -> None:
    anchors = {anchor(heading) for heading in HEADINGS}
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= anchors
    for path in re.findall(r"\]\(([^)#]+)\)", RUNBOOK):
        assert (settings.BASE_DIR / "docs" / path).exists(), path


def test_its_commands_services_and_metrics_exist() -> None:
    commands = set(re.findall(r"manage\.py (\w+)", RUNBOOK))
    assert {"doctor", "check_stock", "check_orders"} <= commands <= set(get_commands())
    named = set(re.findall(r"docker compose (?:exec|up --detach(?: --wait)?|restart|logs --tail 50) ([a-z]+)", RUNBOOK))
    assert {"web", "worker", "images", "beat", "db", "redis", "cache"} <= named <= set(SERVICES)
    rules = (settings.BASE_DIR / "deploy" / "prometheus" / "alerts.yml").read_text()
    for metric in re.findall(r"productbackend_\w+_(?:total|seconds|bucket|products|orders)\b", RUNBOOK):
        assert metric in rules
