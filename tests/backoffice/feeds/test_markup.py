"""Text in XML."""

import pytest

from backoffice.feeds.markup import escaped
from tests.backoffice.feeds.reading import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<b>A & B</b> "it\'s"', '<b>A & B</b> "it\'s"'),
        ("]]> <![CDATA[ <!-- &amp;", "]]> <![CDATA[ <!-- &amp;"),
        ("a\x00b\x08c\x0b\x1fd\ufffe\uffffe", "abcde"),
        ("tab\tline\n", "tab\tline\n"),
        ("靴 👟 é", "靴 👟 é"),
    ],
)
def test_a_parser_reads_what_was_written(text: str, expected: str) -> None:
    assert parse(f"<a>{escaped(text)}</a>".encode()).text == expected
