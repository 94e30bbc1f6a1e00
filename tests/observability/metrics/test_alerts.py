"""The files for Prometheus and Grafana are valid and use existing metrics; the alerts are tested."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import current_app
from django.conf import settings
from django.test import override_settings
from rest_framework.test import APIClient

from productbackend.observability.metrics import counters
from tests import factories
from tests.observability.metrics.reading import parsed

pytestmark = pytest.mark.embedded

DEPLOY = settings.BASE_DIR / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
ALERTS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
PROMETHEUS_OWN = {"up", "ALERTS"}

with_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing: apt install prometheus"
)


def promtool(*arguments: str) -> str:
    """Run promtool; return its output. Raises AssertionError if it finds an error."""
    found = subprocess.run(["promtool", *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@with_promtool
def test_configuration_and_rules_are_valid() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "config", "--lint-fatal", "prometheus.yml")


@with_promtool
@pytest.mark.thorough  # a simulated day for each alert
def test_the_rules_pass_promtools_tests() -> None:
    promtool("test", "rules", "alerts_test.yml")


def test_each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    tests = yaml.safe_load((RULES.parent / "alerts_test.yml").read_text())["tests"]
    tried = [(case["alertname"], bool(case.get("exp_alerts"))) for test in tests for case in test["alert_rule_test"]]
    assert {(alert["alert"], speaks) for alert in ALERTS for speaks in (True, False)} == set(tried)


def test_each_alert_has_a_summary_and_a_runbook_link() -> None:
    for alert in ALERTS:
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"]["summary"]
        assert alert["annotations"]["description"]
        assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{alert['alert'].lower()}"


@with_promtool
def test_the_dashboards_queries_are_valid(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, query in enumerate(QUERIES)
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(path))


def names_in(query: str) -> set[str]:
    """The metrics of a query: names that are no function, label, keyword or string."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without|ignoring) *\([^)]*\)', " ", query)
    words = set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?![a-zA-Z0-9_:]*\s*\()", bare))
    return words - {"or", "and", "unless", "bool", "sum", "max", "min", "le"}


def test_names_in_finds_the_metrics_of_a_query() -> None:
    query = 'histogram_quantile(0.9, sum by (le) (rate(a_bucket{b=~"c"}[5m]))) / max(d) > 1 or time() - e == 0'
    assert names_in(query) == {"a_bucket", "d", "e"}


@pytest.mark.django_db
@override_settings(SHOP_PRODUCT_URL="https://shop.example/{slug}")
def test_every_used_metric_exists_and_every_metric_is_on_the_dashboard(api: APIClient) -> None:
    factories.product()
    api.get("/products/")
    for result in counters.READS:
        counters.reads.labels(result)
    counters.count_sign_in("/token/", "failure")
    current_app.loader.import_default_modules()
    counters.create_task_series()
    counters.task_seconds.labels("a.task").observe(1)
    given = {name for name, _ in parsed(api.get("/metrics").content.decode())}
    alerting = set().union(*(names_in(alert["expr"]) for alert in ALERTS)) - PROMETHEUS_OWN
    shown = set().union(*(names_in(query) for query in QUERIES)) - PROMETHEUS_OWN
    assert alerting
    assert alerting <= given
    assert shown <= given
    page = (settings.BASE_DIR / "docs" / "watching.md").read_text()
    described = set(re.findall(r"^\| `(productbackend_\w+)` \|", page, re.MULTILINE))
    assert described == {re.sub("_(bucket|sum|count)$", "", name) for name in given}
    # The dashboard shows the buckets of a histogram.
    assert given - shown <= {name for name in given if name.endswith(("_sum", "_count"))}


def test_every_alert_is_marked_on_the_dashboard() -> None:
    (annotation,) = DASHBOARD["annotations"]["list"]
    assert set(re.findall(r"[A-Z][A-Za-z]+(?=[|\"])", annotation["expr"])) >= {alert["alert"] for alert in ALERTS}


def test_prometheus_scrapes_services_of_the_stack() -> None:
    jobs = yaml.safe_load((RULES.parent / "prometheus.yml").read_text())["scrape_configs"]
    services = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())["services"]
    asked = {config["names"][0]: config["port"] for job in jobs for config in job["dns_sd_configs"]}
    ports = {name: int(services[name]["environment"]["METRICS_PORT"]) for name in ("worker", "images")}
    assert asked == {"web": 8000, **ports}
    assert [job["job_name"] for job in jobs] == list(asked)
