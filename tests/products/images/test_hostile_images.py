"""Malicious and damaged files: each is rejected with a 400 and not stored, or becomes ready or failed.

None causes a 5xx, a row that stays pending, or an orphan.
"""

import io
import os
import random
import struct
import zipfile
import zlib
from functools import cache
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from products.images import files, lifecycle, renditions
from products.images.png import chunk
from products.models import Product, ProductImage
from tests import factories
from tests.products import pictures
from tests.products.images.scan_bomb import scan_bomb
from tests.products.pictures import encode, photograph

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "AVIF"]
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}
DAMAGED = int(os.environ.get("DAMAGED_PICTURES", "6"))
VALID = {format: encode(photograph(240, 180), format) for format in FORMATS}


def outcome(staff: APIClient, product: Product, data: bytes, name: str = "photo.jpg") -> str:
    """The outcome of an upload: `refused`, `ready` or `failed`, with its invariants asserted."""
    response = staff.post(
        f"/products/{product.pk}/images/", {"image": SimpleUploadedFile(name, data)}, format="multipart"
    )
    if response.status_code == 400:
        assert response.json()["type"] == "/problems/invalid-image", response.json()
        assert not ProductImage.objects.exists()
        assert pictures.files() == []
        return "refused"
    assert response.status_code == 201, response.content
    lifecycle.process(response.json()["id"])
    image = ProductImage.objects.get(pk=response.json()["id"])
    stored = set(files.recorded_files(image))
    assert set(pictures.files()) == stored
    if image.status == "failed":
        assert stored == {image.original}
        assert image.error_code
        assert image.error_detail.endswith(".")
    else:
        assert image.status == "ready"
        assert len(stored) == (4 if image.format == "WEBP" else 7)
    return image.status


def raw(staff: APIClient, product: Product, body: Any, content_type: str = "multipart/form-data; boundary=b") -> Any:
    """Send bytes that client libraries do not write."""
    return staff.generic("POST", f"/products/{product.pk}/images/", body, content_type=content_type)


def remove(product: Product) -> None:
    for image in ProductImage.objects.filter(product=product):
        lifecycle.remove_files(files.candidate_files(image))
        image.delete()


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("evil.php", "<?php system($_GET['c']); ?>")
    return buffer.getvalue()


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"

DISGUISED = {
    "empty": b"",
    "one byte": b"\xff",
    "text": b"hello\n" * 100,
    "zeros": bytes(10_000),
    "noise": random.Random(1).randbytes(10_000),
    "SVG": SVG,
    "HTML": HTML,
    "ZIP": zipped(),
    "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "script": b"#!/bin/sh\nrm -rf /\n",
    "ELF": b"\x7fELF" + bytes(200),
    "BMP": encode(Image.new("RGB", (9, 9)), "BMP"),
    "TIFF": encode(Image.new("RGB", (9, 9)), "TIFF"),
    "ICO": encode(Image.new("RGB", (16, 16)), "ICO"),
    "PostScript": encode(Image.new("RGB", (9, 9)), "EPS"),
    "JPEG 2000": encode(Image.new("RGB", (64, 64)), "JPEG2000"),
    "GIF's first bytes before HTML": b"GIF89a" + HTML,
    "JPEG's first bytes before HTML": b"\xff\xd8\xff\xe0" + HTML,
    "PNG's first bytes before SVG": b"\x89PNG\r\n\x1a\n" + SVG,
    "WebP's first bytes before ZIP": b"RIFF\x00\x10\x00\x00WEBPVP8 " + zipped(),
    "AVIF's first bytes before HTML": b"\x00\x00\x00\x1cftypavif" + HTML,
}


@pytest.mark.parametrize("kind", DISGUISED)
@pytest.mark.parametrize("name", ["photo.jpg", "photo.png"])
def test_a_file_that_is_not_a_picture_is_refused(staff: APIClient, product: Product, kind: str, name: str) -> None:
    assert outcome(staff, product, DISGUISED[kind], name) == "refused"


@pytest.mark.parametrize(
    ("width", "height"), [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (50_000_001, 1), (0, 10), (10, 0)]
)
def test_a_header_with_too_many_pixels_is_refused(staff: APIClient, product: Product, width: int, height: int) -> None:
    bomb = png(width, height, chunk(b"IDAT", zlib.compress(bytes(1000))))
    assert outcome(staff, product, bomb, "photo.png") == "refused"


