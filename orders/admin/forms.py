"""Forms of the pages of orders."""

from typing import Any

from django import forms

from orders.mails import CANCELLED, CONFIRMATION, EXPIRED, PAID, REFUNDED, SENT
from orders.models import Order, OrderNote
from orders.tracking import Tracking, validate_tracking_url


class FulfilForm(forms.ModelForm):
    """The tracking of an order that is fulfilled; each field may be empty."""

    class Meta:
        model = Order
        fields = ("tracking_carrier", "tracking_number", "tracking_url")
        labels = {"tracking_url": "Tracking URL"}
        widgets = dict.fromkeys(fields, forms.TextInput(attrs={"class": "vTextField"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tracking_url"].validators.append(validate_tracking_url)

    @property
    def tracking(self) -> Tracking:
        return Tracking(*(self.cleaned_data[field] for field in self.Meta.fields))


class NoteForm(forms.ModelForm):
    """A note about an order, for other staff."""

    class Meta:
        model = OrderNote
        fields = ("text",)
        widgets = {"text": forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"})}


class PreviewForm(forms.Form):
    """The kind of mail to show, and for which order."""

    kind = forms.ChoiceField(
        choices=[
            (CONFIRMATION, "Order placed"),
            (PAID, "Order paid"),
            (SENT, "Order sent"),
            (CANCELLED, "Order cancelled"),
            (EXPIRED, "Order expired"),
            (REFUNDED, "Order refunded"),
        ],
        label="Mail",
    )
    number = forms.CharField(
        required=False, max_length=20, label="Order", help_text="An order's number. Empty: a sample."
    )

    def clean_number(self) -> Order | None:
        """The order itself; None for the sample."""
        number = self.cleaned_data["number"].strip().upper()
        order = Order.objects.filter(number=number).first()
        if number and order is None:
            raise forms.ValidationError("There is no such order.", code="not-found")
        return order
