"""Breaks the service in one place at a time, and asks which net catches it: `python -m tests.mutants [NAME ...]`.

Each mutant is one change of one line, in a copy of the code. The nets are those that hold the contract from
outside: the committed document, generated clients, the fuzzer, the browser. The first that fails has caught it;
the exit status is 1 where one gets through all. It takes a few minutes a mutant that only the last net catches.
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
NETS = {
    "document": [*PYTEST, "tests/api/test_document.py", "tests/api/test_service.py"],
    "clients": [*PYTEST, "tests/clients"],
    # With two workers Hypothesis reads its own source twice at once, and falls over it.
    "fuzzer": [sys.executable, "-m", "tests.fuzz", "--seed", "1", "--max-examples", "3", "--no-shrink"],
    "browser": [*PYTEST, "tests/browser"],
}


@dataclass(frozen=True)
class Mutant:
    file: str
    old: str
    new: str


MUTANTS = {
    "a field dropped": Mutant("products/product_writer.py", '            "currency": settings.CURRENCY,\n', ""),
    "money as a number": Mutant("products/product_writer.py", 'f"{product.price:.2f}"', "float(product.price)"),
    "a status changed": Mutant("carts/views.py", "OrderSerializer(placed.order).data, status=201)", "OrderSerializer(placed.order).data)"),
    "a status that is not in the document": Mutant("orders/views.py", "Response(self.get_serializer(order).data)", "Response(self.get_serializer(order).data, status=202)"),
    "auth ignored for writes": Mutant("productbackend/api/permissions.py", "        if request.method in READS:\n", "        if request.method:\n"),
    "orders open to all": Mutant("orders/views.py", "    permission_classes = [IsAuthenticated]\n", "    permission_classes = []\n"),
    "a filter ignored": Mutant("products/filters.py", '    min_price = PriceFilter(lookup_expr="gte")', '    min_price = PriceFilter(method=lambda queryset, name, value: queryset)'),
    "an ordering ignored": Mutant("productbackend/api/pagination.py", 'term.strip().startswith("-")', "False"),
    "no second page": Mutant("productbackend/api/pagination.py", "has_next = bool(rows) and (more or backwards)", "has_next = False"),
    "a count that is one too high": Mutant("productbackend/api/pagination.py", '                "count": self.count,\n', '                "count": self.count + 1,\n'),
    "a stale cart paid": Mutant("carts/requests.py", 'conditional.require_match(request, now, "The cart has changed since you read it.", cart=now)', "pass"),
    "a key that is not kept": Mutant("carts/requests.py", "    value = request.headers.get(KEY_HEADER)\n", "    value = None\n"),
    "a refresh token that works twice": Mutant("accounts/tokens.py", "    _spend(token)\n    return issue(user)\n", "    return issue(user)\n"),
    "stock not looked at": Mutant("carts/signals.py", "    if not raw:\n", "    if False:\n"),
    "a product that stays after its deletion": Mutant("products/catalogue.py", "    inspect(product)\n    product.delete()\n", "    inspect(product)\n"),
    "a problem of another media type": Mutant("productbackend/api/problems.py", "            self.content_type = MEDIA_TYPE\n", "            pass\n"),
    "a 500 for a bad number": Mutant("productbackend/api/pagination.py", " if raw.isascii() and raw.isdigit() else -1", ""),
    "no request id": Mutant("productbackend/request_id.py", "        response[HEADER] = request_id\n", ""),
    "no Location": Mutant("products/views.py", '        response["Location"] = request.build_absolute_uri(f"/products/{product.pk}/")\n', ""),
    "no content security policy": Mutant("productbackend/middleware.py", 'response.setdefault("Content-Security-Policy", self.policy)', "pass"),
    "a box in the admin that does nothing": Mutant("carts/admin.py", '        if form.cleaned_data.get("completed"):\n', "        if False:\n"),
}  # fmt: skip


def copy(folder: Path) -> None:
    """The code as it stands here, with the same tools."""
    shutil.copytree(
        ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", "node_modules", "var", ".*_cache")
    )
    (folder / ".venv").symlink_to(ROOT / ".venv")
    modules = "tests/clients/typescript/node_modules"
    (folder / modules).symlink_to(ROOT / modules)


def run(net: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Let the net loose on the code in `folder`; the fuzzer alone takes the servers of TEST_MYSQL_HOST."""
    kept = {name: value for name, value in os.environ.items() if net == "fuzzer" or not name.startswith("TEST_")}
    environment = kept | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(NETS[net], cwd=folder, env=environment, capture_output=True, text=True)


def caught_by(mutant: Mutant, folder: Path) -> str:
    """The first net that fails on the mutant; nothing for none."""
    path = folder / mutant.file
    code = path.read_text()
    if code.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.file} has {mutant.old!r} {code.count(mutant.old)} times: mend the table of mutants.")
    path.write_text(code.replace(mutant.old, mutant.new))
    try:
        for net in NETS:
            if run(net, folder).returncode:
                return net
    finally:
        path.write_text(code)
    return ""


def main(names: list[str]) -> int:
    chosen = {name: MUTANTS[name] for name in names or MUTANTS}
    missed = 0
    with tempfile.TemporaryDirectory(prefix="productbackend-mutants-") as folder:
        shop = Path(folder) / "shop"
        copy(shop)
        for net in NETS:
            if (done := run(net, shop)).returncode:
                print(f"{done.stdout}\nThe net {net!r} fails without a mutant: mend that first.", file=sys.stderr)
                return 2
        print("| mutant | caught by | s |\n| --- | --- | --- |", flush=True)
        for name, mutant in chosen.items():
            began = time.monotonic()
            net = caught_by(mutant, shop)
            missed += not net
            print(f"| {name} | {net or 'NOTHING'} | {time.monotonic() - began:.0f} |", flush=True)
    return 1 if missed else 0


sys.exit(main(sys.argv[1:]))
