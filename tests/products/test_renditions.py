"""Pictures of every kind that cameras and programs write, and how their renditions look."""

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat, JpegImagePlugin

from products import renditions
from tests.products import pictures

BOXES = {"full": (500, 500), "thumb": (100, 100)}
RED, BLUE = (220, 30, 20), (20, 40, 210)


def make(data: bytes, boxes: dict[str, tuple[int, int]] = BOXES) -> dict[str, Image.Image]:
    plan: dict[str, renditions.Wanted] = {name: {"box": box, "formats": ()} for name, box in boxes.items()}
    result = renditions.make(io.BytesIO(data), plan=plan, max_pixels=50_000_000)
    return {name: pictures.opened(made.data) for name, made in result.renditions.items()}


def halves(width: int = 900, height: int = 600, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image.convert(mode)


def looks(image: Image.Image, at: tuple[float, float], colour: tuple[int, ...], tolerance: int = 25) -> bool:
    """Whether the pixel there, in parts of width and height, is about `colour`."""
    pixel: Any = image.convert("RGBA" if len(colour) == 4 else "RGB").getpixel(
        (int(at[0] * image.width), int(at[1] * image.height))
    )
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True))


def test_a_photograph_of_12_megapixels() -> None:
    made = make(pictures.jpeg(4000, 3000))
    assert {name: (image.format, image.mode, image.size) for name, image in made.items()} == {
        "full": ("JPEG", "RGB", (500, 375)),
        "thumb": ("JPEG", "RGB", (100, 75)),
    }


def test_decoding_at_a_smaller_scale_looks_like_decoding_it_all() -> None:
    photograph = pictures.photograph(4000, 3000)
    data = pictures.encoded(photograph, quality=95)
    for name, image in make(data).items():
        whole = pictures.opened(data).resize(image.size, Image.Resampling.LANCZOS)
        whole = pictures.opened(pictures.encoded(whole, **renditions.SAVE_OPTIONS["JPEG"]))
        difference = ImageStat.Stat(ImageChops.difference(image, whole)).rms
        # Before it is made a fifth as large, the thumb is made half as large by averages; 0.987 by SSIM at the least.
        assert max(difference) < {"full": 1, "thumb": 2.2}[name], name


@pytest.mark.parametrize(
    ("size", "full", "thumb"),
    [
        ((3000, 4000), (375, 500), (75, 100)),
        ((3999, 2999), (500, 375), (100, 75)),
        ((501, 499), (500, 498), (100, 100)),
        ((500, 500), (500, 500), (100, 100)),
        ((80, 60), (80, 60), (80, 60)),
        ((1, 1), (1, 1), (1, 1)),
        ((9000, 1), (500, 1), (100, 1)),
    ],
)
def test_renditions_keep_the_proportions_and_are_never_enlarged(
    size: tuple[int, int], full: tuple[int, int], thumb: tuple[int, int]
) -> None:
    made = make(pictures.encoded(Image.new("RGB", size, RED)))
    assert (made["full"].size, made["thumb"].size) == (full, thumb)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_applied(format: str, orientation: int) -> None:
    upright = halves()
    # What a camera stores is turned so that the reader's turn brings it upright.
    turns = {5: 5, 6: 8, 7: 7, 8: 6}
    stored = upright
    if orientation in renditions.TRANSPOSE:
        stored = upright.transpose(renditions.TRANSPOSE[turns.get(orientation, orientation)])
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = pictures.encoded(stored, format, exif=exif)
    assert (header := renditions.inspect(io.BytesIO(data), max_pixels=50_000_000)).width == 900, header
    full = make(data)["full"]
    assert full.size == (500, 333)
    assert looks(full, (0.1, 0.5), RED)
    assert looks(full, (0.9, 0.5), BLUE)


