"""Workers that are killed, that fail, and that work on the same import."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.imports import progress, running, starting, uploading
from backoffice.imports.models import Import
from products.inventory import ledger
from products.models import Product
from tests import factories
from tests.backoffice.imports.files import check, counts, run, upload

pytestmark = pytest.mark.django_db

CONTENT = "sku,name,quantity,category\nA,New A,+1,Home\nN,New N,5,Home > Lamps\nB,New B,+1,\n"


class Killed(BaseException):
    """A worker that is killed: nothing catches it."""


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    for sku in "AB":
        factories.product(sku, sku=sku, quantity=10)


def expire_claims() -> None:
    Import.objects.update(claimed_at=timezone.now() - progress.LEASE - timedelta(seconds=1))


@pytest.mark.parametrize("mode", ["row_by_row", "all_or_nothing"])
def test_a_worker_killed_in_any_slice_goes_on_and_does_nothing_twice(
    small_slices: None, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    kills = 0
    for work in ("check", "run"):
        module = progress.checking if work == "check" else running
        whole = getattr(module, work)

        def killed_after(*args: object, whole: object = whole) -> None:
            whole(*args)  # type: ignore[operator]
            raise Killed  # before the commit

        row = upload(CONTENT, mode=mode) if work == "check" else Import.objects.get()
        if work == "run":
            starting.start(import_id=row.pk, user_id=None, may=row.may)
        while Import.objects.get().status in progress.WORK:
            claimed = progress.claim(row.pk)
            assert claimed is not None
            with monkeypatch.context() as patched:
                patched.setattr(module, work, killed_after)
                with pytest.raises(Killed):
                    progress.step(claimed)
            kills += 1
            assert progress.claim(row.pk) is None  # its claim has not expired
            expire_claims()
            claimed = progress.claim(row.pk)
            assert claimed is not None
            progress.step(claimed)
            claimed.release()
    assert kills == (6 if mode == "row_by_row" else 9)
    done = Import.objects.get()
    assert (done.status, counts(done)) == ("done", (1, 2, 0, 0))
    assert list(Product.objects.order_by("sku").values_list("sku", "name", "quantity")) == [
        ("A", "New A", 11), ("B", "New B", 11), ("N", "New N", 5),
    ]  # fmt: skip
    assert all(balance.is_correct for balance in ledger.balances())


def test_a_claim_that_was_lost_writes_nothing(small_slices: None) -> None:
    row = check(CONTENT)
    starting.start(import_id=row.pk, user_id=None, may=row.may)
    slow = progress.claim(row.pk)
    expire_claims()
    progress.work(row.pk)
    assert Import.objects.get().status == "done"
    assert slow is not None
    assert not progress.step(slow)
    assert Product.objects.get(sku="A").quantity == 11


def test_a_slice_that_fails_again_and_again_ends_the_import(
    small_slices: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = check(CONTENT, mode="row_by_row")
    starting.start(import_id=row.pk, user_id=None, may=row.may)
    claimed = progress.claim(row.pk)
    assert claimed is not None
    assert progress.step(claimed)

    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "run", fail)
    for _ in range(progress.ATTEMPTS_MAX):
        expire_claims()
        with pytest.raises(ZeroDivisionError):
            progress.work(row.pk)
    expire_claims()
    progress.work(row.pk)
    failed = Import.objects.get()
    assert failed.status == "failed"
    assert failed.message.startswith("It stopped at slice 2 of 3")
    assert failed.message.endswith("The slices that were done are written.")


def test_the_sweep_finds_what_a_lost_message_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.product(sku="A")
    sent: list[int] = []
    monkeypatch.setattr(progress, "dispatch", lambda pk, expires=None: sent.append(pk))
    row = upload("sku,name\nA,x\n")
    assert progress.sweep() == 0  # its first message may still come
    Import.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert progress.sweep() == 1
    progress.claim(row.pk)
    assert progress.sweep() == 0
    expire_claims()
    progress.work(row.pk)
    assert progress.sweep() == 0
    run(Import.objects.get())
    assert progress.sweep() == 0
    assert sent == [row.pk]


def test_a_task_ends_soon_and_another_one_goes_on(small_slices: None, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(progress, "dispatch", lambda pk, expires=None: sent.append(pk))
    row = upload(CONTENT)
    progress.work(row.pk, seconds=0)
    assert (Import.objects.get().position, sent) == (1, [row.pk])
    progress.work(row.pk)
    assert Import.objects.get().status == "checked"
