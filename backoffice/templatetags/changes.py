"""The changes of an object, for its page "History" in the admin."""

from typing import Any

from django import template
from django.db.models import Model
from django.urls import reverse
from django.utils.http import urlencode

from backoffice.history.models import Change
from backoffice.history.presenting import shown
from productbackend.api.permissions import is_staff_with
from productbackend.site.admin import Link
from products.models import Product, StockMovement

register = template.Library()
LATEST = 100


@register.simple_tag(takes_context=True)
def changes_of(context: dict[str, Any], row: Model) -> dict[str, Any]:
    """The latest changes of `row`, and links to more that the user may see."""
    kind, user = row._meta.label_lower, context["request"].user
    found = Change.objects.filter(kind=kind, object_id=row.pk).order_by("-created_at", "-id")
    rows, links = list(found[: LATEST + 1]), []
    if is_staff_with(user, "view", Change):
        query = urlencode({"kind": kind, "object_id": row.pk})
        links.append(Link("List of these changes", f"{reverse('admin:backoffice_change_changelist')}?{query}"))
    if isinstance(row, Product) and is_staff_with(user, "view", StockMovement):
        query = urlencode({"q": row.sku})
        links.append(Link("Stock movements", f"{reverse('admin:products_stockmovement_changelist')}?{query}"))
    return {"rows": shown(rows[:LATEST]), "are_more": len(rows) > LATEST, "latest": LATEST, "links": links}
