"""Updates the README's screenshots from those of the tests: `python -m tests.browser.readme FOLDER`."""

import sys
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
NAMES = {
    "docs-product": "swagger",
    "browsable": "browsable",
    "admin-product": "admin-product",
    "admin-order": "admin-order",
}

for screenshot, shown in NAMES.items():
    with Image.open(Path(sys.argv[1]) / f"{screenshot}.png") as picture:
        few_colours = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few_colours.save(FOLDER / f"{shown}.png", optimize=True)
