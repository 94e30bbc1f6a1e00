"""Web and workers on separate machines, which share the database, Redis and the buckets, but no disk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.products import pictures
from tests.services.buckets import ORIGINALS, RENDITIONS, Objects
from tests.services.stack import Stack
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("faults")

MACHINES = ("web", "images")  # the other processes use no files


@dataclass
class Shop:
    stack: Stack
    objects: Objects
    disks: dict[str, Path]

    def image(self, product: int, image: int, token: str) -> dict[str, str]:
        answer: dict[str, str] = self.stack.request("GET", f"/products/{product}/images/{image}/", token=token).json()
        return answer

    def statuses(self, product: int, token: str) -> set[str]:
        answer = self.stack.request("GET", f"/products/{product}/images/?limit=100", token=token)
        return {image["status"] for image in answer.json()["results"]}

    def attempts(self, product: int) -> int:
        return self.stack.number("SELECT SUM(attempts) FROM products_productimage WHERE product_id = %s", product)

    def on_disks(self) -> list[Path]:
        """Every image file on a machine's disk or in its temporary folder."""
        files = [path for disk in self.disks.values() for path in disk.rglob("*") if path.is_file()]
        return [path for path in files if path.parent.name != "metrics"]  # each machine has its own counters


@pytest.fixture(scope="module")
def shop(session_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    objects = Objects()
    objects.start()
    objects.make_buckets()
    disks = {name: tmp_path_factory.mktemp(name) for name in MACHINES}
    for disk in disks.values():
        (disk / "tmp").mkdir(parents=True)
    apart = {
        name: {**objects.environment(), "DATA_DIR": str(disk), "TMPDIR": str(disk / "tmp")}
        for name, disk in disks.items()
    }
    session_stack.execute("DELETE FROM products_productimage")  # of earlier tests, whose files are in no bucket
    try:
        with session_stack.with_settings(**apart):
            yield Shop(session_stack, objects, disks)
    finally:
        objects.stop()


def test_an_image_is_uploaded_on_one_machine_and_processed_on_another(
    shop: Shop, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    stack, objects = shop.stack, shop.objects
    token, product = stack.token(), stack.product("Pictured from afar")
    data = [pictures.jpeg(3000, 2000, quality=quality) for quality in range(80, 84)]
    ids = [stack.upload(product, picture, token) for picture in data]
    wait_for(lambda: shop.statuses(product, token) == {"ready"}, seconds=60, every=0.2)
    for image_id, picture in zip(ids, data, strict=True):
        image = shop.image(product, image_id, token)
        answer = requests.get(image["full"], timeout=5)  # without any key
        assert image["full"].startswith(f"{objects.url}/{RENDITIONS}/products/")
        assert pictures.decode(answer.content).size == (500, 333)
        # The service's own path still works.
        own = "/media/" + image["full"].partition(f"{RENDITIONS}/")[2]
        assert stack.request("GET", own).content == answer.content
        original = f"/products/{product}/images/{image_id}/original/"
        assert stack.request("GET", original, token=token).content == picture
        assert stack.request("GET", original).status_code == 404
        assert requests.get(f"{objects.url}/{ORIGINALS}/{own[7:].replace('-full', '')}", timeout=5).status_code == 403
    apart = {**objects.environment(), "DATA_DIR": str(tmp_path / "another")}
    assert stack.manage("check_media", **apart).endswith("agree.\n")
    assert stack.manage("rebuild_images", "--all", "--processes", "2", **apart).endswith("were rebuilt.\n")
    assert stack.manage("check_media", **apart).endswith("agree.\n")
    record_property("counts", f"{len(objects.names())} objects of {len(ids)} pictures, {shop.on_disks()} on disks")
    assert shop.on_disks() == []
    assert stack.request("DELETE", f"/products/{product}/", token=token).status_code == 204
    assert objects.names() == []


def test_a_worker_killed_in_the_middle_leaves_nothing_in_the_buckets(shop: Shop) -> None:
    stack, objects = shop.stack, shop.objects
    token, product = stack.token(), stack.product("Pictured by a worker that dies, from afar")
    ids = [stack.upload(product, pictures.jpeg(4000, 3000, quality=quality), token) for quality in range(70, 76)]
    claimed = (
        "SELECT COUNT(*) FROM products_productimage"
        " WHERE product_id = %s AND status = 'pending' AND claimed_at IS NOT NULL"
    )
    wait_for(lambda: stack.number(claimed, product), seconds=30, every=0.01)
    stack.kill("images")
    stack.run("images")
    wait_for(lambda: shop.statuses(product, token) == {"ready"}, seconds=90, every=0.5)
    assert len(objects.names(ORIGINALS)) == len(ids)
    assert len(objects.names(RENDITIONS)) == 6 * len(ids)
    assert stack.request("DELETE", f"/products/{product}/", token=token).status_code == 204
    assert objects.names() == []


def test_the_server_becomes_unreachable_and_recovers(shop: Shop) -> None:
    stack, objects = shop.stack, shop.objects
    token, product = stack.token(), stack.product("Pictured while the server is away")
    stack.kill("images")
    for quality in (80, 81):
        stack.upload(product, pictures.jpeg(quality=quality), token)
    with objects.gone():
        stack.run("images")
        wait_for(lambda: "is unreachable" in stack.log("images"), seconds=120)  # a busy machine starts it slowly
        files = {"image": ("photo.jpg", pictures.jpeg(quality=82), "image/jpeg")}
        answer = stack.request("POST", f"/products/{product}/images/", token=token, files=files)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
        assert answer.headers["Retry-After"]
        assert stack.request("GET", f"/products/{product}/").status_code == 200
        assert stack.health()["status"] == "ok"
        wait_for(lambda: shop.attempts(product) == 0, seconds=30)
        assert shop.statuses(product, token) == {"pending"}
    wait_for(lambda: shop.statuses(product, token) == {"ready"}, seconds=60, every=0.5)
    assert shop.attempts(product) == 2
    assert len(objects.names()) == 2 * 7  # the original, and three renditions in two formats
    stack.request("DELETE", f"/products/{product}/", token=token)
