"""The memory that the processes of a worker share."""

import gc

import pytest
from celery.signals import worker_init


@pytest.mark.filterwarnings("ignore:DjangoFixup")  # there is no worker
def test_what_is_loaded_is_frozen_before_the_first_fork() -> None:
    """Of a process that is not frozen, a collection copies half of the memory that it shares with the others."""
    gc.unfreeze()
    worker_init.send(sender=None)
    assert gc.get_freeze_count() > 100_000
