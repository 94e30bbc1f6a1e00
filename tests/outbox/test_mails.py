"""Enqueueing mails."""

from typing import Any

import pytest
from celery import Celery
from django.db import IntegrityError, transaction

from outbox import dispatching, mails
from outbox.models import Mail
from tests.outbox.rows import enqueue
from tests.ports import free_port
from tests.waiting import wait_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kinds")]


def test_a_key_is_enqueued_once() -> None:
    first = enqueue(key="order:1")
    assert enqueue("other@example.com", key="order:1") == first
    mails.enqueue_many(
        [Mail(kind="news", key=key, recipient="x@example.com", due_at=first.due_at) for key in ("order:1", "2")]
    )
    assert list(Mail.objects.order_by("pk").values_list("key", flat=True)) == ["order:1", "2"]


def test_a_mail_is_enqueued_only_if_the_transaction_commits(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        with transaction.atomic():
            enqueue()
            transaction.set_rollback(True)
        assert (Mail.objects.count(), callbacks) == (0, [])
        enqueue()
    assert len(callbacks) == 1


def test_an_unreachable_queue_is_only_logged(
    django_capture_on_commit_callbacks: Any, caplog: Any, monkeypatch: Any
) -> None:
    unreachable = Celery("unreachable", broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=False)
    unreachable.conf.update(task_publish_retry=False, broker_connection_timeout=1)
    monkeypatch.setattr(dispatching, "app", unreachable)
    with django_capture_on_commit_callbacks(execute=True):
        enqueue()
    wait_for(lambda: "The queue is unreachable for outbox.tasks.send" in caplog.text, seconds=5)
    assert Mail.objects.count() == 1


def test_the_first_mail_with_a_key_takes_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        enqueue(key="order:1", is_first=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        enqueue(key="order:1", is_first=True)
    enqueue(key="order:1")
    assert Mail.objects.count() == 1
