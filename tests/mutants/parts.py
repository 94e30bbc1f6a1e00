"""Mutants of the parts of the service, each with its net: the few tests that have to catch it."""

from tests.mutants.mutant import Mutant

PARTS: dict[str, dict[str, Mutant]] = {
    "guests": {
        "a cart that is merged above the stock": Mutant(
            "carts/merging.py",
            "min(item.quantity, min(product.quantity, QUANTITY_MAX) - own.quantity)",
            "item.quantity",
            "tests/carts/test_merging.py",
        ),
        "an account's own details are overwritten": Mutant(
            "carts/merging.py",
            "        if not getattr(cart, name):\n",
            "        if True:\n",
            "tests/carts/test_merging.py",
        ),
        "orders are claimed without a verified address": Mutant(
            "orders/claiming.py",
            "    if not user.email or not user.email_verified:\n",
            "    if not user.email:\n",
            "tests/orders/test_claiming.py",
        ),
        "orders of closed accounts are claimed": Mutant(
            "orders/claiming.py", ", guest__isnull=False)", ")", "tests/orders/test_claiming.py"
        ),
        "carts expire at once": Mutant(
            "carts/expiry.py",
            "timezone.now() - timedelta(days=settings.GUEST_CART_DAYS)",
            "timezone.now()",
            "tests/carts/test_expiry.py",
        ),
        "a cart expires while it is used": Mutant(
            "carts/expiry.py",
            "sum(slice_.filter(updated_at__lt=limit).delete()[1]",
            "sum(slice_.delete()[1]",
            "tests/carts/test_expiry.py",
        ),
    },
    "addresses": {
        "a book without a limit": Mutant(
            "accounts/address_book.py",
            ">= ADDRESSES_MAX",
            "> 10 * ADDRESSES_MAX",
            "tests/accounts/test_address_book.py tests/accounts/test_address_views.py",
        ),
        "two defaults": Mutant(
            "accounts/address_book.py",
            "    if row.is_default:\n",
            "    if False:\n",
            "tests/accounts/test_address_book.py tests/accounts/test_address_views.py",
        ),
        "an address of another user": Mutant(
            "accounts/address_book.py",
            "Address.objects.filter(user=user, pk=address_id).first()",
            "Address.objects.filter(pk=address_id).first()",
            "tests/accounts/test_address_book.py tests/accounts/test_address_views.py",
        ),
        "another user's address in a cart": Mutant(
            "accounts/address_book.py",
            "Address.objects.filter(user=user_id, pk__in=ids)",
            "Address.objects.filter(pk__in=ids)",
            "tests/carts/test_details.py tests/carts/test_requests.py",
        ),
    },
    "delivery": {
        "free one cent too late": Mutant(
            "delivery/offers.py",
            "items >= method.free_from",
            "items > method.free_from",
            "tests/delivery/test_offers.py",
        ),
        "every country": Mutant(
            "delivery/offers.py",
            " and country not in method.countries:",
            " and False:",
            "tests/delivery/test_offers.py",
        ),
        "the largest amount is refused": Mutant(
            "delivery/offers.py",
            "items > method.max_amount:",
            "items >= method.max_amount:",
            "tests/delivery/test_offers.py",
        ),
        "checkout does not ask for an address": Mutant(
            "carts/pricing.py",
            '        missing.append("shipping_address")\n',
            "        pass\n",
            "tests/carts/test_pricing.py tests/carts/test_checkout_amounts.py",
        ),
    },
    "tax": {
        "a rate of the future": Mutant(
            "taxes/rates.py",
            "filter(country__in=countries, valid_from__lte=today())",
            "filter(country__in=countries)",
            "tests/taxes/test_rates.py",
        ),
        "half a cent is rounded down": Mutant(
            "taxes/sums.py",
            "share.quantize(CENT, ROUND_HALF_UP)",
            'share.quantize(CENT, "ROUND_HALF_DOWN")',
            "tests/taxes/test_sums.py",
        ),
        "a net shop's total lacks the tax": Mutant(
            "orders/amounts.py", "else items + cost + tax", "else items + cost", "tests/orders/test_amounts.py"
        ),
        "the tax of the shop's country": Mutant(
            "carts/pricing.py",
            "return cart.shipping_address.country if cart.shipping_address else settings.SHOP_COUNTRY",
            "return settings.SHOP_COUNTRY",
            "tests/carts/test_pricing.py tests/carts/test_checkout_amounts.py",
        ),
        "delivery is not taxed": Mutant(
            "carts/pricing.py",
            "Charge(found.price, rates.get(found.method.tax_class))",
            "Charge(found.price, None)",
            "tests/carts/test_pricing.py tests/carts/test_checkout_amounts.py",
        ),
    },
    "payments": {
        "a part of the money pays": Mutant(
            "payments/deciding.py",
            "order_balance(order.pk).captured >= order.total",
            "order_balance(order.pk).captured > 0",
            "tests/payments/test_deciding.py tests/payments/test_settling.py",
        ),
        "late money takes no stock": Mutant(
            "orders/lifecycle.py",
            "        stock.sell(wanted=wanted, order_number=order.number, user=user)\n",
            "        pass\n",
            "tests/payments/test_settling.py",
        ),
        "late money is kept": Mutant(
            "payments/deciding.py", "    _refund_all(order, LATE)\n", "    pass\n", "tests/payments/test_settling.py"
        ),
        "money of another payment": Mutant(
            "payments/settling.py", '        return "key"\n', "        return None\n", "tests/payments/test_settling.py"
        ),
        "an old snapshot moves a status back": Mutant(
            "payments/settling.py",
            "    status = max(reached, key=ORDER.index)\n",
            "    status = STATUSES[snapshot.state]\n",
            "tests/payments/test_settling.py",
        ),
        "stock is kept as an order expires": Mutant(
            "orders/lifecycle.py",
            "    _restock(order, None)\n    enqueue_mail(EXPIRED, order)\n",
            "    enqueue_mail(EXPIRED, order)\n",
            "tests/payments/test_expiry.py",
        ),
        "an order expires before its attempt is cancelled": Mutant(
            "payments/expiry.py",
            "    if Payment.objects.filter(order=order, status=Payment.Status.PENDING).exists():\n",
            "    if False:\n",
            "tests/payments/test_expiry.py",
        ),
        "a client secret that stays": Mutant(
            "payments/settling.py",
            '        payment.open_key, payment.client_secret = None, ""',
            "        payment.open_key = None",
            "tests/payments/test_settling.py",
        ),
    },
    "refunds": {
        "a cancellation pays again what was put aside": Mutant(
            "payments/ledger.py",
            "self.kept - self.refunds_pending - self.put_aside",
            "self.kept - self.refunds_pending",
            "tests/payments/test_cancelling.py",
        ),
        "more than was paid": Mutant(
            "payments/ledger.py",
            "return max(ZERO, self.kept - self.refunds_pending)",
            "return max(ZERO, self.captured)",
            "tests/payments/test_refunds.py",
        ),
        "a chargeback is refundable": Mutant(
            "payments/ledger.py",
            "return self.captured - self.refunded - self.charged_back",
            "return self.captured - self.refunded",
            "tests/payments/test_ledger.py",
        ),
        "shares that do not add up": Mutant(
            "payments/shares.py",
            "Decimal(after)), Decimal(bought)",
            "Decimal(pieces)), Decimal(bought)",
            "tests/payments/test_shares.py",
        ),
        "pieces are restocked twice": Mutant(
            "orders/lifecycle.py",
            "pieces[line.product_id] += line.quantity - line.restocked",
            "pieces[line.product_id] += line.quantity",
            "tests/payments/test_refunds.py",
        ),
        "sent twice after a lost answer": Mutant(
            "payments/sending.py",
            "        if any(made.key == refund.key for made in snapshot.refunds):\n",
            "        if False:\n",
            "tests/payments/test_sending.py",
        ),
        "the customer is not told": Mutant(
            "payments/settling.py",
            "            enqueue_mail(REFUNDED, order, cause=str(refund.pk))\n",
            "            pass\n",
            "tests/payments/test_settling_refunds.py",
        ),
        "a failed refund stays done": Mutant(
            "payments/settling.py",
            "REFUND_ORDER = [Refund.Status.PENDING, Refund.Status.DONE, Refund.Status.FAILED]",
            "REFUND_ORDER = [Refund.Status.PENDING, Refund.Status.FAILED, Refund.Status.DONE]",
            "tests/payments/test_settling_refunds.py",
        ),
    },
    "families": {
        "two members with the same options": Mutant(
            "products/families/membership.py",
            "    if others.filter(options_key=product.options_key).exists():\n",
            "    if False:\n",
            "tests/products/families",
        ),
        "options differ by case": Mutant(
            "products/families/membership.py",
            '(fold(options.get(axis, "")) for axis in family.axes)',
            '(options.get(axis, "") for axis in family.axes)',
            "tests/products/families",
        ),
        "a lead that is sold out": Mutant(
            "products/families/leads.py",
            "if each.is_active and each.quantity), None)",
            "if each.is_active), None)",
            "tests/products/families",
        ),
        "a sale that elects no lead": Mutant(
            "products/families/leads.py", " and (before > 0) != (after > 0)}", " and False}", "tests/products/families"
        ),
        "variants of what is there": Mutant(
            "products/families/variants.py", " if key not in taken}", "}", "tests/products/families/test_variants.py"
        ),
        "variants without options to find": Mutant(
            "products/families/variants.py",
            "    membership.index_options(products)\n",
            "",
            "tests/products/families/test_variants.py",
        ),
    },
    "imports": {
        "sales in between are overwritten": Mutant(
            "backoffice/imports/planning.py",
            "else quantity.pieces - seen_quantity",
            "else quantity.pieces - product.quantity",
            "tests/backoffice/imports/test_running.py",
        ),
        "what staff wrote is overwritten": Mutant(
            "backoffice/imports/running.py",
            "        if is_written and not is_decided:\n",
            "        if False:\n",
            "tests/backoffice/imports/test_running.py",
        ),
        "a SKU twice": Mutant(
            "backoffice/imports/checking.py",
            "            each.errors.append(TWICE)\n",
            "            pass\n",
            "tests/backoffice/imports/test_checking.py",
        ),
        "options of a row in another slice": Mutant(
            "backoffice/imports/checking.py",
            "        options_key=joins.key,\n",
            "        options_key=None,\n",
            "tests/backoffice/imports/test_families.py",
        ),
        "refused rows in an import of all or nothing": Mutant(
            "backoffice/imports/starting.py",
            "    if row.refused and row.mode == Import.Mode.ALL_OR_NOTHING:\n",
            "    if False:\n",
            "tests/backoffice/imports/test_views.py tests/backoffice/imports/test_starting.py",
        ),
        "rights that were lost since the check": Mutant(
            "backoffice/imports/starting.py",
            "sorted({*row.may} & {*may})",
            "sorted({*row.may} | {*may})",
            "tests/backoffice/imports/test_running.py tests/backoffice/imports/test_starting.py",
        ),
        "a run that starts twice": Mutant(
            "backoffice/imports/starting.py",
            "if row.status in (Status.RUNNING, Status.DONE):",
            "if row.status in (Status.RUNNING,):",
            "tests/backoffice/imports/test_running.py tests/backoffice/imports/test_views.py",
        ),
    },
    "exports": {
        "a formula": Mutant(
            "backoffice/cells.py",
            'FORMULA_BEGINNINGS = ("=", ',
            "FORMULA_BEGINNINGS = (",
            "tests/backoffice/test_cells.py tests/backoffice/exports/test_writing.py",
        ),
        "a row is lost between two slices": Mutant(
            "backoffice/exports/reading.py",
            "ordered.filter(pk__gt=last)",
            "ordered.filter(pk__gt=last + 1 if last else 0)",
            "tests/backoffice/exports/test_reading.py",
        ),
        "no end": Mutant(
            "backoffice/exports/reading.py",
            "        if time.monotonic() > self.end:\n",
            "        if False:\n",
            "tests/backoffice/exports",
        ),
        "exports for all staff": Mutant(
            "backoffice/permissions.py",
            '    return sees_all(user, model) or is_staff_with(user, "export", model)\n',
            "    return bool(user.is_staff)\n",
            "tests/backoffice/exports/test_views.py tests/backoffice/test_permissions.py",
        ),
        "a net amount with tax": Mutant(
            "backoffice/exports/kinds.py",
            "order.total - order.tax",
            "order.total",
            "tests/backoffice/exports/test_kinds.py",
        ),
    },
    "history": {
        "an update of many is not recorded": Mutant(
            "productbackend/database/recorded.py",
            "        if not kind or not names:\n",
            "        if True:\n",
            "tests/backoffice/history",
        ),
        "a deletion is not recorded": Mutant(
            "productbackend/database/recorded.py",
            '    post_delete.connect(deleted, sender=kind.model, dispatch_uid="recorded")\n',
            "",
            "tests/backoffice/history",
        ),
        "a secret is recorded": Mutant(
            "productbackend/database/changes.py",
            "        if name in self.hidden:\n",
            "        if False:\n",
            "tests/backoffice/history tests/workers/test_beat.py",
        ),
        "nobody did it": Mutant(
            "backoffice/history/recording.py",
            "            user_id=origin.user_id,\n",
            "            user_id=None,\n",
            "tests/backoffice/history",
        ),
        "a role's permission is not recorded": Mutant(
            "productbackend/database/recorded.py",
            'ADDED, REMOVED = ("post_add",), ',
            "ADDED, REMOVED = (), ",
            "tests/backoffice/history",
        ),
    },
    "dashboard": {
        "refunds count as revenue": Mutant(
            "backoffice/dashboard/sales.py",
            'sums["total"] - sums["refunded"]',
            'sums["total"]',
            "tests/backoffice/dashboard",
        ),
        "what came back counts as sold": Mutant(
            "backoffice/dashboard/sales.py",
            'Sum(F("quantity") - F("restocked"))',
            'Sum(F("quantity"))',
            "tests/backoffice/dashboard",
        ),
        "changed days are not computed again": Mutant(
            "backoffice/dashboard/rollups.py",
            "            if day not in due and updated_at >= rolled[day] - OVERLAP:\n",
            "            if False:\n",
            "tests/backoffice/dashboard",
        ),
        "a wrong rollup is not found": Mutant(
            "backoffice/dashboard/verification.py",
            "        if getattr(stored, name) != getattr(found, name)\n",
            "        if False\n",
            "tests/backoffice/dashboard/test_verification.py",
        ),
        "another currency counts": Mutant(
            "backoffice/dashboard/sales.py", "currency=settings.CURRENCY, ", "", "tests/backoffice/dashboard"
        ),
    },
    "feeds": {
        "hidden products": Mutant(
            "backoffice/feeds/rows.py",
            "[product for product in found if product.is_active]",
            "found",
            "tests/backoffice/feeds",
        ),
        "everything is in stock": Mutant(
            "backoffice/feeds/rows.py", "product.quantity > 0", "product.quantity >= 0", "tests/backoffice/feeds"
        ),
        "a sale changes a page": Mutant(
            "backoffice/feeds/rows.py",
            "min(product.updated_at, max(known))",
            "product.updated_at",
            "tests/backoffice/feeds/test_rows.py",
        ),
        "two long SKUs are one": Mutant(
            "backoffice/feeds/google.py",
            'f"{sku[: ID_MAX - DIGEST - 1]}-{digest}"',
            "sku[:ID_MAX]",
            "tests/backoffice/feeds/test_google.py",
        ),
        "files that are read are removed": Mutant(
            "backoffice/feeds/building.py",
            "served.published_at < moment - STORED_FOR:",
            "served.published_at < moment:",
            "tests/backoffice/feeds",
        ),
    },
    "bulk work": {
        "prices are rounded down": Mutant(
            "backoffice/bulk/operations.py",
            "exact.quantize(CENT, ROUND_HALF_UP)",
            'exact.quantize(CENT, "ROUND_DOWN")',
            "tests/backoffice/bulk",
        ),
        "prices below zero": Mutant(
            "backoffice/bulk/operations.py", "        if exact < 0:\n", "        if False:\n", "tests/backoffice/bulk"
        ),
        "received as a correction": Mutant(
            "backoffice/bulk/operations.py",
            "stock.Reason.RESTOCK if self.kind == Kind.RECEIVED else stock.Reason.CORRECTION",
            "stock.Reason.CORRECTION",
            "tests/backoffice/bulk",
        ),
        "a deleted category": Mutant(
            "backoffice/bulk/operations.py",
            "            errors.append(CATEGORY_DELETED)\n",
            "            pass\n",
            "tests/backoffice/bulk",
        ),
        "as many as there are": Mutant(
            "backoffice/bulk/starting.py",
            "    if len(skus) > SELECTED_MAX:\n",
            "    if False:\n",
            "tests/backoffice/bulk",
        ),
    },
    "two factor": {
        "any code": Mutant(
            "accounts/two_factor.py",
            "    return device is not None and bool(device.verify_token(token))\n",
            "    return device is not None\n",
            "tests/accounts/test_two_factor_pages.py",
        ),
        "set up with a wrong code": Mutant(
            "accounts/two_factor.py",
            " or not device.verify_token(typed):",
            ":",
            "tests/accounts/test_two_factor.py tests/accounts/test_two_factor_pages.py",
        ),
        "old sessions go on": Mutant(
            "accounts/two_factor.py",
            "    _revoke_sessions(locked)\n    notices.enqueue(notices.SET_UP_KIND, locked)\n",
            "    notices.enqueue(notices.SET_UP_KIND, locked)\n",
            "tests/accounts/test_two_factor.py tests/accounts/test_two_factor_pages.py",
        ),
        "a session without the factor": Mutant(
            "accounts/admin_sessions.py",
            "    return AnonymousUser()\n",
            "    return user\n",
            "tests/accounts/test_admin_sessions.py tests/accounts/test_two_factor_pages.py",
        ),
        "a password that waits for ever": Mutant(
            "accounts/admin_sessions.py",
            '    if pending.get("until", 0) < time.time():\n',
            "    if not pending:\n",
            "tests/accounts/test_admin_sessions.py tests/accounts/test_two_factor_pages.py",
        ),
        "former recovery codes": Mutant(
            "accounts/two_factor.py",
            "    StaticDevice.objects.filter(user=locked).delete()\n    device = ",
            "    device = ",
            "tests/accounts/test_two_factor_pages.py",
        ),
    },
    "roles": {
        "staff without the permission": Mutant(
            "productbackend/api/permissions.py",
            "user.is_staff and user.has_perm(",
            "user.is_staff and bool(",
            "tests/accounts/test_roles.py",
        ),
        "customers with a permission": Mutant(
            "productbackend/api/permissions.py",
            "user.is_authenticated and user.is_staff and",
            "user.is_authenticated and",
            "tests/accounts/test_roles.py",
        ),
        "support deletes families": Mutant(
            "accounts/migrations/0012_family_roles.py",
            '"Support": ("view",)}',
            '"Support": ("view", "delete")}',
            "tests/accounts/test_roles.py",
        ),
        "hidden products for everyone": Mutant(
            "productbackend/api/permissions.py",
            "    return request.method not in READS or sees_all(request.user, model)\n",
            "    return True\n",
            "tests/accounts/test_roles.py tests/products/test_catalogue.py",
        ),
        "who may view may write": Mutant(
            "productbackend/api/permissions.py",
            'ACTIONS[request.method or ""], view.permission_model)',
            '"view", view.permission_model)',
            "tests/accounts/test_roles.py",
        ),
    },
    "fast path": {
        "the headers of an older page": Mutant(
            "productbackend/api/fast_path.py",
            "if answer is None or tag != answer.tag:",
            "if answer is None or not tag:",
            "tests/api/test_fast_path.py",
        ),
        "one origin for all": Mutant(
            "productbackend/api/fast_path.py", '    "HTTP_ORIGIN",\n', "", "tests/api/test_fast_path.py"
        ),
        "one scheme for all": Mutant(
            "productbackend/api/fast_path.py", '    "HTTP_X_FORWARDED_PROTO",\n', "", "tests/api/test_fast_path.py"
        ),
        "the request id of the first client": Mutant(
            "productbackend/api/fast_path.py", " if name != request_id.HEADER]", "]", "tests/api/test_fast_path.py"
        ),
        "no log line": Mutant(
            "productbackend/api/fast_path.py",
            '        access_log.record("GET", answer.path, answer.route, answer.status, context)\n',
            "",
            "tests/api/test_fast_path.py",
        ),
    },
}
