"""A running service with two pages of products, for generated clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.service import Service

PRODUCTS = 7
STOCK = 10


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "var", has_demo=False)
    try:
        service.start()
        token = service.token()
        for number in range(1, PRODUCTS + 1):
            body = {"name": f"Travel mug {number}", "price": f"{number}.95", "quantity": STOCK}
            made = service.request("POST", "/products/", json=body, token=token)
            made.raise_for_status()
            assert made.headers["Location"] == f"{service.url}/products/{made.json()['id']}/"
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def document(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document that the service serves."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    answer = service.request("GET", "/api-schema/?format=json")
    answer.raise_for_status()
    path.write_text(answer.text)
    return path
