"""How values stand in the cells of files that people open in a spreadsheet. The import reads what the export writes."""

import re
from collections.abc import Iterable

QUOTE = "'"
# A spreadsheet takes a text that begins with one of the first four for a formula, which can call programs and send data
# to other hosts. Some skip a tab or a line break before it. The quote itself is quoted, so that it can be removed.
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", QUOTE)

LEVEL_SEPARATOR = " > "
LEVELS = re.compile(r"(?<!\\)>")


def guarded(text: str) -> str:
    """The text with a quote before it if a spreadsheet could take it for a formula, or if it begins with a quote."""
    return f"{QUOTE}{text}" if text.startswith(FORMULA_BEGINNINGS) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given. A quote before anything else is the text's own."""
    return text[1:] if text.startswith(QUOTE) and text[1:].startswith(FORMULA_BEGINNINGS) else text


def category_path(names: Iterable[str]) -> str:
    r"""The names from the root to a category, such as `Home > Lamps`. A `>` in a name is written as `\>`."""
    return LEVEL_SEPARATOR.join(name.replace(">", r"\>") for name in names)


def category_names(path: str) -> list[str]:
    """The names in a path that `category_path` wrote, or a person."""
    return [" ".join(name.replace(r"\>", ">").split()) for name in LEVELS.split(path)]
