"""The outbox: one row per mail."""

from django.conf import settings
from django.db import models

from productbackend.database.fields import KeyField


class Mail(models.Model):
    """One mail: its recipient, kind, reference and status.

    The registered composer of its `kind` writes the text when it is sent: no secret is stored.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    kind = models.CharField(max_length=40)
    # Prevents a second mail, for example "welcome:17".
    key = KeyField(max_length=100, unique=True, null=True, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="mails")
    recipient = models.CharField(max_length=254, blank=True)
    # Whether the address was verified when the mail was enqueued; no account may have it when the mail is sent.
    was_confirmed = models.BooleanField(default=False, db_default=False, editable=False)
    # The subject in the kind's terms, for example an order's number.
    reference = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["status", "due_at"], name="mail_due"),
            models.Index(fields=["kind", "status"], name="mail_kind"),
            models.Index(fields=["recipient"], name="mail_recipient"),  # for anonymization, and to search
            models.Index(fields=["reference"], name="mail_reference"),  # to search
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
