"""The parameters of the catalogue's lists, and what a request for products asks for by them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import django_filters
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex, Substr
from django.db.models.lookups import Contains
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from productbackend.api import pagination
from productbackend.api.filters import (
    BooleanFilter,
    DecimalFilter,
    FilterSet,
    FoldedFilter,
    FoldedValuesFilter,
    IdFilter,
    IdListFilter,
    IdsFilter,
    IntegerFilter,
    TimeFilter,
)
from productbackend.api.keyset import Paging
from productbackend.api.permissions import may_see_all
from productbackend.database.fields import KEY_LENGTH, fold
from productbackend.text.comparison import normalized
from products import categories
from products.models import Category, Family, Product
from products.naming import KEY_SEPARATOR, name_key
from products.reads.option_filters import (
    OnePerFamilyFilter,
    OptionFilter,
    by_axis,
    having,
    in_families,
    row_by_row,
    without_index,
)
from products.reads.rows import product_rows
from products.search.query import TEXT_MAX, can_be_relaxed, matching, with_sku

# The columns of the orderings, which have indexes.
ORDERINGS = {"name": "name_key"} | {name: name for name in ("price", "rating", "quantity", "created_at", "id")}
ORDERING = "name"
NULLABLE = {"rating"}
SPELLINGS_MAX = 100  # products whose SKUs differ in case only


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]{1,8}(\.[0-9]{1,2})?$"})
class PriceFilter(DecimalFilter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=10, decimal_places=2, field_name="price", **kwargs)


class YearFilter(IntegerFilter):
    def filter(self, qs: QuerySet[Any], value: int) -> QuerySet[Any]:
        return qs.filter(created_at__gte=datetime(value, 1, 1, tzinfo=UTC))


class NameFilter(FoldedFilter):
    """Matches a whole name in a column of name keys, also a key in the format of version 1.0."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return qs.filter(**{f"{self.field_name}__in": {name_key(value), fold(value)[:KEY_LENGTH]}})


class NameContainsFilter(FoldedFilter):
    """Matches a part of the name, by a scan of the index on names, the cheapest way to read all of them."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        # Match in the folded name alone, not in the sort key before it.
        folded = Substr(F(self.field_name), StrIndex(F(self.field_name), Value(KEY_SEPARATOR)) + 1)
        return super().filter(qs, value).filter(Contains(folded, fold(value)[:KEY_LENGTH]))


class StockFilter(BooleanFilter):
    def filter(self, qs: QuerySet[Any], value: bool) -> QuerySet[Any]:
        return qs.filter(quantity__gt=0) if value else qs.filter(quantity=0)


@extend_schema_field({"type": "string", "maxLength": TEXT_MAX})
class SearchFilter(django_filters.CharFilter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=TEXT_MAX, **kwargs)

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return matching(qs, value)


class SlugFilter(django_filters.CharFilter):
    """Matches a whole slug, as it is stored, or one in lower case in any case."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return qs.filter(slug__in={normalized("NFC", value[:KEY_LENGTH]), fold(value)})


