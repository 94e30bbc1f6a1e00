"""Images over HTTP: uploaded, seen, ordered, removed; and what workers do about them."""

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from products import images
from products.models import Product, ProductImage
from tests import factories
from tests.products import pictures

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    """A file store of the test's own."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def product(db: Any) -> Product:
    return factories.product()


@pytest.fixture
def keeper(db: Any) -> APIClient:
    """Staff who may do everything."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(factories.user("keeper", is_staff=True, is_superuser=True))
    return client


def post(client: APIClient, product: Product, data: bytes | None = None, **fields: Any) -> Any:
    file = pictures.upload(pictures.jpeg() if data is None else data)
    return client.post(f"/products/{product.pk}/images/", {"image": file, **fields}, format="multipart")


def add(product: Product, width: int = 60, **fields: Any) -> ProductImage:
    """An image that is ready; the width makes it another file."""
    image, _ = images.add(product_id=product.pk, file=pictures.upload(pictures.jpeg(width, 40)))
    images.process(image.pk)
    ProductImage.objects.filter(pk=image.pk).update(**fields)
    image.refresh_from_db()
    return image


# --- Uploading ---------------------------------------------------------------------------------


def test_an_upload_becomes_two_renditions(keeper: APIClient, api: APIClient, product: Product) -> None:
    answer = post(keeper, product, pictures.jpeg(4000, 3000), alt_text="A red shoe")
    assert answer.status_code == 201, answer.content
    image = answer.json()
    assert answer["Location"] == f"http://testserver/products/{product.pk}/images/{image['id']}/"
    original = f"http://testserver/products/{product.pk}/images/{image['id']}/original/"
    assert image == {
        "id": image["id"],
        "product": product.pk,
        "alt_text": "A red shoe",
        "position": 0,
        "status": "pending",
        "error": None,
        "width": 4000,
        "height": 3000,
        "original": original,
        "full": None,
        "thumb": None,
    }

    images.process(image["id"])

    ready = api.get(f"/products/{product.pk}/images/{image['id']}/").json()
    assert ready["status"] == "ready"
    assert "original" not in ready
    sizes = {name: pictures.opened(fetch(api, ready[name]).content).size for name in ("full", "thumb")}
    assert sizes == {"full": (500, 375), "thumb": (100, 75)}
    name = ready["full"].removeprefix("http://testserver/media/").removesuffix("-full.jpg")
    assert pictures.files() == [f"{name}-full.jpg", f"{name}-thumb.jpg", f"{name}.jpg"]


def fetch(client: APIClient, url: str, **headers: Any) -> Any:
    return client.get(url.removeprefix("http://testserver"), **headers)
