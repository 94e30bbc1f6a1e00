"""The order of the previews."""

from typing import Any

import pytest

from orders.mails import TEMPLATES, render_mail
from orders.models import Order
from orders.samples import sample_order

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("prices_include_tax", [True, False])
def test_the_sample_adds_up_and_is_not_saved(settings: Any, prices_include_tax: bool) -> None:
    settings.PRICES_INCLUDE_TAX = prices_include_tax
    order = sample_order()
    costs = order.amounts
    assert costs.total == costs.items + costs.delivery + (0 if prices_include_tax else costs.tax)
    assert (order.total, order.tax) == (costs.total, costs.tax)
    assert costs.tax > 0
    assert not Order.objects.exists()


@pytest.mark.parametrize("kind", TEMPLATES)
def test_each_mail_is_rendered_for_it(kind: str) -> None:
    message = render_mail(kind, sample_order())
    for part in ("SMT2-3GPF-YXX7", "Walking boot", "Carla Coe"):
        assert part in message.text
        assert part in message.html
