"""A customer's orders, at the top of the page of their account."""

from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.urls import reverse

from orders.models import Order
from productbackend.site.admin import Link
from productbackend.text.formats import money

Status = Order.Status
BOUGHT = Q(status__in=(Status.PAID, Status.FULFILLED))


def orders_of(request: HttpRequest, customer: AbstractBaseUser) -> list[Link]:
    """The number of the customer's orders, and what they paid less what was refunded, with the list of the orders."""
    if not request.user.has_perm("orders.view_order"):
        return []
    orders = Order.objects.filter(user=customer.pk).order_by().values("currency")
    rows = orders.annotate(number=Count("pk"), paid=Sum("total", filter=BOUGHT), back=Sum("refunded", filter=BOUGHT))
    number, amounts = 0, []
    for row in rows.order_by("currency"):
        number += row["number"]
        amounts.append(money((row["paid"] or Decimal(0)) - (row["back"] or Decimal(0)), row["currency"]))
    url = f"{reverse('admin:orders_order_changelist')}?user__id__exact={customer.pk}"
    return [Link(f"Orders: {', '.join([str(number), *amounts])}", url)]
