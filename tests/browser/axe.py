"""Checks of a page by axe-core: `make test-clients` installs it from the package-lock.json of this folder."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
IMPACTS = ("serious", "critical")
NODES_MAX = 5  # that a finding names


def findings(page: Page) -> list[str]:
    """What axe-core finds on the page, of an impact that is serious or critical: the rule, and the elements."""
    # Through the DevTools protocol: the page's policy does not allow a script inside the page.
    page.evaluate(f"() => {{ if (!window.axe) {{ {SOURCE.read_text()} }} }}")
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations'], preload: false})")
    return [
        f"{each['id']} ({each['impact']}): {', '.join(str(node['target']) for node in each['nodes'][:NODES_MAX])}"
        for each in found["violations"]
        if each["impact"] in IMPACTS
    ]
