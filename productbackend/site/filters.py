"""Filters of the admin's lists."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from productbackend.site.days import DAY, Days, today


class YesNoFilter(admin.BooleanFieldListFilter):
    """A filter of a field of yes or no, with the title that `yes_no` gives: not that of the column in the database."""

    shop_title = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = self.shop_title


def yes_no(field: str, title: str) -> tuple[str, type[YesNoFilter]]:
    return field, type("YesNoFilter", (YesNoFilter,), {"shop_title": title})


class DayFilter(admin.SimpleListFilter):
    """The rows that were created on a day of the shop, or from one day to another: `day=2026-11-01..2026-11-27`."""

    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        now = today()
        choices = {
            str(Days(now, now)): "Today",
            str(Days(now - DAY, now - DAY)): "Yesterday",
            str(Days.until(now, 7)): "Last 7 days",
            str(Days.until(now, 30)): "Last 30 days",
        }
        if days := self.days():
            first, last = (f"{day:%-d %B %Y}" for day in (days.first, days.last))
            choices.setdefault(str(days), first if first == last else f"{first} to {last}")
        return list(choices.items())

    def days(self) -> Days | None:
        """The days of the query; None if it names none."""
        value = self.value()
        try:
            return Days.parse(value) if value else None
        except ValueError:
            raise IncorrectLookupParameters from None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.days()
        return queryset.filter(**days.range("created_at")) if days else queryset
