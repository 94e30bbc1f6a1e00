"""Columns of the admin's lists and tables: a status as a badge, an amount with its currency."""

from operator import attrgetter
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.utils.html import format_html

from productbackend.text.formats import money

Column = Any  # a function of the row; Django takes it for a name in more places than its stubs know
NOTHING = "–"
# What a badge says by its colour. The word says it too.
GOOD, WAITS, ACTIVE, BAD, PLAIN = "good", "waits", "active", "bad", "plain"


def badge(text: str, tone: str) -> str:
    return format_html('<span class="badge {}">{}</span>', tone, text)


def status_badge(tones: dict[str, str], field: str = "status") -> Column:
    """A column of the field with choices, in the colour of the row's value: {value: tone}; others are plain."""

    @admin.display(description=field, ordering=field)
    def column(row: Any) -> str:
        return badge(getattr(row, f"get_{field}_display")(), tones.get(getattr(row, field), PLAIN))

    column.__name__ = field  # names its CSS class
    return column


def amount(field: str, currency: str = "", label: str = "") -> Column:
    """A column of an amount with its currency: that of the attribute `currency`, which may be dotted, or the shop's."""

    @admin.display(description=label or field.replace("_", " "), ordering=field)
    def column(row: Any) -> str:
        value = getattr(row, field)
        if value is None:
            return NOTHING
        return money(value, attrgetter(currency)(row) if currency else settings.CURRENCY)

    column.__name__ = field
    return column
