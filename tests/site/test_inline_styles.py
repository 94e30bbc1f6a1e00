"""The content security policy of a page that shows a mail allows its styles, and no others."""

import base64
import hashlib

import pytest

from productbackend.site.inline_styles import style_sources

pytestmark = pytest.mark.embedded


def of(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def test_without_styles_no_inline_style_is_allowed() -> None:
    assert style_sources("<p>Thank you</p>") == "'self'"


def test_style_elements_are_allowed_by_their_hashes() -> None:
    html = "<style>\r\np > b { color: red }\r\n</style><p>a &gt; b</p><style>i { margin: 0 }</style>"
    first = of("\np > b { color: red }\n")
    assert style_sources(html) == f"'self' {first} {of('i { margin: 0 }')}"


def test_attributes_are_allowed_by_their_hashes() -> None:
    html = "<p style='font: 1em &quot;Arial&quot;'><b style='color: red'>a</b><i style='color: red'>b</i></p>"
    font = of('font: 1em "Arial"')
    assert style_sources(html) == f"'self' 'unsafe-hashes' {font} {of('color: red')}"


def test_the_header_is_bounded() -> None:
    html = "".join(f"<p style='margin: {number}px'>a</p>" for number in range(1_000))
    assert len(style_sources(html)) < 2_000
