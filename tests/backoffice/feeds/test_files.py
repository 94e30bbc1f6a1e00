"""The files of the sitemap and the feed in the file store."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from backoffice.feeds import files
from backoffice.feeds.models import FeedBuild

pytestmark = pytest.mark.django_db


def test_files_one_after_another(front_end: Path) -> None:
    files.save("feeds/a", io.BytesIO(b"1" * 100_000))
    files.save("feeds/b", io.BytesIO(b"2"))
    files.save("feeds/b", io.BytesIO(b"3"))
    chunks = list(files.chunks(["feeds/a", "feeds/b"]))
    assert max(map(len, chunks)) == files.CHUNK
    assert b"".join(chunks) == b"1" * 100_000 + b"3"
    with pytest.raises(FileNotFoundError):
        list(files.chunks(["feeds/none"]))


def test_every_file_of_a_build_is_removed(front_end: Path) -> None:
    build = FeedBuild.objects.create(token="t", basis="", parts=[[1, ""]], pieces=[1, 1])
    kept = "feeds/other-sitemap-1.xml"
    recorded = [files.part_name("t", 1), files.piece_name("t", 1), files.piece_name("t", 2)]
    of_a_killed_step = [files.part_name("t", 2), files.piece_name("t", 3), files.piece_name("t", 2 + files.PIECES_MAX)]
    for name in [kept, *recorded, *of_a_killed_step]:
        files.save(name, io.BytesIO(b"1"))
    (front_end / "t-sitemap-2.xml.part").touch()
    files.remove(build)
    assert [path.name for path in front_end.iterdir()] == ["other-sitemap-1.xml"]


def test_the_check_of_pictures_does_not_report_them(front_end: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files.save("feeds/a", io.BytesIO(b"1"))
    call_command("check_media", "--delete")
    assert capsys.readouterr().out == "0 files and 0 images agree.\n"
    assert (front_end / "a").exists()


def test_media_does_not_serve_them(api: APIClient, front_end: Path) -> None:
    files.save("feeds/a-sitemap-1.xml", io.BytesIO(b"1"))
    assert api.get("/media/feeds/a-sitemap-1.xml").status_code == 404
