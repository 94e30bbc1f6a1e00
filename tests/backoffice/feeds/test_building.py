"""The runs: one at a time, continued after an interruption, and published whole."""

import errno
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from backoffice.feeds import building, files
from backoffice.feeds.models import FeedBuild
from backoffice.feeds.writing import Limits
from backoffice.tasks import continue_feeds, make_feeds
from productbackend.celery import app
from productbackend.errors import DomainError, FileStoreUnavailable
from tests import factories
from tests.backoffice.feeds.reading import pages

pytestmark = pytest.mark.django_db

ONE = Limits(urls=1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that were sent."""
    names: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, **options: names.append(name))
    return names


def later(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    moment = building.now() + time
    monkeypatch.setattr(building, "now", lambda: moment)


def names(front_end: Path) -> set[str]:
    """The tokens of the builds that have files."""
    return {path.name.partition("-")[0] for path in front_end.glob("*")}


def test_without_a_front_end_nothing_is_done(settings: Any, django_assert_num_queries: Any) -> None:
    settings.SHOP_PRODUCT_URL = None
    with django_assert_num_queries(0):
        make_feeds()
        continue_feeds()
        assert building.published_at() is None


def test_the_job_publishes(api: APIClient) -> None:
    factories.product("Lamp")
    assert building.published_at() == 0.0
    make_feeds()
    assert pages(api) == [["https://shop.example/p/lamp"]]
    published = FeedBuild.objects.get().published_at
    assert published
    assert building.published_at() == published.timestamp()


def test_the_sweep_starts_a_run_only_if_the_settings_have_changed(settings: Any) -> None:
    continue_feeds()
    continue_feeds()
    assert FeedBuild.objects.count() == 1
    settings.SHOP_PRODUCT_URL = "https://new.example/{slug}"
    continue_feeds()
    continue_feeds()
    assert FeedBuild.objects.count() == 2


def test_a_run_with_other_settings_is_given_up(settings: Any, api: APIClient) -> None:
    for name in "AB":
        factories.product(name)
    building.begin()
    claim = building.claimed()
    assert claim
    claim = building.step(claim, limits=ONE)
    assert claim
    building.release(claim)
    settings.SHOP_PRODUCT_URL = "https://new.example/{slug}"
    make_feeds()
    assert pages(api) == [["https://new.example/a", "https://new.example/b"]]
    assert building.step(claim) is None


def test_a_task_ends_after_its_time_and_another_goes_on(
    sent: list[str], api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "step", partial(building.step, limits=ONE))
    for name in "ABC":
        factories.product(name)
    building.begin()
    for number in range(3):
        assert len(sent) == number
        assert FeedBuild.published().count() == 0
        building.work(seconds=0)
    assert [len(page) for page in pages(api)] == [1, 1, 1]
    assert sent == [building.TASK] * 2


def test_two_do_not_work_on_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    building.begin()
    building.begin()
    assert FeedBuild.objects.count() == 1
    claim = building.claimed()
    assert claim
    assert building.claimed() is None
    with pytest.raises(DomainError, match="Another process is writing"):
        building.make()
    later(monkeypatch, building.LEASE + timedelta(seconds=1))
    other = building.claimed()
    assert other
    assert building.step(claim) is None  # the claim has expired, and another process has the run
    assert building.step(other) is None
    assert FeedBuild.published().count() == 1


@pytest.mark.parametrize("error", [FileStoreUnavailable(), OSError(errno.ENOSPC, "no space left")])
def test_a_disk_that_is_full_or_a_bucket_that_is_unreachable(
    monkeypatch: pytest.MonkeyPatch, api: APIClient, error: Exception
) -> None:
    def fail(name: str, file: Any) -> None:
        raise error

    factories.product("Lamp")
    building.make()
    with monkeypatch.context() as patch:
        patch.setattr(files, "save", fail)
        for attempt in range(building.ATTEMPTS_MAX):
            make_feeds()
            assert FeedBuild.objects.get(is_running=True).attempts == attempt + 1
        make_feeds()
        assert not FeedBuild.objects.filter(is_running=True).exists()
        with pytest.raises(CommandError, match=r"were not written: .*(does not answer|no space left)"):
            call_command("make_feeds")
    assert pages(api) == [["https://shop.example/p/lamp"]]
    factories.product("Chair")
    make_feeds()
    assert len(pages(api)[0]) == 2


def test_old_files_are_removed_after_a_while(monkeypatch: pytest.MonkeyPatch, front_end: Path, api: APIClient) -> None:
    factories.product("Lamp")
    first, second = building.make(), building.make()
    building.remove_old()
    assert names(front_end) == {first.token, second.token}  # the first one may still be read
    later(monkeypatch, building.STORED_FOR + timedelta(seconds=1))
    building.remove_old()
    assert names(front_end) == {second.token}
    assert [build.pk for build in FeedBuild.objects.all()] == [second.pk]
    assert pages(api) == [["https://shop.example/p/lamp"]]


def test_files_of_a_run_that_was_given_up_are_removed(monkeypatch: pytest.MonkeyPatch, front_end: Path) -> None:
    for name in "AB":
        factories.product(name)
    building.begin()
    claim = building.claimed()
    assert claim
    building.step(claim, limits=ONE)
    FeedBuild.objects.update(is_running=None)
    building.remove_old()
    assert names(front_end)  # a process may still be writing
    later(monkeypatch, building.LEASE + timedelta(seconds=1))
    building.remove_old()
    assert not names(front_end)
    assert FeedBuild.objects.count() == 0
