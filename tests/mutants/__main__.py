"""Mutation tests: breaks the service by one mutant at a time: `python -m tests.mutants [NAME ...]`.

Each mutant changes one line in a copy of the code. The suites test the contract from outside: the committed document,
generated clients, the fuzzer, the browser. The first suite that fails kills the mutant; the exit status is 1 if one
survives all. A mutant that only the last suite kills takes a few minutes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "-x"]
SUITES = {
    "document": [*PYTEST, "tests/api/test_document.py", "tests/api/test_service.py"],
    "clients": [*PYTEST, "tests/clients"],
    # With two workers Hypothesis fails, since it reads its own source concurrently.
    "fuzzer": [sys.executable, "-m", "tests.fuzz", "--seed", "1", "--max-examples", "3", "--no-shrink"],
    "browser": [*PYTEST, "tests/browser"],
}


@dataclass(frozen=True)
class Mutant:
    file: str
    old: str
    new: str


MUTANTS = {
    "a field dropped": Mutant("products/reads/rows.py", ' "currency",', ""),
    "money as a number": Mutant("products/reads/rows.py", 'f"{row.price:.2f}"', "float(row.price)"),
    "a status changed": Mutant("carts/views.py", 'OrderSerializer(placed.order, context={"request": request}).data, status=201)', 'OrderSerializer(placed.order, context={"request": request}).data)'),
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


def copy(folder: Path) -> None:
    """Copy the working tree, with links to the same tools."""
    shutil.copytree(
        ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", "node_modules", "var", ".*_cache")
    )
    (folder / ".venv").symlink_to(ROOT / ".venv")
    modules = "tests/clients/typescript/node_modules"
    (folder / modules).symlink_to(ROOT / modules)


def run(suite: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the suite on the code in `folder`; only the fuzzer uses the servers of TEST_MYSQL_HOST."""
    inherited = {name: value for name, value in os.environ.items() if suite == "fuzzer" or not name.startswith("TEST_")}
    environment = inherited | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(SUITES[suite], cwd=folder, env=environment, capture_output=True, text=True)


def caught_by(mutant: Mutant, folder: Path) -> str:
    """The first suite that fails on the mutant; empty if none does."""
    path = folder / mutant.file
    code = path.read_text()
    if code.count(mutant.old) != 1:
        raise SystemExit(
            f"{mutant.file} has {mutant.old!r} {code.count(mutant.old)} times: correct the table of mutants."
        )
    path.write_text(code.replace(mutant.old, mutant.new))
    try:
        for suite in SUITES:
            if run(suite, folder).returncode:
                return suite
    finally:
        path.write_text(code)
    return ""


def main(names: list[str]) -> int:
    chosen = {name: MUTANTS[name] for name in names or MUTANTS}
    missed = 0
    with tempfile.TemporaryDirectory(prefix="productbackend-mutants-") as folder:
        shop = Path(folder) / "shop"
        copy(shop)
        for suite in SUITES:
            if (done := run(suite, shop)).returncode:
                print(f"{done.stdout}\nThe suite {suite!r} fails without a mutant: fix it first.", file=sys.stderr)
                return 2
        print("| mutant | caught by | s |\n| --- | --- | --- |", flush=True)
        for name, mutant in chosen.items():
            began = time.monotonic()
            suite = caught_by(mutant, shop)
            missed += not suite
            print(f"| {name} | {suite or 'NOTHING'} | {time.monotonic() - began:.0f} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
