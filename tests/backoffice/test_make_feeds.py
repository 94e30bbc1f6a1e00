"""manage.py make_feeds."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice.feeds import building, files
from backoffice.feeds.models import FeedBuild
from tests import factories
from tests.backoffice.feeds.reading import URL, picture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def front_end(settings: Any, tmp_path: Path) -> None:
    settings.SHOP_PRODUCT_URL, settings.MEDIA_ROOT = URL, tmp_path


def run(*options: str) -> str:
    output = io.StringIO()
    call_command("make_feeds", *options, stdout=output)
    return output.getvalue()


def test_it_says_what_was_written() -> None:
    picture(factories.product("Lamp"))
    assert run() == "The sitemap has 1 products, the Google feed 1.\n"
    factories.product("Chair")
    assert run() == ("The sitemap has 2 products, the Google feed 1. Left out of the feed: 1 without a picture.\n")
    assert run("--verbosity=0") == ""


def test_it_is_off_without_a_front_end(settings: Any) -> None:
    settings.SHOP_PRODUCT_URL = None
    with pytest.raises(CommandError, match="SHOP_PRODUCT_URL is not set"):
        run()


def test_not_two_at_once() -> None:
    building.begin()
    claim = building.claimed()
    with pytest.raises(CommandError, match="Another process"):
        run()
    assert claim
    building.release(claim)
    run()


def test_an_interrupted_run_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(name: str, file: Any) -> None:
        raise KeyboardInterrupt

    factories.product("Lamp")
    with monkeypatch.context() as patch:
        patch.setattr(files, "save", interrupt)
        with pytest.raises(CommandError, match="Interrupted") as error:
            run()
    assert error.value.returncode == 130
    run()
    assert FeedBuild.objects.count() == 1
