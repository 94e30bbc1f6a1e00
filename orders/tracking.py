"""Where a parcel can be followed."""

from dataclasses import dataclass

from django.core.validators import RegexValidator

from orders.models import Order

# Of the web alone, since pages and mails link to it. Fields do not check an empty value.
validate_tracking_url = RegexValidator(
    r"\Ahttps?://[A-Za-z0-9\[][!-~]*\Z",
    "Enter a URL that begins with https:// or http://, in ASCII without spaces.",
)


@dataclass(frozen=True)
class Tracking:
    """The carrier of a parcel, its number and where to follow it. Each may be empty."""

    carrier: str = ""
    number: str = ""
    url: str = ""

    def set_on(self, order: Order) -> set[str]:
        """Set the columns of `order`, and return their names."""
        order.tracking_carrier, order.tracking_number, order.tracking_url = self.carrier, self.number, self.url
        return {"tracking_carrier", "tracking_number", "tracking_url"}


def tracking_of(order: Order) -> Tracking | None:
    """The tracking of `order`; None if all of it is empty."""
    tracking = Tracking(order.tracking_carrier, order.tracking_number, order.tracking_url)
    return tracking if tracking != Tracking() else None