def test_huge_frames_in_other_formats_are_refused(staff: APIClient, product: Product) -> None:
    gif = bytearray(VALID["GIF"])
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    jpeg = bytearray(VALID["JPEG"])
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65535, 65535)
    canvas = (16_383).to_bytes(3, "little") * 2  # one less than the sides
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas + VALID["WEBP"][12:]
    webp = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    for data in (bytes(gif), bytes(jpeg), webp):
        assert outcome(staff, product, data) == "refused"


def test_a_frame_larger_than_its_canvas_is_refused(staff: APIClient, product: Product) -> None:
    gif = bytearray(VALID["GIF"])
    descriptor = gif.index(b"\x2c\x00\x00\x00\x00", 13)
    gif[descriptor + 5 : descriptor + 9] = struct.pack("<HH", 65535, 65535)
    assert outcome(staff, product, bytes(gif), "photo.gif") == "refused"


@pytest.mark.thorough
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_picture_is_never_ready(staff: APIClient, product: Product, format: str, part: float) -> None:
    data = VALID[format]
    result = outcome(staff, product, data[: int(len(data) * part)])
    if format == "AVIF":
        assert result in ("refused", "failed")  # the encoder decides where its header ends
    else:
        # A WebP begins with its length; two percent of this PNG are more than its header.
        headless = format == "WEBP" or (part == 0.02 and format != "PNG")
        assert result == ("refused" if headless else "failed")


