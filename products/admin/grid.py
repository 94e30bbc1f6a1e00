"""The grid on a family's page: a row for each of its products, and all of them are saved together.

What the page has shown comes back in a signed field. So only what was typed differently is written, the stock as its
difference, and a product that others have written meanwhile, other than by a sale, is left as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Prefetch

from productbackend.text.formats import money
from products.admin.pictures import PictureInput, preview
from products.families import members
from products.families.members import Change
from products.inventory.stock import RequestUser
from products.models import OPTION_MAX, QUANTITY_MAX, Family, Product, ProductImage
from products.naming import validate_visible
from products.reads import seen
from products.reads.seen import Seen

SHOWN = "grid-shown"  # the signed field
SALT = "products.admin.grid"
OUTDATED = "The grid cannot be read: open the page again."
INVALID = "Nothing was saved: correct what is marked in the grid. Pictures have to be chosen again."
FIELDS = ("sku", "price", "is_active")
WRITTEN = "was not saved: it was changed meanwhile, other than by a sale. The grid has its present values."
LEFT = "was not saved: it is no product of this family any more."


def value_name(number: int) -> str:
    """The name of the field of an axis, by its position: so that it may be renamed meanwhile."""
    return f"value_{number}"


class RowForm(forms.Form):
    sku = forms.CharField(max_length=64)
    price = forms.DecimalField(min_value=0, max_digits=10, decimal_places=2)
    quantity = forms.IntegerField(min_value=0, max_value=QUANTITY_MAX)
    is_active = forms.BooleanField(required=False)
    picture = forms.FileField(required=False, allow_empty_file=True, widget=PictureInput)  # checked when it is added
    take_out = forms.BooleanField(required=False)

    def __init__(self, *args: Any, name: str, heads: Mapping[str, str], takes_pictures: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in heads:
            if each.startswith(value_name(0)[:-1]):
                self.fields[each] = forms.CharField(
                    max_length=OPTION_MAX, required=False, validators=[validate_visible]
                )
        if not takes_pictures:
            del self.fields["picture"]
        for each, bound in self.fields.items():
            bound.widget.attrs["aria-label"] = f"{heads[each]}: {name}"


@dataclass
class Row:
    """A member as the page has shown it, and its form if it may be changed."""

    name: str
    seen: Seen
    shown: dict[str, Any]
    form: RowForm | None = None
    product: Any = None  # as it is now, with `images`; None if it is no member any more

    @property
    def pk(self) -> int:
        return self.seen.pk

    @classmethod
    def of(cls, product: Product, family: Family) -> "Row":
        shown = {
            "sku": product.sku,
            "price": str(product.price),
            "quantity": product.quantity,
            "is_active": product.is_active,
        }
        values = {value_name(n): product.options.get(axis, "") for n, axis in enumerate(family.axes)}
        return cls(product.name, Seen.of(product), shown | values, product=product)

    @property
    def picture(self) -> str:
        return preview(self.product.shown_images[0]) if self.product and self.product.shown_images else ""

    def is_done(self, product: Product | None, family: Family) -> bool:
        """Whether the product is as it was typed, such as after a second click on the button."""
        assert self.form is not None
        data = self.form.cleaned_data
        if product is None or data["take_out"] or data.get("picture"):
            return product is None and data["take_out"]
        present = Row.of(product, family).shown | {"price": product.price}
        return all(data[name] == value for name, value in present.items())

    def change(self) -> Change:
        """What was typed differently. The form is valid."""
        assert self.form is not None
        data, changed = self.form.cleaned_data, set(self.form.changed_data)
        values = [name for name in self.shown if name.startswith("value_")]
        return Change(
            self.pk,
            {name: data[name] for name in FIELDS if name in changed},
            [data[name] for name in values] if changed.intersection(values) else None,
            data["quantity"] - self.shown["quantity"],
            data["take_out"],
        )


@dataclass
class Grid:
    """The rows of a family's products. `data` and `files` are those of a page that was sent.

    With `may_change` the rows have forms. After `is_valid` the family and its products are locked.
    """

    family: Family
    data: Any = None
    files: Any = None
    may_change: bool = False
    takes_pictures: bool = False
    refused: list[str] = field(default_factory=list)  # sentences
    changes: list[Change] = field(default_factory=list)
    pictures: list[tuple[int, UploadedFile]] = field(default_factory=list)
    movement: int = 0

    @property
    def is_sent(self) -> bool:
        return self.may_change and self.data is not None and SHOWN in self.data

    @cached_property
    def heads(self) -> dict[str, str]:
        """The names of the columns, by those of their fields."""
        found = {value_name(number): axis for number, axis in enumerate(self.family.axes)}
        found |= {
            "sku": "SKU",
            "price": f"Price in {settings.CURRENCY}",
            "quantity": "In stock",
            "is_active": "Visible",
            "picture": "Add a picture" if self.takes_pictures else "Picture",
        }
        return found | ({"take_out": "Take out"} if self.may_change else {})

    @cached_property
    def rows(self) -> list[Row]:
        if self.may_change and not self.is_sent:
            self.movement = seen.last_movement()  # before the products are read
        images = ProductImage.objects.order_by("position", "id")
        found = Product.objects.filter(family=self.family.pk).order_by("family_position", "pk")
        products = list(found.prefetch_related(Prefetch("images", images, to_attr="shown_images")))
        if self.is_sent:
            self.movement, shown = self._shown()
            present = {product.pk: product for product in products}
            rows = [Row(name, Seen(*was), values, product=present.get(was[0])) for name, was, values in shown]
        else:
            rows = [Row.of(product, self.family) for product in products]
        if self.may_change:
            for row in rows:
                row.form = self._form(row)
        return rows

    def _shown(self) -> Any:
        try:
            return signing.loads(self.data[SHOWN], salt=f"{SALT}.{self.family.pk}")
        except signing.BadSignature:
            self.refused.append(OUTDATED)
            return 0, []

    def _form(self, row: Row) -> RowForm:
        sent = (self.data, self.files) if self.is_sent else (None, None)
        initial = row.shown | {"price": Decimal(row.shown["price"])}
        return RowForm(
            *sent,
            initial=initial,
            prefix=f"row-{row.pk}",
            name=row.name,
            heads=self.heads,
            takes_pictures=self.takes_pictures,
        )

    @property
    def token(self) -> str:
        """What the page shows, signed."""
        shown = [self.movement, [(row.name, row.seen, row.shown) for row in self.rows]]
        return signing.dumps(shown, salt=f"{SALT}.{self.family.pk}", compress=True)

    def cells(self, row: Row) -> list[tuple[str, Any]]:
        """The columns of a row by their names: each a field of the form, or text."""
        if row.form is not None:
            return [(name, row.form[name] if name in row.form.fields else "") for name in self.heads]
        price = money(Decimal(row.shown["price"]), settings.CURRENCY)
        texts = row.shown | {"price": price, "is_active": "yes" if row.shown["is_active"] else "no", "picture": ""}
        return [(name, texts[name]) for name in self.heads]

    @property
    def table(self) -> list[tuple[Row, list[tuple[str, Any]]]]:
        return [(row, self.cells(row)) for row in self.rows]

    def is_valid(self) -> bool:
        """Decide what is written, and which rows are refused. Add the errors of impossible changes to the forms."""
        if not self.is_sent:
            return True
        forms_of = {row.pk: row.form for row in self.rows if row.form}
        valid = [row for row in self.rows if forms_of[row.pk].is_valid()]
        changed = [row for row in valid if forms_of[row.pk].has_changed()]
        family, present = members.locked(self.family.pk)
        written = seen.written_since({row.pk: row.seen for row in changed}, present, self.movement)
        for row in changed:
            if row.is_done(present.get(row.pk), family):
                continue
            if row.pk not in present:
                self.refused.append(f"{row.name} {LEFT}")
            elif row.pk in written:
                self.refused.append(f"{row.name} {WRITTEN}")
            else:
                self.changes.append(row.change())
                if picture := forms_of[row.pk].cleaned_data.get("picture"):
                    self.pictures.append((row.pk, picture))
        for error in members.errors(family, present, self.changes):
            pk, _, name = error.extra["errors"][0]["field"].partition(".")
            forms_of[int(pk)].add_error(value_name(0) if name == "options" else name, error.detail)
        return not any(form.errors for form in forms_of.values())

    def save(self, user: RequestUser) -> int:
        """Write what is valid; return how many products were changed. Pictures are added by the caller."""
        if self.changes:
            members.change(family_id=self.family.pk, changes=self.changes, user=user)
        return len(self.changes)
