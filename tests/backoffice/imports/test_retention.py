"""How long imports are stored."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.imports import retention
from backoffice.imports.models import Import, ImportRow, ImportSlice
from tests.backoffice.imports.files import check

pytestmark = pytest.mark.django_db


def test_imports_are_deleted_after_thirty_days() -> None:
    old, young = check("sku\nA\n"), check("sku\nB\n")
    now = timezone.now()
    Import.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=30, minutes=1))
    Import.objects.filter(pk=young.pk).update(created_at=now - timedelta(days=29, hours=23))
    assert retention.delete_old() == 1
    assert list(Import.objects.all()) == [young]
    for model in (ImportRow, ImportSlice):
        assert list(model.objects.values_list("parent", flat=True)) == [young.pk]
