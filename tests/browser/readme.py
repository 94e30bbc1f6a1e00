"""Updates the screenshots of the documentation from those of the tests: `python -m tests.browser.readme FOLDER`."""

import sys
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
NAMES = {
    "docs-product": "swagger",
    "browsable": "browsable",
    "admin-product": "admin-product",
    "admin-order": "admin-order",
    # Of docs/shop-keeper.md.
    "home-1440": "home",
    "order-noted-1440": "order",
    "import-check-1440": "import",
    "bulk-preview-1440": "bulk",
    "history-object-1440": "history",
    "grid-rows-1440": "grid",
}
HEIGHT_MAX = 1_500  # pixels: the top of a long page

for screenshot, shown in NAMES.items():
    with Image.open(Path(sys.argv[1]) / f"{screenshot}.png") as picture:
        top = picture.crop((0, 0, picture.width, min(picture.height, HEIGHT_MAX)))
        few_colours = top.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few_colours.save(FOLDER / f"{shown}.png", optimize=True)
