"""The history: who changed what, from which value to which."""

from django.db import models
from django.utils import timezone

from productbackend.database.changes import NAME_MAX, Action
from productbackend.observability.origin import Way

KIND_MAX = 60
SOURCE_MAX = 128


class Change(models.Model):
    """One write of one object. Rows are only added, and not changed; they survive the object and the account.

    The person is an id alone: once the account is closed, it leads to nobody.
    """

    created_at = models.DateTimeField("time", default=timezone.now)
    kind = models.CharField("kind", max_length=KIND_MAX)  # the model's label, such as taxes.taxrate
    object_id = models.BigIntegerField("number")
    object_name = models.CharField("name", max_length=NAME_MAX)  # at the time
    action = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Action])
    fields = models.JSONField()  # name -> [before, after], as text
    # No foreign key: the account may be closed.
    user_id = models.BigIntegerField("account", null=True)
    way = models.CharField("way in", max_length=10, choices=[(each.value, each.value) for each in Way])
    source = models.CharField(max_length=SOURCE_MAX)  # the request's id, the task, the command or the file

    class Meta:
        default_permissions = ("view",)
        # Each filter of the list, and the page of an object, by time: an index begins with the filter.
        indexes = [
            models.Index(fields=["kind", "object_id", "created_at"], name="change_object"),
            models.Index(fields=["kind", "created_at"], name="change_kind"),
            models.Index(fields=["user_id", "created_at"], name="change_user"),
            models.Index(fields=["created_at"], name="change_time"),
        ]

    def __str__(self) -> str:
        return f"{self.object_name} {self.action}"
