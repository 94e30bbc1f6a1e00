"""The committed OpenAPI document, parsed once per process, by libyaml if it is installed."""

from pathlib import Path
from typing import Any

import yaml

DOCUMENT: dict[str, Any] = yaml.load(
    Path(__file__).parent.parent.joinpath("openapi.yml").read_text(),
    getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506  (both are safe)
)
