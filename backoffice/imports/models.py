"""The tables of imports: what was uploaded, how far it is, and what becomes of each row."""

from django.conf import settings
from django.db import models

from productbackend.database.fields import KeyField
from productbackend.observability.origin import Way

SKU_MAX = 64  # characters; a longer SKU is refused, and its beginning is listed
MESSAGE_MAX = 1_000
BULK = "bulk"  # the kind of bulk work, whose rows are those that staff have selected, and not those of a file


class Import(models.Model):
    """A file of products or of stock. Workers check it, and run it once staff have asked for that.

    Bulk work is one too, with an `operation` in place of the cells of a file: backoffice.bulk.

    `position` is the first slice that is not done in the present pass. Of those after it some may be done.
    """

    class Kind(models.TextChoices):
        PRODUCTS = "products"
        STOCK = "stock"

    class Mode(models.TextChoices):
        ALL_OR_NOTHING = "all_or_nothing"
        ROW_BY_ROW = "row_by_row"

    class Status(models.TextChoices):
        CHECKING = "checking"
        CHECKED = "checked"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=10, choices=Kind)
    mode = models.CharField(max_length=20, choices=Mode, default=Mode.ALL_OR_NOTHING)
    status = models.CharField(max_length=10, choices=Status, default=Status.CHECKING)
    columns = models.JSONField()
    operation = models.JSONField(null=True)  # of bulk work: backoffice.bulk.operations
    has_decimal_commas = models.BooleanField()  # whether a comma in a price is a decimal comma
    rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    slices = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    is_verified = models.BooleanField(default=False)  # all_or_nothing: every row was verified, and none refused
    message = models.CharField(max_length=MESSAGE_MAX, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")  # who started it
    may = models.JSONField(default=list)  # the permissions that the user had then
    attempts = models.PositiveSmallIntegerField(default=0)  # claims since the last slice that was done
    claimed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()  # who may change products imports them
        indexes = [models.Index(fields=["status", "claimed_at"], name="import_waiting")]

    def __str__(self) -> str:
        return f"import {self.pk} of {self.kind}"

    @property
    def is_bulk(self) -> bool:
        return self.kind == BULK

    @property
    def origin(self) -> tuple[Way, str]:
        """By which way in its changes come, and what the history calls it."""
        return (Way.ADMIN, f"bulk change {self.pk}") if self.is_bulk else (Way.IMPORT, f"import {self.pk}")

    @property
    def pass_number(self) -> int:
        """The present pass: the check, the run, and of all or nothing the run after every row was verified."""
        return 1 if self.status == self.Status.CHECKING else 2 + self.is_verified

    @property
    def progress(self) -> float:
        """The share of the present work, the check or the run, that is done."""
        if self.status in (self.Status.CHECKED, self.Status.DONE):
            return 1.0
        passes, done = 1, self.position / max(self.slices, 1)
        if self.status != self.Status.CHECKING and self.mode == self.Mode.ALL_OR_NOTHING:
            passes, done = 2, done + self.is_verified
        return round(done / passes, 4)


class ImportSlice(models.Model):
    """Some hundred rows of the file, and what the check saw of their products."""

    parent = models.ForeignKey(Import, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    rows = models.JSONField()  # of each row its number in the file, then its cells
    seen = models.JSONField(null=True)  # products.reads.seen
    movement = models.BigIntegerField(default=0)  # the id of the last stock movement before the check
    # The number of the last pass in which it was done, for slices that are done before an earlier one.
    passes = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["parent", "number"], name="import_slice")]

    def __str__(self) -> str:
        return f"slice {self.number} of import {self.parent_id}"


class ImportRow(models.Model):
    """A row of the file: what the check says that the run will do, and after the run what was done."""

    class Outcome(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        UNCHANGED = "unchanged"
        REFUSED = "refused"

    parent = models.ForeignKey(Import, models.CASCADE, related_name="lines", db_index=False)
    number = models.PositiveIntegerField()
    sku = KeyField("SKU", max_length=SKU_MAX)
    outcome = models.CharField(max_length=10, choices=Outcome)
    message = models.CharField(max_length=MESSAGE_MAX, blank=True)
    # Of bulk work: the product's name, and the value before the change and after it.
    name = models.CharField(max_length=200, blank=True, default="", db_default="")
    before = models.CharField(max_length=MESSAGE_MAX, blank=True, default="", db_default="")
    after = models.CharField(max_length=MESSAGE_MAX, blank=True, default="", db_default="")
    # What it gives the product, which the rows of other slices may not have.
    family_id = models.BigIntegerField(null=True)
    options_key = KeyField(max_length=32, null=True)

    class Meta:
        ordering = ["number"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["parent", "number"], name="import_row")]
        indexes = [
            models.Index(fields=["parent", "sku"], name="import_row_sku"),
            models.Index(fields=["parent", "outcome", "number"], name="import_row_outcome"),
            models.Index(fields=["parent", "family_id"], name="import_row_family"),
        ]

    def __str__(self) -> str:
        return f"row {self.number}: {self.sku}"
