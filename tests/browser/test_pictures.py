"""What the browser shows of odd pictures: the values of tests/products/images/test_odd_pictures.py."""

import base64
import io
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page

from productbackend.storages.media import TYPES
from products.images import renditions
from tests.products.images.odd_pictures import ODD
from tests.products.images.rendering import TOLERANCE, rendered

READ = """async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const page = await new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(new Blob([pixels]));
    });
    return [canvas.width, canvas.height, page.split(',')[1]];
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("kind", ODD)
def test_what_browsers_show(page: Page, kind: str) -> None:
    odd = ODD[kind]
    url = f"data:{TYPES[odd.extension]};base64,{base64.b64encode(odd.data).decode()}"
    width, height, values = page.evaluate(READ, url)
    image = Image.frombytes("RGBA", (width, height), base64.b64decode(values))
    for position, colour in odd.pixels.items():
        pixel = image.getpixel(position)
        assert isinstance(pixel, tuple)
        assert max(abs(a - b) for a, b in zip(pixel, colour, strict=False)) <= TOLERANCE, (position, pixel)
    ours = rendered(odd.data).convert("RGBA")
    assert ours.size == image.size
    if odd.like_chromium:
        for background in ("black", "white"):
            pair = [Image.alpha_composite(Image.new("RGBA", image.size, background), part) for part in (image, ours)]
            assert max(high for _, high in ImageChops.difference(*pair).getextrema()) <= TOLERANCE  # type: ignore[misc]
    assert renditions.read_header(io.BytesIO(odd.data), max_pixels=10**7).width == width
