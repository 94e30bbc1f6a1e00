"""Processes are killed by SIGKILL during their work."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.products import pictures
from tests.services.shoppers import shopping
from tests.services.stack import Stack
from tests.waiting import wait_for

pytestmark = pytest.mark.xdist_group("faults")


def test_killed_web_workers_lose_no_order(stack: Stack, record_property: Callable[[str, object], None]) -> None:
    with shopping(stack, count=6) as shop:
        shop.wait_for_orders(10)
        killed = 0
        for _ in range(3):
            for pid in stack.children("web"):
                os.kill(pid, signal.SIGKILL)
                killed += 1
            shop.wait_for_orders(10)
        counts = shop.check_books()
    record_property("counts", f"{killed} killed; {counts}")
    assert killed >= 6


def test_a_worker_killed_in_the_middle_of_an_image_loses_none(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    token, product = stack.token(), stack.product("Pictured by a worker that dies")
    drawn = [pictures.jpeg(4000, 3000, quality=quality) for quality in range(70, 76)]
    ids = [stack.upload(product, picture, token) for picture in drawn]

    def states() -> dict[str, int]:
        rows = stack.execute(
            "SELECT IF(status = 'pending' AND claimed_at IS NOT NULL, 'claimed', status), COUNT(*)"
            " FROM products_productimage WHERE product_id = %s GROUP BY 1",
            product,
        )
        return {str(state): int(count) for state, count in rows}

    wait_for(lambda: states().get("claimed"), seconds=30, every=0.01)
    stack.kill("images")
    before = states()
    stack.run("images")
    assert before["claimed"]
    wait_for(lambda: states().keys() == {"ready"}, seconds=90, every=0.5)
    after = states()
    record_property("counts", f"{len(ids)} uploaded; at the kill {before}; in the end {after}")
    assert after == {"ready": len(ids)}
    rows = stack.execute("SELECT original FROM products_productimage WHERE product_id = %s", product)
    assert len(rows) == len(ids)
    for (original,) in rows:
        path = stack.folder / "data" / "media" / original
        made = [f"{path.stem}-{name}.{format}" for name in ("full", "large", "thumb") for format in ("jpg", "webp")]
        assert files_of_image(path) == sorted([path.name, *made])


def files_of_image(path: Path) -> list[str]:
    """The files of one image."""
    return sorted(file.name for file in path.parent.glob(f"{path.stem}*"))


def test_two_beats_at_once_send_no_mail_twice(stack: Stack, record_property: Callable[[str, object], None]) -> None:
    names = [f"welcomed-{number}" for number in range(8)]
    for name in names:
        stack.register(name)
    stack.execute(
        "UPDATE accounts_user SET date_joined = date_joined - INTERVAL 2 DAY WHERE username LIKE 'welcomed%%'"
    )
    # Staff change the daily job to a frequent one while both beats run.
    interval = stack.number("SELECT id FROM django_celery_beat_intervalschedule WHERE every = %s", 5)
    stack.execute(
        "UPDATE django_celery_beat_periodictask SET crontab_id = NULL, interval_id = %s WHERE name = 'welcome mail'",
        interval,
    )
    stack.execute("UPDATE django_celery_beat_periodictasks SET last_update = UTC_TIMESTAMP(6)")
    stack.run("beat", under="beat again")
    try:
        wait_for(lambda: len(welcomed(stack, names)) >= len(names), seconds=60, every=0.5)
        time.sleep(12)  # two more rounds of both beats
    finally:
        stack.kill("beat again")
    mails = welcomed(stack, names)
    record_property("counts", f"{len(names)} customers, {len(mails)} mails to {len(set(mails))} of them")
    assert sorted(mails) == sorted(names)


def welcomed(stack: Stack, names: list[str]) -> list[str]:
    """Which of `names` got a welcome mail."""
    subjects = [(str(mail["To"]).partition("@")[0], str(mail["Subject"])) for mail in stack.mailbox.mails]
    return [name for name, subject in subjects if name in names and "elcome" in subject]
