"""What docker-compose.yml says; `make test-containers` runs it."""

import json
import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from productbackend.api.problems import problem_body

COMPOSE: dict[str, Any] = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())
SAMPLE = (settings.BASE_DIR / ".env.sample").read_text()
# What the image or the stack itself decides.
FIXED = {"PORT", "DATA_DIR", "ALIVE_FILE", "METRICS_DIR"}
ELSEWHERE = {"MYSQL_ROOT_PASSWORD": "db"} | {
    f"DJANGO_SUPERUSER_{part}": "migrate" for part in ("USERNAME", "PASSWORD", "EMAIL")
}


@pytest.mark.parametrize("service", ["migrate", "web", "web-next", "worker", "images", "beat"])
def test_every_setting_of_env_reaches_the_service(service: str) -> None:
    names = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", SAMPLE, re.MULTILINE)) - FIXED
    expected = {name for name in names if ELSEWHERE.get(name, service) == service}
    assert set(COMPOSE["services"][service]["environment"]) == expected


def test_no_secret_has_a_default_and_only_the_proxy_is_published() -> None:
    for name in ("SECRET_KEY", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"):
        given = [
            service["environment"][name] for service in COMPOSE["services"].values() if name in service["environment"]
        ]
        assert given
        assert all(value.startswith(f"${{{name}:?") for value in given)
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]


def test_the_proxy_hands_no_one_the_metrics() -> None:
    template = (settings.BASE_DIR / "deploy" / "nginx" / "shop.conf.template").read_text()
    place = re.search(r"location = /metrics \{\s+error_page 404 = (\S+);\s+return 404;\s+\}", template)
    assert place
    answer = re.search(rf"location = {place[1]} \{{.*?return 404 '(.*?)';", template, re.DOTALL)
    assert answer
    assert json.loads(answer[1]) == problem_body("not-found", "There is no such path.")
