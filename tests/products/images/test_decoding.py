"""JPEG files are decoded once, and a damaged one is rejected."""

from typing import Any

import pytest

from products.images import decoding, renditions
from tests.products import pictures
from tests.products.images.rendering import rendered

pytestmark = pytest.mark.embedded


def failure(data: bytes) -> str:
    with pytest.raises(renditions.InvalidPicture) as error:
        rendered(data)
    return error.value.code


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_blocks": 3}, {"mode": "L"}, {"mode": "CMYK"}],
    ids=str,
)
def test_a_jpeg_may_lack_only_its_end_marker(options: dict[str, Any]) -> None:
    mode = options.pop("mode", "RGB")
    data = pictures.encode(pictures.photograph(200, 120).convert(mode), **options)
    assert rendered(data[:-2]).tobytes() == rendered(data).tobytes()
    assert rendered(data[:-1]).tobytes() == rendered(data).tobytes()
    for part in (0.3, 0.6, 0.9, 0.99):
        assert failure(data[: int(len(data) * part)]) == "broken"


def test_a_progressive_jpeg_without_its_last_scan_is_broken() -> None:
    data = pictures.encode(pictures.photograph(200, 120), progressive=True)
    assert failure(data[: data.rindex(b"\xff\xda")]) == "broken"


def test_a_complete_jpeg_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def again(*args: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(decoding, "decode_jpeg", again)
    rendered(pictures.jpeg())
