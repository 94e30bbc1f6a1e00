"""The mail that the shop owes: one row a mail."""

from django.conf import settings
from django.db import models

from productbackend.fields import KeyField


class Mail(models.Model):
    """One mail: to whom, about what, and how far it is.

    Its text is made when it is sent, by what `kind` is registered for: no secret is stored.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    kind = models.CharField(max_length=40)
    # What must not be sent twice has a key, such as "welcome:17".
    key = KeyField(max_length=100, unique=True, null=True, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="mails")
    recipient = models.CharField(max_length=254, blank=True)
    # What the mail is about, in its kind's own terms: an order's number, for one.
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
            models.Index(fields=["recipient"], name="mail_recipient"),  # a person who wants to be forgotten
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
