"""Hashes of a page's inline styles, for a content security policy that allows these and no others."""

import base64
import hashlib
from html.parser import HTMLParser

HASHES_MAX = 30  # a header has a limit


class _Styles(HTMLParser):
    """Collects the texts of style elements, and of style attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: dict[str, None] = {}
        self.attributes: dict[str, None] = {}
        self._text: list[str] = []  # since the last tag

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._text.clear()
        self.attributes.update((value, None) for name, value in attrs if name == "style" and value)

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self.elements["".join(self._text)] = None
        self._text.clear()


def style_sources(html: str) -> str:
    """The sources of `style-src` with which a page may include `html`, up to 30 different styles.

    Hashes of attributes need 'unsafe-hashes', which still allows no other style.
    """
    styles = _Styles()
    styles.feed(html.replace("\r\n", "\n"))
    styles.close()
    hashes = [_hash(text) for text in [*styles.elements, *styles.attributes][:HASHES_MAX]]
    return " ".join(["'self'", *(["'unsafe-hashes'"] if styles.attributes else []), *hashes])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
