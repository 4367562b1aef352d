"""Attached images are checked before they are opened, made small, and stripped of what came with them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from core import pictures
from core.errors import InvalidInput
from tests.support import fakes


def encoded(image: Image.Image, kind: str, **how: object) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **how)
    return made.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_photograph_becomes_a_jpeg_of_at_most_1024_pixels(kind: str) -> None:
    made = pictures.from_upload(encoded(Image.new("RGB", (3000, 1500), "red"), kind))
    assert (opened(made).size, pictures.mime(made)) == ((1024, 512), "image/jpeg")


def test_what_is_see_through_stays_so() -> None:
    made = pictures.from_upload(encoded(Image.new("RGBA", (30, 20), (0, 255, 0, 0)), "PNG"))
    assert pictures.mime(made) == "image/png"
    assert opened(made).getpixel((0, 0)) == (0, 255, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16"])
def test_every_kind_of_pixel_is_read(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    made = pictures.from_upload(encoded(Image.new(mode, (8, 8)), kind))
    assert opened(made).mode == "RGB"


def ramp() -> np.ndarray:
    """64 x 64 greys of 16 bits from black to white."""
    return np.linspace(0, 65_535, 64 * 64).round().astype(np.uint16).reshape(64, 64)


def test_greys_of_16_bits_are_scaled_to_8() -> None:
    values = ramp()
    image = Image.fromarray(values)
    pixels, clear = pictures.opened(encoded(image, "PNG"))
    assert not clear
    assert pixels.mode == "RGB"
    grey = np.asarray(pixels).astype(float)
    assert (grey.min(), grey.max()) == (0, 255)
    assert abs(grey.mean() - 127.5) < 0.1
    assert np.abs(grey[..., 0] - values / 257).max() <= 0.5
    assert (grey[..., 0] == grey[..., 2]).all()
    small = np.asarray(opened(pictures.from_upload(encoded(image, "PNG"))).convert("L")).astype(float)
    assert abs(small.mean() - 127.5) < 2


def test_a_grey_of_16_bits_may_be_see_through_and_sideways() -> None:
    values = ramp()
    values[:, :32] = 1_000
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = encoded(Image.fromarray(values), "PNG", transparency=1_000, exif=exif)
    pixels, clear = pictures.opened(sideways)
    assert clear
    assert (pixels.mode, pixels.size) == ("RGBA", (64, 64))
    alpha = np.asarray(pixels)[..., 3]
    assert (alpha[:32] == 0).all()
    assert (alpha[32:] == 255).all()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "1", "P"])
def test_images_of_8_bits_keep_their_pixels(mode: str) -> None:
    plain = Image.effect_noise((16, 16), 80).convert(mode)
    pixels, _ = pictures.opened(encoded(plain, "PNG"))
    assert pixels.convert("RGBA").tobytes() == plain.convert("RGBA").tobytes()


def test_a_photograph_taken_sideways_stands_upright_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret place"
    made = pictures.from_upload(encoded(Image.new("RGB", (40, 20)), "JPEG", exif=exif))
    assert opened(made).size == (20, 40)
    assert b"secret place" not in made
    assert not opened(made).getexif()


def test_a_small_file_of_many_pixels_is_refused_from_its_header() -> None:
    header = struct.pack(">IIBBBBB", 9000, 9000, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    with pytest.raises(InvalidInput, match="9000 x 9000"):
        pictures.from_upload(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))


def test_a_picture_beyond_all_measure_is_refused_too() -> None:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    with pytest.raises(InvalidInput, match=r"pixels|can be read"):
        pictures.from_upload(b"\x89PNG\r\n\x1a\n" + chunk)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an image",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        encoded(Image.new("RGB", (8, 8)), "GIF"),
        encoded(Image.new("RGB", (64, 64), "blue"), "PNG")[:60],
        encoded(Image.new("RGB", (64, 64), "blue"), "JPEG")[:200],
    ],
    ids=["empty", "text", "svg", "gif", "cut png", "cut jpeg"],
)
def test_what_is_no_whole_image_is_refused_with_what_to_do(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="Attach a PNG, JPEG or WebP"):
        pictures.from_upload(data)


def test_a_file_of_many_bytes_is_refused_unread() -> None:
    with pytest.raises(InvalidInput, match="at most 5"):
        pictures.from_upload(b"\x89PNG\r\n\x1a\n" + bytes(pictures.MAX_BYTES))


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    made = pictures.from_upload(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    red, _, blue = opened(made).getpixel((4, 4))  # type: ignore[misc]
    assert red > 200 > 50 > blue


def test_an_image_is_named_by_what_it_holds() -> None:
    one, two = (encoded(Image.new("RGB", (8, 8), colour), "PNG") for colour in ("red", "blue"))
    assert pictures.reference(one) == pictures.reference(bytes(one)) != pictures.reference(two)


def test_the_type_is_read_from_the_first_bytes() -> None:
    kinds = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": ""}
    for kind, mime in kinds.items():
        assert pictures.mime(encoded(Image.new("RGB", (4, 4)), kind)) == mime
    assert pictures.mime(b"RIFF\0\0\0\0WAVE") == pictures.mime(b"") == pictures.mime(b"<svg/>") == ""


def test_a_thumbnail_is_small_and_of_what_cannot_be_read_there_is_none() -> None:
    with Image.open(io.BytesIO(pictures.thumbnail(fakes.png(300, 150), 64))) as small:
        assert small.size == (64, 32)
    assert pictures.thumbnail(b"no image", 64) == b""
