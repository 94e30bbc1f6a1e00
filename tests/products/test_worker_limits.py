"""Pictures that take too long or too much, in a real worker: each ends as failed, and the next one is made."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image

from products import images
from products.models import Product, ProductImage
from tests.products import pictures
from tests.products.limited_worker import limited_worker
from tests.products.scan_bomb import scan_bomb
from tests.setup.service import wait_for


def state(image: ProductImage) -> tuple[str, str, int]:
    image.refresh_from_db()
    return image.status, image.error_code, image.attempts


def ask_again(*rows: ProductImage) -> None:
    """As time would, without its half minute: what was claimed is claimed no longer, and the sweep comes by."""
    long_ago = timezone.now() - timedelta(minutes=1)
    for row in rows:
        ProductImage.objects.filter(pk=row.pk, claimed_at=None).update(created_at=long_ago)
        ProductImage.objects.filter(pk=row.pk).exclude(claimed_at=None).update(claimed_at=long_ago)
    assert images.sweep() == len(rows)


@pytest.mark.skipif(not settings.REDIS_HOST, reason="waits for a minute: see make test-services")
@pytest.mark.django_db(transaction=True)
def test_what_takes_too_long_or_too_much_is_failed_and_the_next_one_is_made(
    store: Path, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> None:
    uploads = {
        "slow": scan_bomb(3000, 3000, rest_every=30),  # its decoder comes back to be told of the soft limit
        "large": pictures.encoded(Image.new("RGBA", (7000, 7000), "red"), "PNG", compress_level=1),
        "sound": pictures.jpeg(),
    }
    log = tmp_path_factory.mktemp("worker") / "log"
    with limited_worker(log, soft=5, hard=60, room=150_000_000):
        slow, large, sound = (
            images.add(product_id=product.pk, file=pictures.upload(data))[0] for data in uploads.values()
        )
        wait_for(lambda: state(sound) == ("ready", "", 1), seconds=120)
        wait_for(lambda: state(large) == ("failed", "too-much-memory", 1), seconds=60)
        wait_for(lambda: state(slow)[2] == 1 and slow.claimed_at is None, seconds=60)
        assert state(slow)[0] == "pending"

        ask_again(slow)
        wait_for(lambda: state(slow) == ("failed", "too-slow", 2), seconds=120)

    for image in (slow, large):
        assert image.error_detail.endswith((" again.", " smaller."))
    named = {sound.original, *(name for made in sound.renditions.values() for name in [made["file"], *made["others"]])}
    assert set(pictures.files()) == named | {slow.original, large.original}


@pytest.mark.skipif(not settings.REDIS_HOST, reason="waits for a minute: see make test-services")
@pytest.mark.django_db(transaction=True)
def test_a_decoder_that_is_stuck_is_killed_and_its_picture_given_up(
    store: Path, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("worker") / "log"
    killed = "Hard time limit (10s) exceeded"
    with limited_worker(log, soft=5, hard=10, room=150_000_000):
        # Its decoder never comes back to be told of the soft limit, and is small beside the room: only time runs out.
        stuck, _ = images.add(product_id=product.pk, file=pictures.upload(scan_bomb(4000, 6000)))
        wait_for(lambda: log.read_text().count(killed) == 1, seconds=60)
        assert state(stuck) == ("pending", "", 1)
        ask_again(stuck)
        wait_for(lambda: log.read_text().count(killed) == 2, seconds=60)
        assert state(stuck) == ("pending", "", 2)
        ask_again(stuck)
        wait_for(lambda: state(stuck) == ("failed", "unprocessable", 2), seconds=60)
    assert pictures.files() == [stuck.original]
