"""Validation of first and last names, which appear in mails."""

import re
import unicodedata

from django.core.exceptions import ValidationError

LENGTH_MAX = 150
# Control characters, line and paragraph separators, and bidirectional controls.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LINK = re.compile(r"://|www\.")


def validate(name: str) -> None:
    """Raise ValidationError for control characters and links, which could forge a mail's lines or text."""
    if len(name) > LENGTH_MAX:
        return  # the field rejects it for its length
    if CONTROL.search(name):
        raise ValidationError("Control characters are not allowed.", code="invalid")
    if LINK.search(unicodedata.normalize("NFKC", name).casefold()):
        raise ValidationError('Links are not allowed: remove "://" and "www.".', code="invalid")
