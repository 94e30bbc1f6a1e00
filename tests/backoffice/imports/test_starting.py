"""Which imports can be run."""

import pytest

from backoffice.imports import starting
from backoffice.imports.models import Import
from productbackend.errors import DomainError
from tests import factories
from tests.backoffice.imports.files import check, run, upload

pytestmark = pytest.mark.django_db


def refusal(pk: int) -> str:
    with pytest.raises(DomainError) as caught:
        starting.start(import_id=pk, user_id=None, may=())
    return caught.value.code


def test_an_import_is_run_once_it_is_checked_and_nothing_is_refused() -> None:
    factories.product(sku="A")
    assert refusal(1) == "not-found"
    assert refusal(upload("sku\nA\n").pk) == "import-state"
    assert refusal(check("sku,quantity\nX,1\n", kind="stock").pk) == "import-refused"
    row = check("sku,quantity\nA,1\nX,1\n", kind="stock", mode="row_by_row")
    assert starting.start(import_id=row.pk, user_id=None, may=row.may)[1] is True
    assert starting.start(import_id=row.pk, user_id=None, may=row.may)[1] is False
    assert Import.objects.get(pk=row.pk).status == "running"
    Import.objects.filter(pk=row.pk).update(status="failed")
    assert refusal(row.pk) == "import-refused"


def test_who_runs_it_is_named_in_the_ledger() -> None:
    product, user = factories.product(sku="A"), factories.user("ada")
    run(check("sku,quantity\nA,1\n", kind="stock"), user_id=user.pk)
    assert product.movements.order_by("pk").values_list("user", flat=True).last() == user.pk
