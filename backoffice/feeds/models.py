"""The runs that write the sitemap and the feed, and their files."""

from typing import Any

from django.db import models


class FeedBuild(models.Model):
    """One run: as far as it has come, and the files that it has written. The last one that was published is served."""

    token = models.CharField(max_length=16, unique=True)  # in the names of its files, and the ETag
    basis = models.CharField(max_length=64)  # of the settings that its addresses and prices depend on
    # True while it runs, else null: a unique column, so that there is one run at a time.
    is_running = models.BooleanField(null=True, unique=True, default=True)
    last_product = models.BigIntegerField(default=0)  # the id of the last product that is done
    parts = models.JSONField(default=list)  # of each part of the sitemap its bytes, and its latest change
    pieces = models.JSONField(default=list)  # of each piece of the feed its bytes
    urls = models.PositiveIntegerField(default=0)  # in the sitemap
    items = models.PositiveIntegerField(default=0)  # in the feed
    left_out = models.JSONField(default=dict)  # reason -> products that are not in the feed
    attempts = models.PositiveSmallIntegerField(default=0)  # claims since the last step that was done
    claimed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()  # everyone may read what is published

    def __str__(self) -> str:
        return f"feeds {self.token}"

    @classmethod
    def published(cls) -> Any:
        """The builds that were published, the one that is served first."""
        return cls._default_manager.filter(published_at__isnull=False).order_by("-published_at", "-pk")
