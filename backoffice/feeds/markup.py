"""Text in XML 1.0."""

import re
from xml.sax.saxutils import escape

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# XML 1.0 has no way to write these, not as a reference either.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """`text` as the content of an element, without the characters that XML forbids."""
    return escape(FORBIDDEN.sub("", text))
