"""Renditions of all kinds of pictures that cameras and programs write."""

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat, JpegImagePlugin

from products.images import renditions
from tests.products import pictures
from tests.products.images.rendering import BLUE, BOXES, FULL, RED, halves, has_colour, render

pytestmark = pytest.mark.embedded


def test_a_photograph_of_12_megapixels() -> None:
    rendered = render(pictures.jpeg(4000, 3000))
    assert {name: (image.format, image.mode, image.size) for name, image in rendered.items()} == {
        "full": ("JPEG", "RGB", (500, 375)),
        "thumb": ("JPEG", "RGB", (100, 75)),
        "large": ("JPEG", "RGB", (1200, 900)),
    }


@pytest.mark.thorough
def test_decoding_at_a_smaller_scale_looks_like_a_full_decode() -> None:
    photograph = pictures.photograph(4000, 3000)
    data = pictures.encode(photograph, quality=95)
    for name, image in render(data).items():
        whole = pictures.decode(data).resize(image.size, Image.Resampling.LANCZOS)
        whole = pictures.decode(pictures.encode(whole, **renditions.SAVE_OPTIONS["JPEG"]))
        difference = ImageStat.Stat(ImageChops.difference(image, whole)).rms
        # The thumb is reduced to half by averages before it is resampled to a fifth; its SSIM is 0.987 at least.
        assert max(difference) < {"large": 1, "full": 1, "thumb": 2.2}[name], (name, difference)


@pytest.mark.parametrize(
    ("size", "large", "full", "thumb"),
    [
        ((3000, 4000), (900, 1200), (375, 500), (75, 100)),
        ((3999, 2999), (1200, 900), (500, 375), (100, 75)),
        ((1201, 1199), (1200, 1198), (500, 499), (100, 100)),
        ((900, 600), (900, 600), (500, 333), (100, 67)),
        ((501, 499), (501, 499), (500, 498), (100, 100)),
        ((500, 500), (500, 500), (500, 500), (100, 100)),
        ((80, 60), (80, 60), (80, 60), (80, 60)),
        ((1, 1), (1, 1), (1, 1), (1, 1)),
        ((9000, 1), (1200, 1), (500, 1), (100, 1)),
    ],
)
def test_renditions_keep_the_proportions_and_are_never_enlarged(
    size: tuple[int, int], large: tuple[int, int], full: tuple[int, int], thumb: tuple[int, int]
) -> None:
    rendered = render(pictures.encode(Image.new("RGB", size, RED)))
    assert tuple(rendered[name].size for name in ("large", "full", "thumb")) == (large, full, thumb)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_applied(format: str, orientation: int) -> None:
    upright = halves()
    # A camera stores the inverse of the orientation that the reader applies.
    turns = {5: 5, 6: 8, 7: 7, 8: 6}
    stored = upright
    if orientation in renditions.TRANSPOSE:
        stored = upright.transpose(renditions.TRANSPOSE[turns.get(orientation, orientation)])
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = pictures.encode(stored, format, exif=exif)
    assert (header := renditions.read_header(io.BytesIO(data), max_pixels=50_000_000)).width == 900, header
    full = render(data, FULL)["full"]
    assert full.size == (500, 333)
    assert has_colour(full, (0.1, 0.5), RED)
    assert has_colour(full, (0.9, 0.5), BLUE)


