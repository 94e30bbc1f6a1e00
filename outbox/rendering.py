"""Renders mails from templates, each of which a shop can replace by a file in MAIL_TEMPLATES_DIR."""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from outbox.mails import Message

ENGINE = "mails"  # the engine in TEMPLATES that looks into MAIL_TEMPLATES_DIR first
GAP = re.compile(r"\n(?:[ \t]*\n){2,}")


def render(template: str, context: Mapping[str, Any]) -> Message:
    """Render the three files of `template`: `.subject.txt`, `.txt` and `.html`, in the shop's time zone.

    Besides `context` they have `shop`, and the last two `subject`. Tags on lines of their own leave no gaps in the
    text. Raises whatever a broken template raises.
    """
    given = {"shop": settings.SHOP_NAME, **context}
    with timezone.override(settings.SHOP_TIME_ZONE):
        given["subject"] = " ".join(render_to_string(f"{template}.subject.txt", given, using=ENGINE).split())
        text, html = (render_to_string(f"{template}.{form}", given, using=ENGINE) for form in ("txt", "html"))
    return Message(subject=given["subject"], text=GAP.sub("\n\n", text).strip() + "\n", html=html)
