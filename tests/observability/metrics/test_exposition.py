"""Access to /metrics, and its values after some requests."""

import shutil
import subprocess
import time
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.db import DatabaseError
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone
from prometheus_client.openmetrics import parser as openmetrics
from rest_framework.test import APIClient

from outbox.models import Mail
from productbackend import environment
from productbackend.observability import access_log
from productbackend.observability.metrics import exposition, gauges
from productbackend.workers import beat
from products.inventory import ledger
from products.inventory.stock import StockMovement
from products.models import Product
from tests import factories
from tests.observability.metrics.reading import Samples, parsed, value
from tests.openapi import DOCUMENT
from tests.ports import free_port

pytestmark = pytest.mark.django_db
without_counters = pytest.mark.usefixtures("gauges_only")


def read(api: APIClient) -> Samples:
    answer = api.get("/metrics")
    assert answer.status_code == 200
    return parsed(answer.content.decode())


def counted(before: Samples, after: Samples, name: str, **labels: Any) -> float:
    return value(after, name, **labels) - value(before, name, **labels)


@without_counters
@pytest.mark.parametrize("neighbour", ["127.0.0.1", "::1", "10.1.2.3", "172.18.0.7", "::ffff:192.168.1.9"])
def test_metrics_are_readable_from_private_networks(api: APIClient, neighbour: str) -> None:
    answer = api.get("/metrics", REMOTE_ADDR=neighbour, HTTP_HOST="172.18.0.5:8000")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["Cache-Control"] == "no-store"


@without_counters
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
def test_metrics_are_a_404_for_other_clients(api: APIClient, stranger: dict[str, Any]) -> None:
    answer = api.get("/metrics", **stranger)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.content == api.get("/metricz", **stranger).content
    assert api.post("/metrics").status_code == 404


@without_counters
def test_metrics_from_is_a_setting(api: APIClient, settings: Any) -> None:
    settings.METRICS_FROM = environment.networks("203.0.113.0/24")
    assert api.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 200
    assert api.get("/metrics").status_code == 404
    settings.METRICS_FROM = environment.networks("none")
    assert api.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404


def test_metrics_are_not_in_the_openapi_document() -> None:
    assert not [path for path in DOCUMENT["paths"] if "metrics" in path]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: apt install prometheus")
def test_promtool_accepts_the_metrics(api: APIClient) -> None:
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
    assert counted(before, after, name, route=access_log.NO_ROUTE, status=404) == 5
    assert counted(before, after, name, method="POST", route="/products/", status=401) == 1
    assert counted(before, after, name, method="OTHER", route="/products/") == 1
    assert counted(before, after, "productbackend_http_request_duration_seconds_count", route="/products/{id}/") == 5
    assert not [labels for _, labels in after if any("no-such-path" in text for _, text in labels)]


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_a_route_is_named_as_in_the_document(path: str) -> None:
    request = RequestFactory().get("/")
    names = {"number": "2026-ABCDEFGH", "name": "forbidden", "slug": "red-shoe", "provider": "stripe"}
    filled = path.format_map({"id": 1, "product_id": 1, "image_id": 1, "part": 1, **names})
    request.resolver_match = resolve(filled)
    assert access_log.route_of(request) == path


@pytest.mark.django_db(transaction=True)
def test_catalogue_reads_are_counted_by_cache_result(api: APIClient) -> None:
    path = f"/products/{factories.product().pk}/"
    before = read(api)
    tag = api.get(path)["ETag"]
    for _ in range(2):
        api.get(path)  # cached on the second request
    api.get(path, HTTP_IF_NONE_MATCH=tag)
    api.get("/products/0/")  # a page that is not cached is no miss
    after = read(api)
    found = {r: counted(before, after, "productbackend_catalogue_reads_total", result=r) for r in ("miss", "hit")}
    assert found == {"miss": 2, "hit": 1}
    assert counted(before, after, "productbackend_catalogue_reads_total", result="not_modified") == 1
    assert counted(before, after, "productbackend_http_requests_total", route="/products/{id}/", status=304) == 1


