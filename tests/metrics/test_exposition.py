"""Who may read /metrics, and what stands there after some requests."""

import shutil
import subprocess
import time
from datetime import timedelta
from typing import Any

import pytest
import requests
import yaml
from django.conf import settings as project
from django.core.cache import cache
from django.db import DatabaseError
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone
from rest_framework.test import APIClient

from outbox.models import Mail
from productbackend import access, beat, environment
from productbackend.metrics import exposition, gauges
from products import ledger
from products.models import Product
from products.stock import StockMovement
from tests import factories
from tests.metrics.reading import Samples, parsed, value
from tests.setup.service import free_port

pytestmark = pytest.mark.django_db

DOCUMENT: dict[str, Any] = yaml.safe_load((project.BASE_DIR / "openapi.yml").read_text())


def read(api: APIClient) -> Samples:
    answer = api.get("/metrics")
    assert answer.status_code == 200
    return parsed(answer.content.decode())


def counted(before: Samples, after: Samples, name: str, **labels: Any) -> float:
    return value(after, name, **labels) - value(before, name, **labels)


@pytest.mark.parametrize("neighbour", ["127.0.0.1", "::1", "10.1.2.3", "172.18.0.7", "::ffff:192.168.1.9"])
def test_a_neighbour_may_read_them(api: APIClient, neighbour: str) -> None:
    answer = api.get("/metrics", REMOTE_ADDR=neighbour, HTTP_HOST="172.18.0.5:8000")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "stranger",
    [
        {"REMOTE_ADDR": "203.0.113.9"},
        {"REMOTE_ADDR": "2001:db8::1"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "10.0.0.1"},
        {"HTTP_X_FORWARDED_FOR": ""},
        {"HTTP_FORWARDED": "for=10.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
    ],
    ids=str,
)
def test_to_anyone_else_there_is_no_such_path(api: APIClient, stranger: dict[str, Any]) -> None:
    answer = api.get("/metrics", **stranger)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.content == api.get("/metricz", **stranger).content
    assert api.post("/metrics").status_code == 404


def test_who_may_read_them_is_a_setting(api: APIClient, settings: Any) -> None:
    settings.METRICS_FROM = environment.networks("203.0.113.0/24")
    assert api.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 200
    assert api.get("/metrics").status_code == 404
    settings.METRICS_FROM = environment.networks("none")
    assert api.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404


def test_they_are_no_part_of_the_api() -> None:
    assert not [path for path in DOCUMENT["paths"] if "metrics" in path]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: apt install prometheus")
def test_prometheus_own_tool_finds_nothing_wrong_with_them(api: APIClient) -> None:
    api.get("/")
    lint = ["promtool", "check", "metrics"]
    found = subprocess.run(lint, input=api.get("/metrics").content, capture_output=True, check=False)
    assert (found.returncode, found.stdout + found.stderr) == (0, b"")


def test_requests_are_counted_by_route_and_not_by_path(api: APIClient) -> None:
    before = read(api)
    for number in range(1, 6):
        api.get(f"/products/{number}/")
        api.get(f"/no-such-path-{number}/")
    api.post("/products/", {})
    api.generic("BREW", "/products/")
    after = read(api)
    name = "productbackend_http_requests_total"
    assert counted(before, after, name, method="GET", route="/products/{id}/", status=404) == 5
    assert counted(before, after, name, route=access.NOWHERE, status=404) == 5
    assert counted(before, after, name, method="POST", route="/products/", status=401) == 1
    assert counted(before, after, name, method="OTHER", route="/products/") == 1
    assert counted(before, after, "productbackend_http_request_duration_seconds_count", route="/products/{id}/") == 5
    assert not [labels for _, labels in after if any("no-such-path" in text for _, text in labels)]


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_a_route_is_named_as_in_the_document(path: str) -> None:
    request = RequestFactory().get("/")
    filled = path.format_map({"id": 1, "product_id": 1, "image_id": 1, "number": "2026-ABCDEFGH", "name": "forbidden"})
    request.resolver_match = resolve(filled)
    assert access.route_of(request) == path


@pytest.mark.django_db(transaction=True)
def test_reads_of_the_catalogue_are_told_apart_by_the_cache(api: APIClient) -> None:
    path = f"/products/{factories.product().pk}/"
    before = read(api)
    tag = api.get(path)["ETag"]
    api.get(path)
    api.get(path, HTTP_IF_NONE_MATCH=tag)
    api.get("/products/0/")  # a page that is not kept is no miss
    after = read(api)
    found = {r: counted(before, after, "productbackend_catalogue_reads_total", result=r) for r in ("miss", "hit")}
    assert found == {"miss": 1, "hit": 1}
    assert counted(before, after, "productbackend_catalogue_reads_total", result="not_modified") == 1
    assert counted(before, after, "productbackend_http_requests_total", route="/products/{id}/", status=304) == 1