def test_a_box_that_is_not_square_is_for_the_picture_as_it_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = pictures.encoded(Image.new("RGB", (3000, 1000), RED), exif=exif)  # seen as 1000 x 3000
    assert make(data, {"banner": (600, 300)})["banner"].size == (100, 300)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_the_format_is_kept(format: str) -> None:
    made = make(pictures.encoded(halves(), format))
    for image in made.values():
        assert image.format == format
        assert looks(image, (0.2, 0.5), RED)
        assert looks(image, (0.8, 0.5), BLUE)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_metadata_is_dropped(format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Spy camera"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    options: dict[str, Any] = {"exif": exif, "icc_profile": ImageCms.ImageCmsProfile(renditions.SRGB).tobytes()}
    if format == "JPEG":
        options["comment"] = b"Taken at home"
    for image in make(pictures.encoded(halves(), format, **options)).values():
        assert not dict(image.getexif())
        assert not {"exif", "icc_profile", "comment", "xmp"} & set(image.info)


def test_cmyk_comes_out_in_colours_of_a_screen() -> None:
    full = make(pictures.encoded(halves(mode="CMYK")))["full"]
    assert full.mode == "RGB"
    assert looks(full, (0.2, 0.5), RED, 40)
    assert looks(full, (0.8, 0.5), BLUE, 40)


def test_a_wide_gamut_is_converted_to_srgb() -> None:
    # A profile whose red and green are changed over shows that it was read.
    data = bytearray(ImageCms.ImageCmsProfile(renditions.SRGB).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    picture = Image.new("RGB", (600, 400), (250, 10, 10))
    for format in ("JPEG", "PNG"):
        full = make(pictures.encoded(picture, format, icc_profile=bytes(data)))["full"]
        assert looks(full, (0.5, 0.5), (10, 250, 10)), format


def test_a_broken_profile_is_no_reason_to_refuse() -> None:
    data = pictures.encoded(halves(), icc_profile=b"not a profile" * 100)
    assert looks(make(data)["full"], (0.2, 0.5), RED)


def test_a_palette_comes_out_in_its_colours() -> None:
    image = halves().quantize(8)
    full = make(pictures.encoded(image, "PNG"))["full"]
    assert looks(full, (0.2, 0.5), RED)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF", "GIF"])
def test_what_is_seen_through_stays_so(format: str) -> None:
    image = halves(mode="RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 450, 600))
    full = make(pictures.encoded(image, format))["full"].convert("RGBA")
    alpha = [full.getchannel("A").getpixel((x, 100)) for x in (50, 450)]
    assert alpha == [0, 255]
    assert looks(full, (0.8, 0.5), (*BLUE, 255))


def test_a_palette_with_transparency() -> None:
    image = halves().quantize(8)
    clear = image.getpixel((10, 10))
    full = make(pictures.encoded(image, "PNG", transparency=clear))["full"]
    assert full.mode == "RGBA"
    assert looks(full, (0.8, 0.5), (*BLUE, 255))
    assert full.getchannel("A").getpixel((10, 10)) == 0


def test_edges_beside_transparency_have_no_dark_rim() -> None:
    image = Image.new("RGBA", (1000, 1000), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (333, 0, 1000, 1000))
    thumb = make(pictures.encoded(image, "PNG"))["thumb"]
    data = thumb.convert("RGBA").tobytes()
    seen = [data[at : at + 3] for at in range(0, len(data), 4) if data[at + 3] > 30]
    assert min(min(pixel) for pixel in seen) > 230


def test_16_bits_a_channel() -> None:
    grey = Image.new("I;16", (300, 200), 0x8000)
    full = make(pictures.encoded(grey, "PNG"))["full"]
    assert (full.mode, full.getpixel((150, 100))) == ("L", 128)


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_grey(mode: str) -> None:
    image = Image.linear_gradient("L").resize((600, 600)).convert(mode)
    full = make(pictures.encoded(image, "PNG"))["full"]
    assert full.mode == ("LA" if mode == "LA" else "L")
    dark, _, light = full.convert("L").resize((1, 3), Image.Resampling.BOX).tobytes()
    assert dark < 80 < 170 < light


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_a_moving_picture_the_first_frame_is_taken(format: str) -> None:
    frames = [Image.new("RGB", (300, 200), colour) for colour in (RED, BLUE, (0, 200, 0))]
    data = pictures.encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    full = make(data)["full"]
    assert getattr(full, "n_frames", 1) == 1
    assert looks(full, (0.5, 0.5), RED)


def test_a_photograph_with_a_second_picture_in_it_is_a_jpeg() -> None:
    data = pictures.encoded(halves(), "MPO", save_all=True, append_images=[halves(300, 200)])
    assert renditions.inspect(io.BytesIO(data), max_pixels=10**7) == renditions.Header("JPEG", 900, 600)
    assert make(data)["full"].size == (500, 333)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_other_formats_show_the_same(format: str) -> None:
    data = pictures.encoded(halves(), format)
    plan: dict[str, renditions.Wanted] = {"full": {"box": (500, 500), "formats": ["WEBP", "AVIF"]}}
    full = renditions.make(io.BytesIO(data), plan=plan, max_pixels=50_000_000).renditions["full"]
    assert set(full.others) == {"WEBP", "AVIF"} - {format}
    for name, other in full.others.items():
        image = pictures.opened(other)
        assert (image.format, image.size) == (name, (full.width, full.height))
        assert looks(image, (0.2, 0.5), RED)
        assert looks(image, (0.8, 0.5), BLUE)


def test_a_picture_is_decoded_once_for_all_its_renditions_and_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    load = JpegImagePlugin.JpegImageFile.load

    def counted(image: JpegImagePlugin.JpegImageFile) -> Any:
        decoded.extend([image.size] if image.tile else [])
        return load(image)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", counted)
    plan: dict[str, renditions.Wanted] = {
        name: {"box": box, "formats": ["WEBP", "AVIF"]} for name, box in BOXES.items()
    }
    renditions.make(io.BytesIO(pictures.jpeg(4000, 3000)), plan=plan, max_pixels=50_000_000)
    assert decoded == [(1000, 750)]


@pytest.mark.parametrize("size", [(4000, 3000), (3999, 2999), (501, 499), (80, 60), (9000, 1)])
def test_the_size_of_a_rendition_is_known_beforehand(size: tuple[int, int]) -> None:
    made = make(pictures.encoded(Image.new("RGB", size, RED)))
    assert {name: image.size for name, image in made.items()} == {
        name: renditions.fitted(size, box) for name, box in BOXES.items()
    }
