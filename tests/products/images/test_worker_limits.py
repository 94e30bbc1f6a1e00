"""Pictures that need too much time or memory, in a real worker: each fails, and the next one is processed."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image

from products.images import lifecycle
from products.models import Product, ProductImage
from tests.products import pictures
from tests.products.images.limited_worker import limited_worker
from tests.products.images.scan_bomb import scan_bomb
from tests.waiting import wait_for


def state(image: ProductImage) -> tuple[str, str, int]:
    image.refresh_from_db()
    return image.status, image.error_code, image.attempts


def expire_and_sweep(*rows: ProductImage) -> None:
    """Expire the claims without waiting for half a minute, and sweep."""
    long_ago = timezone.now() - timedelta(minutes=1)
    for row in rows:
        ProductImage.objects.filter(pk=row.pk, claimed_at=None).update(created_at=long_ago)
        ProductImage.objects.filter(pk=row.pk).exclude(claimed_at=None).update(claimed_at=long_ago)
    assert lifecycle.sweep() == len(rows)


@pytest.mark.skipif(not settings.REDIS_HOST, reason="waits for a minute: see make test-services")
@pytest.mark.django_db(transaction=True)
def test_pictures_that_need_too_much_time_or_memory_fail_and_the_next_is_processed(
    store: Path, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> None:
    uploads = {
        "slow": scan_bomb(3000, 3000, comment_every=30),  # its decoder returns, and notices the soft limit
        "large": pictures.encode(Image.new("RGBA", (7000, 7000), "red"), "PNG", compress_level=1),
        "sound": pictures.jpeg(),
    }
    log = tmp_path_factory.mktemp("worker") / "log"
    with limited_worker(log, soft=5, hard=60, memory=150_000_000):
        slow, large, sound = (
            lifecycle.add(product_id=product.pk, file=pictures.upload(data))[0] for data in uploads.values()
        )
        wait_for(lambda: state(sound) == ("ready", "", 1), seconds=120)
        wait_for(lambda: state(large) == ("failed", "too-much-memory", 1), seconds=60)
        wait_for(lambda: state(slow)[2] == 1 and slow.claimed_at is None, seconds=60)
        assert state(slow)[0] == "pending"

        expire_and_sweep(slow)
        wait_for(lambda: state(slow) == ("failed", "too-slow", 2), seconds=120)

    for image in (slow, large):
        assert image.error_detail.endswith((" again.", " smaller."))
    named = {sound.original, *(name for row in sound.renditions.values() for name in [row["file"], *row["others"]])}
    assert set(pictures.files()) == named | {slow.original, large.original}


@pytest.mark.skipif(not settings.REDIS_HOST, reason="waits for a minute: see make test-services")
@pytest.mark.django_db(transaction=True)
def test_a_stuck_decoder_is_killed_and_its_picture_fails(
    store: Path, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("worker") / "log"
    killed = "Hard time limit (10s) exceeded"
    with limited_worker(log, soft=5, hard=10, memory=150_000_000):
        # Its decoder does not return to notice the soft limit, and needs little memory: only the time runs out.
        stuck, _ = lifecycle.add(product_id=product.pk, file=pictures.upload(scan_bomb(4000, 6000)))
        wait_for(lambda: log.read_text().count(killed) == 1, seconds=60)
        assert state(stuck) == ("pending", "", 1)
        expire_and_sweep(stuck)
        wait_for(lambda: log.read_text().count(killed) == 2, seconds=60)
        assert state(stuck) == ("pending", "", 2)
        expire_and_sweep(stuck)
        wait_for(lambda: state(stuck) == ("failed", "unprocessable", 2), seconds=60)
    assert pictures.files() == [stuck.original]
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and killed in line]
    assert {line["task"] for line in lines} == {"products.tasks.make_renditions"}
