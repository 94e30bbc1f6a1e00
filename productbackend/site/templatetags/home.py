"""The parts of the admin's home page, and the names of its lists."""

from typing import Any

from django import template
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from productbackend.site import home, sections

register = template.Library()


@register.simple_tag
def waiting(request: HttpRequest) -> list[home.Waiting]:
    """What waits for the user, as far as the user may see it."""
    return home.waiting(request)


@register.simple_tag
def list_name(opts: Any) -> str:
    """The name of the model's list, as the navigation has it."""
    return sections.list_name(admin.site.get_model_admin(opts.model))


@register.simple_tag
def panels(request: HttpRequest) -> list[SafeString]:
    """The panels of the user's home page, rendered."""
    shown: list[tuple[str, dict[str, Any] | None]] = [(each.template, each.context(request)) for each in home.PANELS]
    return [render_to_string(name, context, request) for name, context in shown if context is not None]
