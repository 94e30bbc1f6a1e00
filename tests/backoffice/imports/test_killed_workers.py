"""Workers killed by SIGKILL at each of their statements, with real processes."""

import os
import signal
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connections
from django.db.backends.signals import connection_created
from django.utils import timezone

from backoffice.imports import progress, starting, uploading
from backoffice.imports.models import Import
from products.inventory import ledger
from products.models import Category, Product
from tests import factories
from tests.backoffice.imports.files import counts, lines, upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

CONTENT = "sku,name,quantity,category\nA,New A,+1,Home\nN,New N,5,Home > Lamps\nB,New B,+1,\nX,,1,\n"
STATEMENTS_MAX = 60  # of a slice


def killed_at(statement: int, import_id: int) -> bool:
    """Work in a process that is killed before its statement with this number. Returns whether it came so far."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        numbers = count()

        def die(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if next(numbers) == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(sql, params, many, context)

        try:  # every connection, since two threads may work
            connection_created.connect(lambda connection, **kwargs: connection.execute_wrappers.append(die), weak=False)
            progress.work(import_id, seconds=60)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("mode", ["row_by_row", "all_or_nothing"])
def test_an_import_whose_workers_are_killed_at_each_statement(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setattr(uploading, "SLICE_ROWS", 1)
    monkeypatch.setattr(progress, "dispatch", lambda pk, expires=None: None)
    monkeypatch.setattr(progress, "ATTEMPTS_MAX", 1_000)
    for sku in "AB":
        factories.product(sku, sku=sku, quantity=10)
    content = CONTENT if mode == "row_by_row" else CONTENT.replace("X,,1,\n", "")
    row = upload(content, mode=mode)
    kills = 0
    for expected in ("checked", "done"):
        statement = 0
        while killed_at(statement, row.pk):
            kills += 1
            statement = (statement + 3) % STATEMENTS_MAX
            Import.objects.update(claimed_at=timezone.now() - progress.LEASE - timedelta(seconds=1))
        assert Import.objects.get().status == expected
        if expected == "checked":
            starting.start(import_id=row.pk, user_id=None, may=row.may)
    assert kills > 20
    done = Import.objects.get()
    refused = 1 if mode == "row_by_row" else 0
    assert counts(done) == (1, 2, 0, refused)
    assert len(lines(done)) == 3 + refused
    assert list(Product.objects.order_by("sku").values_list("sku", "name", "quantity")) == [
        ("A", "New A", 11), ("B", "New B", 11), ("N", "New N", 5),
    ]  # fmt: skip
    assert Category.objects.count() == 2
    assert all(balance.is_correct for balance in ledger.balances())
