"""Forms about the money of an order."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms

from orders.models import Order, OrderLine
from payments import refunds
from payments.models import new_key
from payments.refunds import RefundItem, RefundRequest
from productbackend.database.idempotency import IdempotencyKey

if TYPE_CHECKING:
    from accounts.models import User

CENT = Decimal("0.01")


def form_key(data: Any) -> str:
    """The idempotency key of a submitted form: that of the page, which makes two clicks one refund."""
    return f"admin-{data.get('key', '')[:32]}"


def digest(request: RefundRequest, more: object) -> str:
    """The SHA-256 of what a request refunds, and of `more`."""
    text = repr((request.order_id, request.amount, request.items, request.delivery, more))
    return hashlib.sha256(text.encode()).hexdigest()


def confirmation(request: RefundRequest, amount: Decimal) -> str:
    """What the button below the preview sends: it confirms this amount, of these pieces, and no other."""
    return f"{amount}-{digest(request, amount)}"


def piece_text(quantity: int, sku: str, *, restock: bool) -> str:
    return f"{quantity} × {sku} (restocked)" if restock else f"{quantity} × {sku}"


def contents(request: RefundRequest) -> list[str]:
    """What the preview lists: the pieces, and the delivery."""
    pieces = [piece_text(item.quantity, item.sku, restock=item.restock) for item in request.items]
    return [*pieces, "the delivery"] if request.delivery else pieces


@dataclass(frozen=True)
class Row:
    """One line of the order in the form."""

    line: OrderLine
    left: int
    take: forms.BoundField
    pieces: forms.BoundField
    restock: forms.BoundField


class RefundForm(forms.Form):
    """An amount, or lines with their pieces; `key` makes a form that is submitted twice one refund."""

    amount = forms.DecimalField(
        required=False,
        max_digits=20,
        decimal_places=2,
        min_value=CENT,
        help_text="Either an amount, or lines and the delivery below.",
    )
    delivery = forms.BooleanField(required=False, label="Refund the delivery")
    reason = forms.CharField(required=False, max_length=500, help_text="The customer can read it.")
    key = forms.CharField(max_length=32, widget=forms.HiddenInput)

    def __init__(self, order: Order, data: Any = None) -> None:
        super().__init__(data, initial={"key": new_key()})
        self.order, self.left = order, refunds.pieces_left(order)
        self.fields["amount"].widget.attrs["max"] = str(refunds.refundable(order.pk))
        self.fields["reason"].widget.attrs["class"] = "vTextField"
        if not refunds.delivery_is_left(order):
            del self.fields["delivery"]
        for line in self._lines():
            left = self.left[line.pk]
            self.fields[f"take_{line.pk}"] = forms.BooleanField(required=False, label=f"Refund {line.sku}")
            self.fields[f"pieces_{line.pk}"] = forms.IntegerField(
                required=False, min_value=1, max_value=left, initial=left, label=f"Pieces of {line.sku}"
            )
            self.fields[f"restock_{line.pk}"] = forms.BooleanField(required=False, label=f"Restock {line.sku}")

    def rows(self) -> Iterator[Row]:
        for line in self._lines():
            bound = [self[f"{name}_{line.pk}"] for name in ("take", "pieces", "restock")]
            yield Row(line, self.left[line.pk], *bound)

    def wanted(self, user: "User") -> RefundRequest:
        """The request of a valid form."""
        given = self.cleaned_data
        items = [
            RefundItem(line.sku, given[f"pieces_{line.pk}"] or self.left[line.pk], given[f"restock_{line.pk}"])
            for line in self._lines()
            if given[f"take_{line.pk}"]
        ]
        request = RefundRequest(
            self.order.pk, user, given["amount"], items, given.get("delivery", False), given["reason"]
        )
        key = IdempotencyKey(form_key(given), digest(request, request.reason))
        return RefundRequest(**{**vars(request), "key": key})

    def _lines(self) -> list[OrderLine]:
        return [line for line in self.order.items if self.left[line.pk]]


class MarkPaidForm(forms.Form):
    """The money that came, and where it is found."""

    amount = forms.DecimalField(max_digits=20, decimal_places=2, min_value=CENT, help_text="The order's total.")
    reference = forms.CharField(
        required=False,
        max_length=200,
        help_text="Where you find it again, such as the line of the bank statement.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
