"""Translates Python's regular expressions into ECMAScript's with the flag u, as OpenAPI requires."""

import re

# Outside of a character class and inside. Python's \\w and \\d match all scripts, unlike ECMAScript's.
CLASSES = {
    "w": (r"[\p{L}\p{N}_]", r"\p{L}\p{N}_"),
    "d": (r"\p{Nd}", r"\p{Nd}"),
    "W": (r"[^\p{L}\p{N}_]", None),
    "D": (r"\P{Nd}", r"\P{Nd}"),
    "s": (r"\s", r"\s"),
    "S": (r"\S", r"\S"),
    "b": (None, None),  # ECMAScript's knows ASCII letters only
    "A": ("^", None),
    "Z": ("$", None),
    "t": (r"\t", r"\t"),
    "n": (r"\n", r"\n"),
    "r": (r"\r", r"\r"),
}
SYNTAX = "^$\\.*+?()[]{}|/"  # what a backslash may escape with the flag u; in a class also "-"
UNKNOWN = re.compile(r"\(\?(?!:|=|!|<=|<!|P<)|[*+?}]\+")  # inline flags, atomic groups, possessive quantifiers
TOKEN = re.compile(r"\\(.)|\[\^?\]?|\]|\(\?P<|[^\\\[\]]", re.DOTALL)


def ecmascript(pattern: str) -> str:
    """Translate `pattern`. Raises ValueError if ECMAScript has no equivalent."""
    if UNKNOWN.search(pattern):
        raise ValueError(f"The pattern {pattern!r} has syntax that ECMAScript does not support.")
    in_class = False

    def token(found: re.Match[str]) -> str:
        nonlocal in_class
        whole, escaped = found[0], found[1]
        if escaped is not None:
            return _escape(pattern, escaped, in_class=in_class)
        if whole == "]" and in_class:
            in_class = False
        elif whole[0] == "[":
            if in_class:
                return r"\["
            in_class = True
            return whole if not whole.endswith("]") else f"{whole[:-1]}\\]"
        return "(?<" if whole == "(?P<" else whole

    return TOKEN.sub(token, pattern)


def _escape(pattern: str, char: str, *, in_class: bool) -> str:
    if char in CLASSES:
        if (translated := CLASSES[char][in_class]) is not None:
            return translated
    elif char in SYNTAX or (char == "-" and in_class):
        return f"\\{char}"
    elif not char.isalnum() and char.isascii():
        return char  # with the flag u it must not be escaped
    raise ValueError(f"The pattern {pattern!r} has \\{char}, for which ECMAScript has no equivalent.")
