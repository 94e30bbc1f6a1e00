"""Template filters for amounts and rates: `{{ amount|money:currency }}`. Templates of mails need no `load` for them."""

from django import template

from productbackend.text import formats

register = template.Library()
register.filter("money", formats.money)
register.filter("percent", formats.percent)
register.filter("decimal_comma", formats.decimal_comma)
