"""Exports over HTTP, with the filters that staff have in the lists."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from backoffice.exports import downloads, kinds, writing
from backoffice.permissions import may_export
from orders.filters import StaffOrderFilter
from orders.models import Order
from productbackend.api.parameters import KnownParameters
from productbackend.api.renderers import Negotiation, ProblemsMixin
from products.models import Product
from products.reads import query


class CSVRenderer(BaseRenderer):
    """Names the media type. The view writes the file; errors are JSON."""

    media_type, format, charset = "text/csv", writing.CSV, "utf-8"


class XLSXRenderer(BaseRenderer):
    media_type, format = writing.TYPES[writing.XLSX], writing.XLSX
    charset, render_style = None, "binary"


class FormatFirst(Negotiation):
    """`format` decides whatever `Accept` says, which for many clients is always JSON. OPTIONS is answered as JSON."""

    def get_accept_list(self, request: Request) -> list[str]:
        decided = request.method == "OPTIONS" or request.query_params.get("format")
        return ["*/*"] if decided else super().get_accept_list(request)


class MayExport(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method not in view.allowed_methods:
            return True  # a 405 for every user
        return may_export(request.user, view.kind.model)


class ExportView(KnownParameters, ProblemsMixin, GenericAPIView):
    """All rows that match the filters, as a file. There is no consistent picture of a shop that is in use meanwhile."""

    kind: kinds.Kind
    permission_classes = [MayExport]
    renderer_classes = [CSVRenderer, XLSXRenderer]
    content_negotiation_class = FormatFirst
    pagination_class = None
    format_help = "`csv`, the default, or `xlsx`. It decides whatever `Accept` says."

    def parameters(self) -> dict[str, bool]:
        return self.filterset_class.parameters()  # type: ignore[attr-defined]

    def export(self, request: Request, found: QuerySet[Any]) -> StreamingHttpResponse:
        return downloads.respond(request, self.kind, found, request.accepted_renderer.format)


def _described(operation_id: str, summary: str, description: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=description,
        filters=True,
        responses={
            (200, CSVRenderer.media_type): OpenApiTypes.STR,
            (200, XLSXRenderer.media_type): OpenApiTypes.BINARY,
        },
    )


FILES = (
    "CSV is UTF-8 with a byte order mark, commas and CRLF, and is streamed; an XLSX file has at most "
    f"{downloads.XLSX_ROWS_MAX:,} rows and {downloads.XLSX_CHARACTERS_MAX:,} characters of text, more are a 400. "
    "A text that begins with `=`, `+`, `-`, `@`, a tab, a line break or `'` has a `'` before it. Rows are ordered by "
    "id; one that is written meanwhile is in the file as it was or as it is. A search is not relaxed. A process runs "
    f"{downloads.AT_A_TIME} exports at a time, each for {downloads.SECONDS_MAX / 60:.0f} minutes at most; one more is "
    "a 503. If the connection ends before the end of the chunked body, the file is not whole."
)


class ProductExportView(ExportView):
    kind = kinds.PRODUCTS
    queryset = Product.objects.all()
    filterset_class = query.ProductFilter

    @_described(
        "exports_products",
        "Export products",
        "Every product that matches, hidden ones too, with the columns "
        f"{', '.join(f'`{name}`' for name in kinds.PRODUCTS.columns)}, and `option:AXIS` for each axis of the "
        r"families. `category` is the path, such as `Home > Lamps`, with `\>` for a `>` in a name; `family` its slug. "
        f"{FILES}",
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        return self.export(request, query.parse(request, is_paged=False).rows())


class StockExportView(ProductExportView):
    kind = kinds.STOCK

    @_described(
        "exports_stock",
        "Export the stock",
        f"The columns `sku` and `quantity` of every product that matches, hidden ones too. {FILES}",
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        return super().get(request)


class OrderExportView(ExportView):
    kind = kinds.ORDERS
    queryset = Order.objects.all()
    filterset_class = StaffOrderFilter

    @_described(
        "exports_orders",
        "Export orders",
        "Every order that matches, with what the accounts need; see docs/howto/exports.md. The columns are "
        f"{', '.join(f'`{name}`' for name in kinds.ORDERS.columns)}. {FILES}",
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        return self.export(request, self.filter_queryset(self.get_queryset()))