def test_how_old_is_what_waits(api: APIClient) -> None:
    samples = read(api)
    names = [f"productbackend_{what}_seconds" for what in ("mail_oldest_pending", "mail_oldest_due")]
    names.append("productbackend_image_oldest_pending_seconds")
    assert [value(samples, name) for name in names] == [0, 0, 0]

    now = timezone.now()
    sent, owed, refused = (
        Mail.objects.create(kind="x", recipient="a@b.c", due_at=now - timedelta(minutes=2)) for _ in range(3)
    )
    Mail.objects.filter(pk=sent.pk).update(status=Mail.Status.SENT, created_at=now - timedelta(days=9))
    Mail.objects.filter(pk=refused.pk).update(due_at=now + timedelta(hours=2))
    Mail.objects.filter(pk=owed.pk).update(created_at=now - timedelta(hours=1))
    images = factories.product().images
    for status, minutes in (("ready", 90), ("pending", 10), ("pending", 5)):
        image = images.create(original=f"{minutes}", sha256=f"{minutes}", format="JPEG", width=1, height=1)
        images.filter(pk=image.pk).update(status=status, created_at=now - timedelta(minutes=minutes))
    samples = read(api)
    assert [value(samples, name) for name in names] == pytest.approx([3600, 120, 600], abs=20)


def test_stock_drift_and_when_it_was_looked_for(api: APIClient) -> None:
    assert value(read(api), "productbackend_stock_check_timestamp_seconds") == 0
    good, bad = factories.product("Good"), factories.product("Bad")
    Product.objects.filter(pk=bad.pk).update(quantity=99)
    ledger.check_on()
    samples = read(api)
    assert value(samples, "productbackend_stock_drift_products") == 1
    assert value(samples, "productbackend_stock_check_timestamp_seconds") == pytest.approx(time.time(), abs=20)
    StockMovement.objects.create(product=bad, sku=bad.sku, delta=89, reason=StockMovement.Reason.CORRECTION)
    ledger.check_on()
    assert value(read(api), "productbackend_stock_drift_products") == 0
    assert good.pk


def test_the_stock_is_checked_a_slice_at_a_time(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "SLICE", 2)
    products = [factories.product(f"Product {number}") for number in range(5)]
    Product.objects.filter(pk=products[0].pk).update(quantity=99)
    ledger.check_on()
    samples = read(api)
    assert value(samples, "productbackend_stock_drift_products") == 1  # is told before all is looked at
    assert value(samples, "productbackend_stock_check_timestamp_seconds") == 0
    ledger.check_on()
    ledger.check_on()
    check = ledger.StockCheck.objects.get()
    assert (check.products, check.wrong, check.products_so_far) == (5, 1, 0)
    assert value(read(api), "productbackend_stock_check_timestamp_seconds") > 0


def test_beats_last_tick(api: APIClient) -> None:
    name = "productbackend_beat_tick_timestamp_seconds"
    assert value(read(api), name) == 0
    beat.tick()
    assert value(read(api), name) == pytest.approx(time.time(), abs=20)


def test_what_cannot_be_read_is_left_out_and_the_rest_is_there(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError("the cache is away")

    monkeypatch.setattr(cache, "get", fail)
    samples = read(api)
    assert value(samples, "productbackend_up", part="cache") == 0
    assert value(samples, "productbackend_up", part="database") == 1
    assert not [name for name, _ in samples if name == "productbackend_beat_tick_timestamp_seconds"]

    monkeypatch.setattr(
        gauges, "_gauges", {"productbackend_x": gauges.Gauge("X", lambda: (_ for _ in ()).throw(DatabaseError("away")))}
    )
    assert not [name for name, _ in read(api) if name == "productbackend_x"]


def test_a_worker_answers_at_a_port_of_its_own(settings: Any) -> None:
    settings.METRICS_PORT = free_port()
    exposition.serve()
    url = f"http://127.0.0.1:{settings.METRICS_PORT}"
    answer = requests.get(f"{url}/metrics", timeout=5)
    assert answer.status_code == 200
    assert "productbackend_up" not in answer.text  # what is true of the whole shop is web's to say
    assert requests.get(f"{url}/", timeout=5).status_code == 404
    assert requests.get(f"{url}/metrics", headers={"X-Forwarded-For": "10.0.0.1"}, timeout=5).status_code == 404