@pytest.mark.thorough
@pytest.mark.parametrize("format", FORMATS)
def test_damaged_bytes(staff: APIClient, product: Product, format: str) -> None:
    """Files with random bytes changed: an image is ready if and only if a full decode succeeds.

    DAMAGED_PICTURES sets how many of each format; `make test-services` takes more.
    """
    rng = random.Random(format)
    for _ in range(DAMAGED):
        data = bytearray(VALID[format])
        for _ in range(rng.choice((1, 3, 20))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        found = outcome(staff, product, bytes(data))
        assert (found == "ready") == is_decodable(bytes(data)), data
        remove(product)


def is_decodable(data: bytes) -> bool:
    """Whether the file can be decoded at its full size."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            image.load()
    except (Image.UnidentifiedImageError, *renditions.DECODER_ERRORS):
        return False
    return True


@pytest.mark.thorough
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("payload", [HTML, SVG, b"<?php system('id'); ?>", zipped()], ids=["HTML", "SVG", "PHP", "ZIP"])
def test_the_payload_of_a_polyglot_is_not_in_the_renditions(
    staff: APIClient, product: Product, format: str, payload: bytes, settings: Any
) -> None:
    assert outcome(staff, product, VALID[format] + payload, "photo.html") == "ready"
    image = ProductImage.objects.get()
    assert image.original.endswith(f".{EXTENSIONS[format]}")
    for rendition in set(files.recorded_files(image)) - {image.original}:
        assert payload[:20] not in (settings.MEDIA_ROOT / rendition).read_bytes()


@pytest.mark.thorough
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_one_frame_of_an_animated_bomb_is_decoded(staff: APIClient, product: Product, format: str) -> None:
    frames = [Image.new("L", (600, 600), n) for n in range(50)]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:], duration=20)
    assert outcome(staff, product, data) == "ready"


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\x00\x00" + b"A" * 60_000,
        b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff",
        b"Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\xff\xff" + b"\x12\x01\x03\x00\xff\xff\xff\xff" * 100,
        b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x63\x00\x00",
        b"Exif\x00\x00",
    ],
    ids=["garbage", "offset beyond the end", "endless entries", "orientation 99", "nothing"],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_invalid_exif_is_ignored(staff: APIClient, product: Product, format: str, exif: bytes) -> None:
    data = encode(photograph(240, 180), format, exif=exif)
    assert outcome(staff, product, data) == "ready"
    assert (ProductImage.objects.get().width, ProductImage.objects.get().height) == (240, 180)


def test_megabytes_of_metadata(staff: APIClient, product: Product) -> None:
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", 65535) + b"Exif\x00\x00" + bytes(65527) for _ in range(60))
    data = VALID["JPEG"][:2] + segments + VALID["JPEG"][2:]
    assert len(data) > 3_900_000
    assert outcome(staff, product, data) == "ready"


@cache
def bomb_of_80_megabytes() -> bytes:
    return zlib.compress(bytes(80_000_000), 9)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_compressed_bomb_in_metadata(staff: APIClient, product: Product, kind: bytes) -> None:
    bomb = bomb_of_80_megabytes()
    middle = b"\x00\x01\x00\x00\x00" if kind == b"iTXt" else b"\x00\x00"
    pixels = zlib.compress((b"\x00" + bytes(30)) * 10)
    data = png(10, 10, chunk(kind, b"name" + middle + bomb), chunk(b"IDAT", pixels))
    assert outcome(staff, product, data, "photo.png") == "refused"


def test_pixels_that_are_missing_or_too_many(staff: APIClient, product: Product) -> None:
    for pixels in (b"", zlib.compress(bytes(310))[:-8], b"\x78\x9c" + b"\xff" * 100):
        assert outcome(staff, product, png(10, 10, chunk(b"IDAT", pixels)), "photo.png") == "failed"
        remove(product)
    assert outcome(staff, product, png(10, 10), "photo.png") == "failed"
    remove(product)
    too_many = zlib.compress(bytes(10_000_000))
    assert outcome(staff, product, png(10, 10, chunk(b"IDAT", too_many)), "photo.png") == "ready"


@pytest.mark.parametrize("side", [64, 640])
def test_a_hundred_scans_of_the_same_pixels_are_accepted(staff: APIClient, product: Product, side: int) -> None:
    """Thousands of scans of millions of pixels exceed the time limits: test_worker_limits.py."""
    assert outcome(staff, product, scan_bomb(side, 100)) == "ready"


NAMES = {
    "path upwards": "../../../etc/cron.d/evil.jpg",
    "Windows path": "C:\\Windows\\..\\evil.jpg",
    "absolute": "/etc/passwd",
    "NUL": "photo.php\x00.jpg",
    "300 characters": "x" * 300 + ".jpg",
    "right to left": "photo\u202egpj.exe",
    "two extensions": "photo.jpg.html",
    "no extension": "photo",
    "quotes and markup": '"><script>alert(1)</script>.jpg',
    "line breaks": "a\r\nSet-Cookie: x=1.jpg",
    "device": "CON.jpg",
    "hidden": ".htaccess",
    "another format's": "photo.svg",
}


@pytest.mark.parametrize("kind", NAMES)
def test_file_names_of_clients_are_not_used(staff: APIClient, product: Product, kind: str) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="'
        + NAMES[kind].replace("\\", "\\\\").replace('"', "%22").replace("\r\n", "%0D%0A").encode()
        + b'"\r\nContent-Type: text/html\r\n\r\n'
        + VALID["JPEG"]
        + b"\r\n--b--\r\n"
    )
    response = raw(staff, product, body)
    assert response.status_code == 201, response.content
    image = ProductImage.objects.get()
    assert pictures.files() == [image.original]
    assert set(image.original) <= set("products/.jpg0123456789abcdef")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_empty_file_name_sends_no_file(staff: APIClient, product: Product, name: str) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="' + name.encode() + b'"\r\n\r\nx\r\n--b--\r\n'
    )
    response = raw(staff, product, body)
    assert (response.status_code, response.json()["type"]) == (400, "/problems/validation-error")
    assert pictures.files() == []


def test_invalid_multipart_is_refused(staff: APIClient, product: Product) -> None:
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=b",
        "multipart/form-data; boundary=" + "b" * 300,
    ):
        response = raw(staff, product, b"no parts here", kind)
        assert response.status_code in (400, 415), kind


def test_a_product_with_a_hostile_picture_is_not_created(staff: APIClient) -> None:
    body = {"name": "Shoe", "quantity": 1, "image": SimpleUploadedFile("photo.jpg", HTML)}
    response = staff.post("/products/", body, format="multipart")
    assert (response.status_code, response.json()["type"]) == (400, "/problems/invalid-image")
    assert not Product.objects.exists()
    assert pictures.files() == []


def test_the_error_of_a_damaged_picture_is_understandable(staff: APIClient) -> None:
    product = factories.product()
    data = VALID["JPEG"]
    assert outcome(staff, product, data[: len(data) // 2]) == "failed"
    error = staff.get(f"/products/{product.pk}/images/").json()["results"][0]["error"]
    assert error == {
        "code": "broken",
        "detail": "The picture is damaged or incomplete. Save and upload it again.",
    }