class SkuFilter(django_filters.CharFilter):
    """Matches a whole SKU in any case, of which there may be several spellings."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        found = with_sku(Product.objects.order_by(), value).values_list("pk", flat=True)
        return qs.filter(pk__in=list(found[:SPELLINGS_MAX]))


class ProductFilter(FilterSet):
    category = IdsFilter(
        help_text="A category's id; includes products of its subcategories. It may be repeated: any of them."
    )
    category_name = NameFilter(field_name="category__name_key", help_text="The category's name, in any case.")
    name = NameFilter(field_name="name_key", help_text="The whole name, in any case.")
    name_contains = NameContainsFilter(field_name="name_key", lookup_expr="contains", help_text="A part of the name.")
    brand = FoldedValuesFilter(
        field_name="brand_key", help_text="The whole brand, in any case. It may be repeated: any of them."
    )
    brand_contains = FoldedFilter(field_name="brand_key", lookup_expr="contains", help_text="A part of the brand.")
    min_price = PriceFilter(lookup_expr="gte", help_text="The minimum price.")
    max_price = PriceFilter(lookup_expr="lte", help_text="The maximum price.")
    min_quantity = IntegerFilter(field_name="quantity", lookup_expr="gte", help_text="The minimum quantity in stock.")
    max_quantity = IntegerFilter(field_name="quantity", lookup_expr="lte", help_text="The maximum quantity in stock.")
    min_rating = DecimalFilter(field_name="rating", lookup_expr="gte", help_text="The minimum rating.")
    max_rating = DecimalFilter(field_name="rating", lookup_expr="lte", help_text="The maximum rating.")
    released_after = YearFilter(min_value=1, max_value=9999, help_text="A year: created in it or later.")
    created_after = TimeFilter(field_name="created_at", lookup_expr="gte", help_text="At or after this time.")
    updated_after = TimeFilter(
        field_name="updated_at", lookup_expr="gte", help_text="At or after this time; a sale changes a product."
    )
    slug = SlugFilter(help_text="The whole slug.")
    sku = SkuFilter(help_text="The whole SKU, in any case.")
    ids = IdListFilter(
        help_text="Ids with commas between; without `ordering` in their order. Unknown ones are left out."
    )
    in_stock = StockFilter(field_name="quantity", help_text="true: in stock; false: sold out.")
    option = OptionFilter(
        help_text="An option such as `Size:M`, split at the first colon, in any case. It may be repeated: any of the "
        "values of one axis, all of several axes."
    )
    one_per_family = OnePerFamilyFilter(
        field_name="is_lead",
        help_text="true: each family once, by its lead: the first of its products that is active and in stock, else "
        "the first that is active. Filters are compared with the lead, but `option`: a family is found if any of its "
        "products has it, and shown by the first that does.",
    )
    search = SearchFilter(
        help_text="Words in name, brand, description, SKU and the names of the category and those above it, compared "
        "by their stem. Where no product has all of them, products with some of them are found."
    )

    class Meta:
        model = Product
        fields: list[str] = []


class CategoryFilter(FilterSet):
    parent = IdFilter(field_name="parent", help_text="The id of a parent: its direct children.")
    name = NameFilter(field_name="name_key", help_text="The whole name, in any case.")
    slug = SlugFilter(help_text="The whole slug.")

    class Meta:
        model = Category
        fields: list[str] = []


class FamilyFilter(FilterSet):
    name = NameFilter(field_name="name_key", help_text="The whole name, in any case.")
    slug = SlugFilter(help_text="The whole slug.")

    class Meta:
        model = Family
        fields: list[str] = []


FILTERS = ProductFilter.base_filters
FILTER_PARAMETERS = ProductFilter.parameters()


@dataclass(frozen=True)
class ProductQuery:
    """The products that a request asks for, and in a list, which page of them."""

    include_hidden: bool
    categories: list[int] | None  # the ids of categories and their subtrees; None: any category
    filters: Mapping[str, Any]  # the values of the other filters
    paging: Paging
    is_relaxed: bool = False  # whether the search finds products that have any of its words
    by_row: bool = False  # whether options and members are looked up for each row, in the order of an index
    families: Sequence[int] | None = None  # those in which a member has the options, if they were read
    is_sample: bool = False  # whether there are more than these

    @property
    def one_per_family(self) -> bool:
        return bool(self.filters.get("one_per_family"))

    @property
    def options(self) -> dict[str, list[str]]:
        """The options that are filtered by, by axis."""
        return by_axis(self.filters.get("option", ()))

    @property
    def shows_members(self) -> bool:
        """Whether families are shown by other products than their leads."""
        return self.one_per_family and "option" in self.filters

    @property
    def names(self) -> set[str]:
        """The names of the filters that the request uses."""
        return {*self.filters, *(["category"] if self.categories is not None else [])}

    def rows(self, category: RawSQL | None = None, without: Collection[str] = ()) -> QuerySet[Any]:
        """The matching rows; with `category`, those of one category instead of all subtrees.

        The filters in `without` are not applied. With `shows_members` these are the leads of the families.
        """
        if self.families is not None and not self.looks_members_up(without):
            leads = self._active(product_rows(include_hidden=True).filter(in_families(self.families)))
            return self._filtered(leads, category, without)
        rows = self._filtered(product_rows(include_hidden=self.include_hidden), category, without)
        if not self.shows_members:
            return rows
        has_member = Exists(self.members(family=OuterRef("family_id")))
        return rows.filter(row_by_row(has_member) if self.by_row else has_member)

    def members(self, *of: Q, **filters: Any) -> QuerySet[Any]:
        """The products of families that the client may see and that have the options."""
        members = self._active(Product.objects.order_by().filter(*of, **filters))
        return self._with_options(members) if "option" in self.filters else members

    def _active(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of a few products that the client may see. MySQL would read all active ones by their index."""
        return rows if self.include_hidden else rows.alias(active=without_index("is_active")).filter(active=1)

    def families_with_options(self) -> QuerySet[Any]:
        """The ids of the families in which a member has the options, each once."""
        return self.members().values_list("family_id", flat=True).distinct()

    def shown_members(self) -> QuerySet[Any]:
        """The rows of the products that families are shown by, with `shows_members`."""
        earlier = Q(family_position__lt=OuterRef("family_position")) | Q(
            family_position=OuterRef("family_position"), pk__lt=OuterRef("pk")
        )
        rows = self._with_options(product_rows(include_hidden=self.include_hidden))  # only members have options
        is_first = ~Exists(self.members(family=OuterRef("family_id")).filter(earlier))
        rows = rows.filter(row_by_row(is_first) if self.by_row else is_first)
        if not self.compares_leads():
            return rows
        leads = Exists(self._filtered(Product.objects.order_by().filter(family=OuterRef("family_id")), is_nested=True))
        return rows.filter(row_by_row(leads) if self.by_row else leads)

    def compares_leads(self, without: Iterable[str] = ()) -> bool:
        """Whether a family is found by its lead, by other filters, and shown by another member."""
        return self.shows_members and not self.names <= {"option", "one_per_family", *without}

    def looks_members_up(self, without: Iterable[str] = ()) -> bool:
        """Whether the leads that match the other filters are read, and the members of each are looked up."""
        return self.by_row and self.compares_leads(without)

    def reads_sample(self, without: Iterable[str] = ()) -> bool:
        """Whether `rows` has only what is found in some of the families."""
        return self.is_sample and not self.looks_members_up(without)

    def _with_options(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if not self.by_row:
            return FILTERS["option"].filter(rows, self.filters["option"])
        return rows.filter(*map(row_by_row, having(self.filters["option"])))

    def _filtered(
        self,
        rows: QuerySet[Any],
        category: RawSQL | None = None,
        without: Collection[str] = (),
        *,
        is_nested: bool = False,
    ) -> QuerySet[Any]:
        if self.categories is not None and "category" not in without:
            rows = rows.filter(category__in=self.categories) if category is None else rows.filter(category=category)
        for name, value in self.filters.items():
            if name in without or (name == "option" and self.one_per_family):
                continue
            if name == "option":
                rows = self._with_options(rows)
            elif name == "one_per_family" and value and not self._reads_index_of_leads:
                rows = rows.alias(leads=without_index("is_lead")).filter(leads=1)
            elif name == "search":
                rows = matching(rows, value, relaxed=self.is_relaxed, is_nested=is_nested)
            else:
                rows = FILTERS[name].filter(rows, value)
        return rows

    @property
    def _reads_index_of_leads(self) -> bool:
        """Whether the index of leads serves the query. It is in the order of names: for others MySQL would sort it."""
        return self.families is None and (not self.paging.keys or "name_key" in self.paging.keys[0])

    @property
    def unpaged(self) -> "ProductQuery":
        return replace(self, paging=Paging([], 0, 0, None))

    def without_option(self, axis: str) -> "ProductQuery":
        """The query without the options of an axis."""
        options = [each for each in self.filters["option"] if each[0] != axis]
        filters = {name: value for name, value in self.filters.items() if name != "option"}
        filters |= {"option": options} if options else {}
        return replace(self, filters=filters, by_row=False, families=None, is_sample=False)

    def relaxed(self) -> "ProductQuery | None":
        """The query that finds products with any word of the search; None without a search of several words."""
        if self.is_relaxed or not can_be_relaxed(self.filters.get("search", "")):
            return None
        return replace(self, is_relaxed=True)


def parse(request: Request, *, is_paged: bool = True) -> ProductQuery:
    """The query of a request, with its page unless it is not `is_paged`. Raises ValidationError."""
    filterset = ProductFilter.parse(request)
    filters = filterset.values if filterset is not None else {}
    roots = filters.pop("category", None)
    subtree = None if roots is None else categories.subtree_ids(*roots)
    paging = Paging([], 0, 0, None)
    if is_paged:
        paging = pagination.parse(request, ORDERINGS, None if filters.keys() & {"search", "ids"} else ORDERING)
    return ProductQuery(may_see_all(request, Product), subtree, filters, paging)


def depends_on_stock(parameters: Mapping[str, list[str]]) -> bool:
    """Whether the products in a list with these parameters, or their order, depend on the stock of all products."""
    columns = {FILTERS[name].field_name for name in parameters.keys() & FILTERS.keys()}
    terms = ",".join(parameters.get("ordering", [])).split(",")
    columns |= {ORDERINGS.get(term.strip().removeprefix("-")) for term in terms}
    return not columns.isdisjoint(("quantity", "updated_at"))  # a sale changes both
