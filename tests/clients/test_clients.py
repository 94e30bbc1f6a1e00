"""Clients that third-party generators create from the OpenAPI document pass type checks and buy something."""

import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.clients.conftest import STOCK
from tests.passwords import PASSWORD
from tests.setup.service import Service

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout  # the generator skipped a part
    return done.stdout


def require_sold(service: Service, order: dict[str, Any], customer: str) -> None:
    """Assert that the order that the client printed is in the shop, and that the stock went down."""
    (item,) = order["items"]
    assert (item["name"], item["quantity"], order["status"]) == ("Travel mug 7", 2, "paid")
    token = service.token(customer)
    stored = service.request("GET", f"/orders/{order['number']}/", token=token).json()
    for answer in (stored, order):  # each language formats times differently
        answer |= {name: datetime.fromisoformat(answer[name]) for name in ("created_at", "updated_at", "paid_at")}
    assert stored == order
    product = service.request("GET", f"/products/{item['product']}/").json()
    assert (STOCK - product["quantity"]) % 2 == 0
    assert product["quantity"] < STOCK


def test_the_patterns_mean_the_same_in_ecmascript(document: Path, tmp_path: Path) -> None:
    """As generated validators such as zod use them: by `new RegExp(pattern, "u")`."""
    samples = Path(settings.BASE_DIR, "tests", "api", "patterns.json")
    script = """
      const [document, samples] = process.argv.slice(1).map((path) => JSON.parse(fs.readFileSync(path, "utf8")));
      const wrong = [];
      JSON.stringify(document, (name, value) => {
        if (name === "pattern" && typeof value === "string") {
          const sample = samples.find((each) => each.pattern === value);
          const expression = new RegExp(value, "u");
          if (!sample) wrong.push([value, "has no samples"]);
          for (const text of sample?.taken ?? []) if (!expression.test(text)) wrong.push([value, "refuses", text]);
          for (const text of sample?.refused ?? []) if (expression.test(text)) wrong.push([value, "takes", text]);
        }
        return value;
      });
      console.log(JSON.stringify(wrong));
    """
    assert (
        json.loads(run("node", "--eval", f"const fs = require('fs');{script}", document, samples, folder=tmp_path))
        == []
    )


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
    run(BIN / "mypy", "--strict", "--config-file=", "buy.py", folder=tmp_path)  # not one of a folder above
    order = json.loads(run(sys.executable, "buy.py", service.url, "petra", PASSWORD, folder=tmp_path))
    require_sold(service, order, "petra")