def test_a_box_applies_to_the_oriented_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = pictures.encode(Image.new("RGB", (3000, 1000), RED), exif=exif)  # 1000 x 3000 after orientation
    assert render(data, {"banner": (600, 300)})["banner"].size == (100, 300)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_the_format_is_unchanged(format: str) -> None:
    rendered = render(pictures.encode(halves(), format))
    for image in rendered.values():
        assert image.format == format
        assert has_colour(image, (0.2, 0.5), RED)
        assert has_colour(image, (0.8, 0.5), BLUE)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_metadata_is_dropped(format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Spy camera"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    options: dict[str, Any] = {"exif": exif, "icc_profile": ImageCms.ImageCmsProfile(renditions.SRGB).tobytes()}
    if format == "JPEG":
        options["comment"] = b"Taken at home"
    for image in render(pictures.encode(halves(), format, **options)).values():
        assert not dict(image.getexif())
        assert not {"exif", "icc_profile", "comment", "xmp"} & set(image.info)


def test_a_palette_is_converted_to_its_colours() -> None:
    image = halves().quantize(8)
    full = render(pictures.encode(image, "PNG"), FULL)["full"]
    assert has_colour(full, (0.2, 0.5), RED)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF", "GIF"])
def test_transparency_is_unchanged(format: str) -> None:
    image = halves(mode="RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 450, 600))
    full = render(pictures.encode(image, format), FULL)["full"].convert("RGBA")
    alpha = [full.getchannel("A").getpixel((x, 100)) for x in (50, 450)]
    assert alpha == [0, 255]
    assert has_colour(full, (0.8, 0.5), (*BLUE, 255))


def test_a_palette_with_transparency() -> None:
    image = halves().quantize(8)
    clear = image.getpixel((10, 10))
    full = render(pictures.encode(image, "PNG", transparency=clear), FULL)["full"]
    assert full.mode == "RGBA"
    assert has_colour(full, (0.8, 0.5), (*BLUE, 255))
    assert full.getchannel("A").getpixel((10, 10)) == 0


def test_edges_next_to_transparency_have_no_dark_rim() -> None:
    image = Image.new("RGBA", (1000, 1000), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (333, 0, 1000, 1000))
    thumb = render(pictures.encode(image, "PNG"))["thumb"]
    data = thumb.convert("RGBA").tobytes()
    seen = [data[at : at + 3] for at in range(0, len(data), 4) if data[at + 3] > 30]
    assert min(min(pixel) for pixel in seen) > 230


def test_16_bits_per_channel() -> None:
    grey = Image.new("I;16", (300, 200), 0x8000)
    full = render(pictures.encode(grey, "PNG"), FULL)["full"]
    assert (full.mode, full.getpixel((150, 100))) == ("L", 128)


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_grey(mode: str) -> None:
    image = Image.linear_gradient("L").resize((600, 600)).convert(mode)
    full = render(pictures.encode(image, "PNG"), FULL)["full"]
    assert full.mode == ("LA" if mode == "LA" else "L")
    dark, _, light = full.convert("L").resize((1, 3), Image.Resampling.BOX).tobytes()
    assert dark < 80 < 170 < light


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_the_first_frame_of_an_animation_is_rendered(format: str) -> None:
    frames = [Image.new("RGB", (300, 200), colour) for colour in (RED, BLUE, (0, 200, 0))]
    data = pictures.encode(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    full = render(data, FULL)["full"]
    assert getattr(full, "n_frames", 1) == 1
    assert has_colour(full, (0.5, 0.5), RED)


def test_an_mpo_is_a_jpeg() -> None:
    data = pictures.encode(halves(), "MPO", save_all=True, append_images=[halves(300, 200)])
    assert renditions.read_header(io.BytesIO(data), max_pixels=10**7) == renditions.Header("JPEG", 900, 600)
    assert render(data, FULL)["full"].size == (500, 333)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_other_formats_show_the_same(format: str) -> None:
    data = pictures.encode(halves(), format)
    plan: dict[str, renditions.RenditionSpec] = {"full": {"box": (500, 500), "formats": ["WEBP", "AVIF"]}}
    full = renditions.render(io.BytesIO(data), plan=plan, max_pixels=50_000_000).renditions["full"]
    assert set(full.others) == {"WEBP", "AVIF"} - {format}
    for name, other in full.others.items():
        image = pictures.decode(other)
        assert (image.format, image.size) == (name, (full.width, full.height))
        assert has_colour(image, (0.2, 0.5), RED)
        assert has_colour(image, (0.8, 0.5), BLUE)


def test_a_picture_is_decoded_once_for_all_its_renditions_and_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    load = JpegImagePlugin.JpegImageFile.load

    def counted(image: JpegImagePlugin.JpegImageFile) -> Any:
        decoded.extend([image.size] if image.tile else [])
        return load(image)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", counted)
    plan: dict[str, renditions.RenditionSpec] = {
        name: {"box": box, "formats": ["WEBP", "AVIF"]} for name, box in BOXES.items()
    }
    renditions.render(io.BytesIO(pictures.jpeg(4000, 3000)), plan=plan, max_pixels=50_000_000)
    assert decoded == [(2000, 1500)]


@pytest.mark.parametrize("size", [(4000, 3000), (3999, 2999), (501, 499), (80, 60), (9000, 1)])
def test_the_size_of_a_rendition_is_known_beforehand(size: tuple[int, int]) -> None:
    rendered = render(pictures.encode(Image.new("RGB", size, RED)))
    assert {name: image.size for name, image in rendered.items()} == {
        name: renditions.fitted_size(size, box) for name, box in BOXES.items()
    }
