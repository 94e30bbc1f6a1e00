"""Mutants of the API's contract and of pages, which tests from outside catch: see the suites in `__main__.py`."""

from tests.mutants.mutant import Mutant

CONTRACT = {
    "a field dropped": Mutant("products/reads/rows.py", ' "currency",', ""),
    "money as a number": Mutant("products/reads/rows.py", 'f"{row.price:.2f}"', "float(row.price)"),
    "a status changed": Mutant("carts/views.py", 'represent_order(placed.order, request), status=201)', 'represent_order(placed.order, request))'),
    "a status that is not in the document": Mutant("orders/views.py", "Response(self.get_serializer(order).data)", "Response(self.get_serializer(order).data, status=202)"),
    "auth ignored for writes": Mutant("productbackend/api/permissions.py", "        if request.method in READS or", "        if request.method or"),
    "orders open to all": Mutant("orders/views.py", "    permission_classes = [IsAuthenticated]\n", "    permission_classes = []\n"),
    "a filter ignored": Mutant("products/reads/query.py", '    min_price = PriceFilter(lookup_expr="gte", ', '    min_price = PriceFilter(method=lambda queryset, name, value: queryset, '),
    "an ordering ignored": Mutant("productbackend/api/pagination.py", '("-", term[1:])', '("", term[1:])'),
    "no second page": Mutant("productbackend/api/keyset.py", "has_next = bool(rows) and (more or backwards)", "has_next = False"),
    "a count that is one too high": Mutant("productbackend/api/pagination.py", '"count": page.count,', '"count": page.count + 1,'),
    "a stale cart paid": Mutant("carts/requests.py", 'conditional.require_match(request, now, "The cart has changed since you read it.", cart=now)', "pass"),
    "a key that is not kept": Mutant("productbackend/api/idempotency.py", "    value = request.headers.get(KEY_HEADER)\n", "    value = None\n"),
    "a refresh token that works twice": Mutant("accounts/tokens.py", "    if _mark_used(token):\n        return", "    if True:\n        return"),
    "stock not looked at": Mutant("carts/signals.py", "    if not raw:\n", "    if False:\n"),
    "a product that stays after its deletion": Mutant("products/catalogue.py", "    precondition(product)\n    product.delete()\n", "    precondition(product)\n"),
    "a problem of another media type": Mutant("productbackend/api/problems.py", "            self.content_type = MEDIA_TYPE\n", "            pass\n"),
    "a 500 for a bad number": Mutant("productbackend/api/pagination.py", " if raw.isascii() and raw.isdigit() else -1", ""),
    "no request id": Mutant("productbackend/observability/request_id.py", "        response[HEADER] = request_id\n", ""),
    "no Location": Mutant("productbackend/api/viewsets.py", '            response["Location"] = self.request.build_absolute_uri(f"{self.request.path}{row.pk}/")\n', "            pass\n"),
    "no content security policy": Mutant("productbackend/site/middleware.py", 'response.setdefault("Content-Security-Policy", self.policy)', "pass"),
    "a box in the admin that does nothing": Mutant("carts/admin.py", '        if form.cleaned_data.get("completed"):\n', "        if False:\n"),
    "no origin allowed": Mutant("productbackend/api/cors.py", "        if not settings.CORS_ALLOWED_ORIGINS and not settings.CORS_ALLOWED_ORIGIN_REGEXES:\n", "        if True:\n"),
    "a guest who is another": Mutant("accounts/guests.py", "Guest.objects.filter(token_hash=_hash(token)).first()", "Guest.objects.first()"),
    "a merge that can be repeated": Mutant("carts/merging.py", "    source.delete()\n", ""),
    "an unknown parameter ignored": Mutant("productbackend/api/parameters.py", "    if errors := list(_errors(given, known)):\n", "    if errors := []:\n"),
    "a former slug that is not found": Mutant("products/api/views.py", "        if former is None:\n", "        if True:\n"),
    "a picture that a cart lacks": Mutant("carts/serializers.py", "        return ImageWriter(self.context.get(\"request\")).write(images[0]) if images else None", "        return None"),
}  # fmt: skip