@without_counters
def test_the_age_of_pending_rows(api: APIClient) -> None:
    samples = read(api)
    names = [f"productbackend_{what}_seconds" for what in ("mail_oldest_pending", "mail_oldest_due")]
    names.append("productbackend_image_oldest_pending_seconds")
    assert [value(samples, name) for name in names] == [0, 0, 0]

    now = timezone.now()
    sent, overdue, refused = (
        Mail.objects.create(kind="x", recipient="a@b.c", due_at=now - timedelta(minutes=2)) for _ in range(3)
    )
    Mail.objects.filter(pk=sent.pk).update(status=Mail.Status.SENT, created_at=now - timedelta(days=9))
    Mail.objects.filter(pk=refused.pk).update(due_at=now + timedelta(hours=2))
    Mail.objects.filter(pk=overdue.pk).update(created_at=now - timedelta(hours=1))
    images = factories.product().images
    for status, minutes in (("ready", 90), ("pending", 10), ("pending", 5)):
        image = images.create(original=f"{minutes}", sha256=f"{minutes}", format="JPEG", width=1, height=1)
        images.filter(pk=image.pk).update(status=status, created_at=now - timedelta(minutes=minutes))
    samples = read(api)
    assert [value(samples, name) for name in names] == pytest.approx([3600, 120, 600], abs=20)


@without_counters
def test_stock_drift_and_the_time_of_its_check(api: APIClient) -> None:
    assert value(read(api), "productbackend_stock_check_timestamp_seconds") == 0
    good, bad = factories.product("Good"), factories.product("Bad")
    Product.objects.filter(pk=bad.pk).update(quantity=99)
    ledger.check_next_slice()
    samples = read(api)
    assert value(samples, "productbackend_stock_drift_products") == 1
    assert value(samples, "productbackend_stock_check_timestamp_seconds") == pytest.approx(time.time(), abs=20)
    StockMovement.objects.create(product=bad, sku=bad.sku, delta=89, reason=StockMovement.Reason.CORRECTION)
    ledger.check_next_slice()
    assert value(read(api), "productbackend_stock_drift_products") == 0
    assert good.pk


@without_counters
def test_the_stock_is_checked_a_slice_at_a_time(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "SLICE", 2)
    products = [factories.product(f"Product {number}") for number in range(5)]
    Product.objects.filter(pk=products[0].pk).update(quantity=99)
    ledger.check_next_slice()
    samples = read(api)
    assert value(samples, "productbackend_stock_drift_products") == 1  # is reported before the check is complete
    assert value(samples, "productbackend_stock_check_timestamp_seconds") == 0
    ledger.check_next_slice()
    ledger.check_next_slice()
    check = ledger.StockCheck.objects.get()
    assert (check.checked, check.wrong, check.checked_so_far) == (5, 1, 0)
    assert value(read(api), "productbackend_stock_check_timestamp_seconds") > 0


@without_counters
def test_beats_last_tick(api: APIClient) -> None:
    name = "productbackend_beat_tick_timestamp_seconds"
    assert value(read(api), name) == 0
    beat.tick()
    assert value(read(api), name) == pytest.approx(time.time(), abs=20)


@without_counters
def test_an_unreadable_gauge_is_left_out(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError("the cache is unreachable")

    monkeypatch.setattr(cache, "get", fail)
    samples = read(api)
    assert value(samples, "productbackend_up", part="cache") == 0
    assert value(samples, "productbackend_up", part="database") == 1
    assert not [name for name, _ in samples if name == "productbackend_beat_tick_timestamp_seconds"]

    monkeypatch.setattr(
        gauges, "GAUGES", {"productbackend_x": gauges.Gauge("X", lambda: (_ for _ in ()).throw(DatabaseError("away")))}
    )
    assert not [name for name, _ in read(api) if name == "productbackend_x"]


@pytest.mark.thorough  # a process
def test_a_worker_serves_metrics_at_its_own_port(api: APIClient, settings: Any) -> None:
    api.get("/products/")
    settings.METRICS_PORT = free_port()
    exposition.serve()
    url = f"http://127.0.0.1:{settings.METRICS_PORT}"
    answer = requests.get(f"{url}/metrics", timeout=5)
    assert answer.status_code == 200
    assert "productbackend_up" not in answer.text  # only web exposes gauges of the whole shop
    negotiated = requests.get(f"{url}/metrics", headers={"Accept": "application/openmetrics-text"}, timeout=5)
    families = openmetrics.text_string_to_metric_families(negotiated.text)  # as Prometheus asks for it
    samples = {(each.name, frozenset(each.labels.items())) for family in families for each in family.samples}
    assert samples == set(parsed(answer.text))
    assert "productbackend_http_requests_total" in {name for name, _ in samples}
