"""Images over HTTP: uploading, reading, ordering, deleting."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from products.images import lifecycle
from products.models import Product, ProductImage
from tests import factories
from tests.products import pictures
from tests.products.pictures import add, fetch, path, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


# --- Uploading ---------------------------------------------------------------------------------


def test_an_upload_becomes_three_renditions(staff: APIClient, api: APIClient, product: Product) -> None:
    response = post(staff, product, pictures.jpeg(4000, 3000), alt_text="A red shoe")
    assert response.status_code == 201, response.content
    image = response.json()
    assert response["Location"] == f"http://testserver/products/{product.pk}/images/{image['id']}/"
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
        "large": None,
        "sources": [],
    }

    lifecycle.process(image["id"])

    ready = api.get(f"/products/{product.pk}/images/{image['id']}/").json()
    assert ready["status"] == "ready"
    assert "original" not in ready
    sizes = {name: pictures.decode(fetch(api, ready[name]).content).size for name in ("full", "thumb", "large")}
    assert sizes == {"full": (500, 375), "thumb": (100, 75), "large": (1200, 900)}
    name = ready["full"].removeprefix("http://testserver/media/").removesuffix("-full.jpg")
    expected = [
        f"{name}-{rendition}.{format}" for rendition in ("full", "large", "thumb") for format in ("jpg", "webp")
    ]
    assert pictures.files() == [*expected, f"{name}.jpg"]


def test_the_sources_are_in_the_order_of_a_picture_element(api: APIClient, product: Product, settings: Any) -> None:
    settings.IMAGE_RENDITIONS = {
        name: {**wanted, "formats": ["WEBP", "AVIF"]} for name, wanted in settings.IMAGE_RENDITIONS.items()
    }
    sources = api.get(path(add(product, 600))).json()["sources"]
    assert [(source["rendition"], source["type"]) for source in sources] == [
        (rendition, f"image/{type}") for rendition in ("large", "full", "thumb") for type in ("avif", "webp", "jpeg")
    ]
    for source in sources:
        response = fetch(api, source["url"])
        assert (response.status_code, response["Content-Type"]) == (200, source["type"])
        assert pictures.decode(response.content).size == (source["width"], source["height"])


def test_large_is_null_if_the_settings_lack_it(api: APIClient, product: Product, settings: Any) -> None:
    settings.IMAGE_RENDITIONS = {name: settings.IMAGE_RENDITIONS[name] for name in ("full", "thumb")}
    shown = api.get(path(add(product, 600))).json()
    assert shown["large"] is None
    assert {source["rendition"] for source in shown["sources"]} == {"full", "thumb"}


def test_a_format_is_offered_once(api: APIClient, product: Product) -> None:
    image, _ = lifecycle.add(
        product_id=product.pk, file=pictures.upload(pictures.encode(pictures.photograph(60, 40), "WEBP"))
    )
    lifecycle.process(image.pk)
    shown = api.get(path(image)).json()
    assert {source["url"] for source in shown["sources"]} == {shown["full"], shown["thumb"], shown["large"]}
    assert len(shown["sources"]) == 3


def test_a_row_without_other_formats(api: APIClient, product: Product) -> None:
    image = add(product)
    old = {name: {key: row[key] for key in ("file", "width", "height")} for name, row in image.renditions.items()}
    ProductImage.objects.filter(pk=image.pk).update(renditions=old)
    shown = api.get(path(image)).json()
    assert {source["url"] for source in shown["sources"]} == {shown["full"], shown["thumb"], shown["large"]}
    assert len(shown["sources"]) == 3


def test_the_same_bytes_return_the_existing_image(staff: APIClient, product: Product) -> None:
    first, second = post(staff, product), post(staff, product, alt_text="again")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert len(pictures.files()) == 1
    assert post(staff, factories.product("Blue shoe")).status_code == 201  # another product has its own image


def test_a_new_image_is_last(staff: APIClient, product: Product) -> None:
    add(product, position=7)
    assert post(staff, product).json()["position"] == 8


def test_the_field_is_required_and_must_be_a_file(staff: APIClient, product: Product) -> None:
    for body in ({}, {"image": "a text"}, {"photo": pictures.upload(pictures.jpeg())}):
        response = staff.post(f"/products/{product.pk}/images/", body, format="multipart")
        assert response.status_code == 400
        assert response.json()["type"] == "/problems/validation-error"
        assert response.json()["errors"][0]["field"] == "image"
    assert pictures.files() == []


def test_an_upload_as_json_is_a_415(staff: APIClient, product: Product) -> None:
    response = staff.post(f"/products/{product.pk}/images/", {"image": "x"}, format="json")
    assert response.status_code == 415


def test_a_file_of_too_many_bytes_is_a_413(staff: APIClient, product: Product, settings: Any) -> None:
    data = pictures.jpeg()
    settings.IMAGE_MAX_BYTES = len(data) - 1
    response = post(staff, product, data)
    assert (response.status_code, response.json()["type"]) == (413, "/problems/too-large")
    assert pictures.files() == []
    settings.IMAGE_MAX_BYTES = len(data)
    assert post(staff, product, data).status_code == 201


def test_a_picture_of_too_many_pixels_is_refused(staff: APIClient, product: Product, settings: Any) -> None:
    settings.IMAGE_MAX_PIXELS = 800 * 600 - 1
    response = post(staff, product)
    assert (response.status_code, response.json()["type"]) == (400, "/problems/invalid-image")
    assert pictures.files() == []
    settings.IMAGE_MAX_PIXELS = 800 * 600
    assert post(staff, product).status_code == 201


def test_an_unknown_product_is_a_404_and_stores_nothing(staff: APIClient, product: Product) -> None:
    product.pk = 10**6
    assert post(staff, product).status_code == 404
    assert pictures.files() == []


# --- Permissions and visibility --------------------------------------------------------------------


def test_only_staff_with_the_permission_write(api: APIClient, product: Product) -> None:
    image = add(product)
    clerk = factories.user("clerk", is_staff=True)
    writes = (
        lambda client: post(client, product),
        lambda client: client.patch(path(image), {"alt_text": "x"}),
        lambda client: client.delete(path(image)),
        lambda client: client.put(f"/products/{product.pk}/images/order/", {"images": [image.pk]}),
    )
    for write in writes:
        assert write(api).status_code == 401
    api.force_authenticate(clerk)
    for write in writes:
        assert write(api).status_code == 403
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=["add_productimage", "view_productimage"]))
    api.force_authenticate(type(clerk).objects.get(pk=clerk.pk))
    assert [write(api).status_code for write in writes] == [201, 403, 403, 403]


def test_only_staff_see_images_that_are_not_ready(staff: APIClient, api: APIClient, product: Product) -> None:
    ready = add(product)
    pending = add(product, 61, status="pending", renditions={})
    failed = add(product, 62, status="failed", error_code="broken", error_detail="It is damaged.", renditions={})
    url = f"/products/{product.pk}/images/"
    assert [image["id"] for image in api.get(url).json()["results"]] == [ready.pk]
    assert [image["id"] for image in staff.get(url).json()["results"]] == [ready.pk, pending.pk, failed.pk]
    assert staff.get(path(failed)).json()["error"] == {"code": "broken", "detail": "It is damaged."}
    assert [api.get(path(image)).status_code for image in (ready, pending, failed)] == [200, 404, 404]


def test_images_of_a_hidden_product_are_for_staff(staff: APIClient, api: APIClient) -> None:
    image = add(factories.product(is_active=False))
    for url in (path(image), f"/products/{image.product_id}/images/"):
        assert api.get(url).status_code == 404
        assert staff.get(url).status_code == 200


def test_an_image_is_found_below_its_own_product_only(staff: APIClient, product: Product) -> None:
    image = add(product)
    other = factories.product("Blue shoe")
    for url in (f"/products/{other.pk}/images/{image.pk}/", f"/products/{product.pk}/images/{10**30}/"):
        assert staff.get(url).status_code == 404


def test_the_original_is_for_staff_only(staff: APIClient, api: APIClient, product: Product) -> None:
    data = pictures.encode(pictures.photograph(60, 40), "PNG")
    image = ProductImage.objects.get(pk=post(staff, product, data).json()["id"])
    lifecycle.process(image.pk)
    response = fetch(staff, path(image, "original/"), accept="image/*")
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == data
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment;")
    assert "no-store" in response["Cache-Control"]
    assert api.get(path(image, "original/")).status_code == 404
    api.force_authenticate(factories.user("clerk", is_staff=True))
    assert api.get(path(image, "original/")).status_code == 404


# --- Reading -------------------------------------------------------------------------------------


def test_the_list_is_paginated(api: APIClient, product: Product) -> None:
    rows = [add(product, 60 + n, position=p) for n, p in enumerate([5, 1, 5, 0])]
    url = f"/products/{product.pk}/images/?limit=3"
    first = api.get(url).json()
    assert (first["count"], first["count_is_exact"], first["previous"]) == (4, True, None)
    second = fetch(api, first["next"]).json()
    ids = [image["id"] for image in first["results"] + second["results"]]
    assert ids == [rows[n].pk for n in (3, 1, 0, 2)]
    assert api.get(url + "&ordering=width").status_code == 400


def test_the_number_of_queries_does_not_grow(api: APIClient, product: Product, django_assert_num_queries: Any) -> None:
    for count in (2, 5):
        for width in range(count):
            add(product, 60 + count * 10 + width)
        with django_assert_num_queries(2):  # the product and the rows: a single page needs no count
            assert api.get(f"/products/{product.pk}/images/").status_code == 200


def test_reads_are_conditional(api: APIClient, staff: APIClient, product: Product) -> None:
    image = add(product)
    for url in (path(image), f"/products/{product.pk}/images/"):
        response = api.get(url)
        assert response["Cache-Control"] == "public, no-cache"
        assert fetch(api, url, if_none_match=response["ETag"]).status_code == 304
        assert "private" in fetch(staff, url)["Cache-Control"]
    tag = api.get(path(image))["ETag"]
    assert staff.patch(path(image), {"alt_text": "A shoe"})["ETag"] == staff.get(path(image))["ETag"]
    assert fetch(api, path(image), if_none_match=tag).status_code == 200


# --- Changing and ordering -------------------------------------------------------------------------


def test_text_and_position_can_be_changed(staff: APIClient, product: Product) -> None:
    image = add(product)
    response = staff.patch(path(image), {"alt_text": "A shoe", "position": 3})
    assert (response.status_code, response.json()["alt_text"], response.json()["position"]) == (200, "A shoe", 3)
    response = staff.patch(path(image), {"position": 4, "status": "failed", "full": "http://evil.example/"})
    assert (response.json()["alt_text"], response.json()["position"], response.json()["status"]) == (
        "A shoe",
        4,
        "ready",
    )
    refused: list[Any] = [{"position": -1}, {"position": 2**31}, {"alt_text": "x" * 201}, {"position": "first"}, []]
    for wrong in refused:
        assert staff.patch(path(image), wrong, format="json").status_code == 400, wrong
    assert staff.put(path(image), {"alt_text": ""}).status_code == 405


def test_all_images_are_ordered_in_one_call(staff: APIClient, product: Product) -> None:
    a, b, c = (add(product, 60 + n).pk for n in range(3))
    url = f"/products/{product.pk}/images/order/"
    response = staff.put(url, {"images": [c, a, b]})
    assert response.status_code == 200
    assert [(image["id"], image["position"]) for image in response.json()["results"]] == [(c, 0), (a, 1), (b, 2)]
    other = add(factories.product("Blue shoe")).pk
    for wrong in ([c, a], [c, a, b, b], [c, a, a], [c, a, b, other], [c, a, other], [], ["x"], None):
        response = staff.put(url, {"images": wrong}, format="json")
        assert response.status_code == 400, wrong
        assert response.json()["errors"][0]["field"].startswith("images")
    assert staff.get(path(ProductImage.objects.get(pk=c))).json()["position"] == 0


# --- Removing --------------------------------------------------------------------------------------


def test_deleting_an_image_removes_its_files_after_the_commit(
    staff: APIClient, product: Product, django_capture_on_commit_callbacks: Any
) -> None:
    image, other = add(product), add(product, 61)
    with django_capture_on_commit_callbacks() as committed:
        assert staff.delete(path(image)).status_code == 204
        assert len(pictures.files()) == 14
    for callback in committed:
        callback()
    assert {Path(name).name.split("-")[0].split(".")[0] for name in pictures.files()} == {Path(other.original).stem}
    assert staff.get(path(image)).status_code == 404


@pytest.mark.parametrize("way", ["instance", "queryset"])
def test_deleting_a_product_removes_the_files_of_its_images(
    product: Product, django_capture_on_commit_callbacks: Any, way: str
) -> None:
    add(product)
    add(product, 61)
    with django_capture_on_commit_callbacks(execute=True):
        if way == "instance":
            product.delete()
        else:
            Product.objects.filter(pk=product.pk).delete()
    assert pictures.files() == []


def test_deleting_a_stale_instance_removes_all_renditions(
    product: Product, django_capture_on_commit_callbacks: Any
) -> None:
    stale, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(pictures.jpeg()))
    lifecycle.process(stale.pk)
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.remove(image=stale)
    assert pictures.files() == []
