"""Clients made of the OpenAPI document by others' generators, checked by their languages, buy something."""

import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.clients.conftest import STOCK
from tests.setup.service import PASSWORD, Service

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout  # a generator that leaves a part out
    return done.stdout


def require_sold(service: Service, order: dict[str, Any], customer: str) -> None:
    """The order that the client printed is the one in the shop, and its pieces are gone."""
    (item,) = order["items"]
    assert (item["name"], item["quantity"], order["status"]) == ("Travel mug 7", 2, "paid")
    token = service.token(customer)
    kept = service.request("GET", f"/orders/{order['number']}/", token=token).json()
    for answer in (kept, order):  # each language writes a time in its own way
        answer["created_at"] = datetime.fromisoformat(answer["created_at"])
    assert kept == order
    product = service.request("GET", f"/products/{item['product']}/").json()
    assert (STOCK - product["quantity"]) % 2 == 0
    assert product["quantity"] < STOCK


def test_a_typescript_client(service: Service, document: Path, tmp_path: Path) -> None:
    shutil.copytree(HERE / "typescript", tmp_path / "shop", symlinks=True)
    shop = tmp_path / "shop"
    tools = shop / "node_modules" / ".bin"
    run(tools / "openapi-typescript", document, "--output", "schema.d.ts", folder=shop)
    run(tools / "tsc", folder=shop)
    order = json.loads(run("node", "buy.js", service.url, "tessa", PASSWORD, folder=shop))
    require_sold(service, order, "tessa")


def test_a_python_client(service: Service, document: Path, tmp_path: Path) -> None:
    shutil.copy(HERE / "python" / "buy.py", tmp_path)
    config = HERE / "python" / "generator.yml"
    generate = ["generate", "--meta", "none", "--output-path", "shop_client"]
    run(BIN / "openapi-python-client", *generate, "--path", document, "--config", config, folder=tmp_path)
    run(BIN / "mypy", "--strict", "buy.py", folder=tmp_path)
    order = json.loads(run(sys.executable, "buy.py", service.url, "petra", PASSWORD, folder=tmp_path))
    require_sold(service, order, "petra")
