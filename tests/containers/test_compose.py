"""Checks docker-compose.yml; `make test-containers` runs it."""

import json
import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from productbackend.api.problems import problem_body

pytestmark = pytest.mark.embedded

COMPOSE: dict[str, Any] = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SAMPLE = (settings.BASE_DIR / ".env.sample").read_text()
# Settings that the image or the stack sets.
FIXED = {"HOST", "PORT", "RELOAD", "DATA_DIR", "ALIVE_FILE", "METRICS_DIR"}
REQUIRED = ("SECRET_KEY", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD", "REDIS_PASSWORD")
# Settings that only some services need.
ONLY: dict[str, set[str]] = {
    "MYSQL_ROOT_PASSWORD": {"db"},
    "JWT_SIGNING_KEY": {"web", "web-next"},
    "SECRET_KEY_FALLBACKS": {"web", "web-next"},
    "DJANGO_SUPERUSER_": {"migrate"},
    "EMAIL_HOST": {"web", "web-next", "worker"},
    "EMAIL_PORT": {"web", "web-next", "worker"},
    "EMAIL_USE_TLS": {"web", "web-next", "worker"},
    "MAIL_TEMPLATES_DIR": {"web", "web-next", "worker"},
    "PAYMENT_": {"web", "web-next", "worker"},
    "STRIPE_": {"web", "web-next", "worker"},
    "TRANSFER_": {"web", "web-next", "worker"},
    "TEST_PROVIDER_URL": {"web", "web-next", "worker"},
    "S3_": {"web", "web-next", "worker", "images"},
}


def needs(service: str, name: str) -> bool:
    return all(service in who for what, who in ONLY.items() if name.startswith(what))


@pytest.mark.parametrize("service", ["migrate", "web", "web-next", "worker", "images", "beat"])
def test_the_settings_of_env_reach_the_services_that_need_them(service: str) -> None:
    names = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", SAMPLE, re.MULTILINE)) - FIXED
    assert set(SERVICES[service]["environment"]) == {name for name in names if needs(service, name)}


def test_servers_and_the_proxy_have_only_their_own_secrets() -> None:
    assert set(SERVICES["proxy"]["environment"]) == {
        "IMAGE_MAX_BYTES", "IMPORT_MAX_BYTES", "NUM_PROXIES", "CORS_ALLOWED_ORIGINS",
    }  # fmt: skip
    for name in ("redis", "cache"):
        assert set(SERVICES[name]["environment"]) == {"REDISCLI_AUTH"}
    assert {name for name in SERVICES["db"]["environment"] if "PASSWORD" in name} == {
        "MYSQL_PASSWORD",
        "MYSQL_ROOT_PASSWORD",
    }
    assert not [name for name, service in SERVICES.items() if "env_file" in service]


@pytest.mark.parametrize("name", REQUIRED)
def test_no_secret_has_a_default(name: str) -> None:
    given = [service["environment"][name] for service in SERVICES.values() if name in service["environment"]]
    assert given
    assert all(value.startswith(f"${{{name}:?") for value in given)


def test_an_empty_value_counts_as_unset() -> None:
    """A whole copy of .env.sample as .env, as the README has it, changes nothing."""
    text = (settings.BASE_DIR / "docker-compose.yml").read_text()
    assert re.findall(r"\$\{\w+(?!\w|:[-?]|\})[^}]*\}", text) == []


def test_only_the_proxy_is_published_and_it_does_not_reach_the_data() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert {name for name, ours in networks.items() if "front" in ours} == {"proxy", "web", "web-next"}
    assert {name for name, ours in networks.items() if "back" in ours} == set(SERVICES) - {"proxy"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"]
    assert service["pids_limit"]
    assert service["mem_limit"]
    assert not service.get("privileged")
    own = set(service.get("cap_add", []))
    if service["image"] == "productbackend":
        assert not own
    assert own <= {"CHOWN", "DAC_OVERRIDE", "NET_BIND_SERVICE", "SETGID", "SETPCAP", "SETUID"}


def test_nothing_evicts_what_is_queued_or_counted() -> None:
    """The queue's server also has the counters; the cache, which anybody can fill, is another server."""
    environment = SERVICES["web"]["environment"]
    assert (environment["REDIS_HOST"], environment["REDIS_BROKER_HOST"]) == ("cache", "${REDIS_BROKER_HOST:-redis}")
    assert "--maxmemory-policy noeviction" in SERVICES["redis"]["command"]
    assert "--maxmemory-policy allkeys-lru" in SERVICES["cache"]["command"]
    assert all(re.search(r"--maxmemory \d+mb", SERVICES[name]["command"]) for name in ("redis", "cache"))


def test_the_proxy_hides_the_metrics() -> None:
    template = (settings.BASE_DIR / "deploy" / "nginx" / "shop.conf.template").read_text()
    match = re.search(r"location = /metrics \{\s+error_page 404 = (\S+);\s+return 404;\s+\}", template)
    assert match
    answer = re.search(rf"location = {match[1]} \{{.*?return 404 '(.*?)';", template, re.DOTALL)
    assert answer
    assert json.loads(answer[1]) == problem_body("not-found", "There is no such path.")
