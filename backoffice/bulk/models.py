"""Bulk work as the admin lists it: imports without a file."""

from typing import ClassVar

from django.db import models

from backoffice.imports.models import BULK, Import


class BulkChanges(models.Manager["BulkChange"]):
    def get_queryset(self) -> "models.QuerySet[BulkChange]":
        return super().get_queryset().filter(kind=BULK)


class BulkChange(Import):
    """One change of many products that staff have selected in the admin."""

    objects: ClassVar[BulkChanges] = BulkChanges()

    class Meta:
        proxy = True
        default_permissions = ()  # as an import
        verbose_name = "bulk change"

    def __str__(self) -> str:
        return f"bulk change {self.pk}"
