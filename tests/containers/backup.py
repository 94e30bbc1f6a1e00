"""scripts/backup and scripts/restore: a wiped machine, a table that was deleted by accident, a lost machine's log."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.containers.shoppers import check_pictures, fetch, running_load
from tests.containers.stack import CHECKOUT, command, compose, expect, number, request, run, say, sql, step, token

FOLDER = CHECKOUT / "backups"


def back_up_and_restore() -> None:
    before, folder, after, picture = back_up_under_load()
    check_refusals(folder)
    wipe()
    step("restore", "on an empty machine", lambda: run("scripts/restore", str(folder)))
    orders = set(numbers())
    expect(before <= orders <= after, f"orders: {len(before)} before, {len(orders)} restored, {len(after)} after")
    check_picture(*picture)
    say(
        f"round trip: {len(orders)} orders, between {len(before)} before the dump and {len(after)} after; picture whole"
    )
    restore_by_binary_log()


def numbers() -> list[str]:
    return [row[0] for row in sql("SELECT number FROM orders_order")]


def newest() -> Path:
    return max(FOLDER.iterdir())


def ready_picture() -> tuple[str, bytes]:
    """The path of the last ready image, and its served thumbnail."""
    product, image = sql(
        "SELECT product_id, id FROM products_productimage WHERE status = 'ready' ORDER BY id DESC LIMIT 1"
    )[0]
    path = f"/products/{product}/images/{image}/"
    return path, fetch(request("GET", path, token=token()).json()["thumb"])


def check_picture(path: str, thumb: bytes) -> None:
    image = request("GET", path, token=token()).json()
    expect(image.get("status") == "ready", f"{path}: {image}")
    expect(fetch(image["thumb"]) == thumb, f"{path} is not the picture that it was")
    original = request("GET", f"{path}original/", token=token())
    expect(original.status_code == 200, f"the original of {path}: {original.status_code}")


def back_up_under_load() -> tuple[set[str], Path, set[str], tuple[str, bytes]]:
    with running_load(shoppers=4, uploads_every=1) as load:
        time.sleep(10)
        check_pictures(set(load.pictures))
        picture, before = ready_picture(), set(numbers())
        step("backup", "under load", lambda: run("scripts/backup"))
        time.sleep(3)
    load.check_books()
    expect(not load.failures, f"a backup fails requests: {load.failures[:3]}")
    after, folder = set(numbers()), newest()
    expect(len(before) < len(after), "nobody bought anything")
    expect(
        {file.name for file in folder.iterdir()} == {"database.sql.gz", "media.tar", "server", "SHA256SUMS"}, "files"
    )
    say(f"backup: {sum(file.stat().st_size for file in folder.iterdir()) / 1_000_000:.1f} MB")
    return before, folder, after, picture


def check_refusals(folder: Path) -> None:
    """Each refusal prints one line and changes nothing."""
    damaged = CHECKOUT / "damaged"
    shutil.copytree(folder, damaged)
    with (damaged / "database.sql.gz").open("r+b") as file:
        file.seek(200)
        file.write(b"damage")
    before = set(numbers())
    refused = {
        "no folder": ["nowhere"],
        "is no backup": ["docs"],
        "damaged": [str(damaged), "--force"],
        "not empty": [str(folder)],
        "no moment": [str(folder), "--until", "soon"],
        "not passed": [str(folder), "--until", "2999-01-01 00:00:00"],
        "needs --until": [str(folder), "--log", "Makefile"],
        "no tar": [str(folder), "--until", "2026-01-01 00:00:00", "--log", "Makefile"],
        "--everything": [str(folder), "--everything"],
    }
    for why, arguments in refused.items():
        done = command("scripts/restore", *arguments)
        expect(done.returncode != 0 and why in done.stderr, f"restore {arguments}: {done}")
    expect(before <= set(numbers()), "a refused restore has changed something")
    compose("stop", "db")
    done = command("scripts/backup")
    expect(done.returncode != 0 and "db does not run" in done.stderr, f"backup without a database: {done}")
    compose("up", "--detach", "--wait")
    expect([file.name for file in FOLDER.iterdir()] == [folder.name], "half a backup was left")
    say(f"refusals: {len(refused) + 1}, each with its reason, and nothing changed")


def wipe() -> None:
    step("wipe", "docker compose down --volumes", lambda: compose("down", "--volumes", "--timeout", "30"))


def restore_by_binary_log() -> None:
    """Delete all orders by accident: the backup and the binary log restore them, including later ones."""
    time.sleep(1)  # a folder's name has a resolution of one second
    run("scripts/backup")
    folder, saved = newest(), set(numbers())
    with running_load(shoppers=3, uploads_every=2) as load:
        time.sleep(10)
    load.check_books()
    check_pictures(load.pictures)
    wanted, picture = set(numbers()), ready_picture()
    expect(saved < wanted, "nobody bought anything after the backup")
    time.sleep(2)
    moment = datetime.now(UTC)
    time.sleep(2)
    sql("SET foreign_key_checks = 0; DELETE FROM orders_orderline; DELETE FROM orders_order")
    expect(not numbers(), "the accident did not happen")
    until = ("--until", f"{moment:%Y-%m-%d %H:%M:%S}")
    step("restore", "until just before the accident", lambda: run("scripts/restore", str(folder), "--force", *until))
    check_restored(wanted, picture)
    say(f"point in time: {len(wanted)} orders are back, {len(wanted - saved)} of them younger than the backup")
    restore_by_copied_log(folder, until, wanted)


def check_restored(wanted: set[str], picture: tuple[str, bytes]) -> None:
    found = set(numbers())
    expect(found == wanted, f"orders: {len(wanted)} wanted, {len(found)} found")
    check_picture(*picture)
    lines = number("SELECT COUNT(DISTINCT order_id) FROM orders_orderline")
    expect(lines == len(wanted), f"{lines} of {len(wanted)} orders have lines")


def restore_by_copied_log(folder: Path, until: tuple[str, str], wanted: set[str]) -> None:
    """The machine is lost; its binary log was copied in time, as docs/backup.md says."""
    log = CHECKOUT / "binlog.tar"
    copied = "docker compose exec -T db sh -c 'cd /var/lib/mysql && tar -cf - binlog.[0-9]*' >binlog.tar"
    expect(copied in (CHECKOUT / "docs/backup.md").read_text(), "docs/backup.md copies the log in another way")
    run("sh", "-c", copied)
    wipe()
    done = command("scripts/restore", str(folder), *until)
    expect(done.returncode != 0 and "another server" in done.stderr, f"a log that is not the backup's: {done}")
    done = step(
        "restore", "a lost machine's", lambda: command("scripts/restore", str(folder), *until, "--log", str(log))
    )
    # Files of images after the backup were lost with the machine, which is reported.
    expect(done.returncode == 1 and "are gone" in done.stderr, f"restore by a copied log: {done}")
    found = set(numbers())
    expect(found == wanted, f"orders: {len(wanted)} wanted, {len(found)} found")
    say("a lost machine: its orders are back by the copied log")
