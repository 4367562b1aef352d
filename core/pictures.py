"""Images that a visitor attaches or a model draws: checked before they are opened, made small, named by what they hold.

Uploads are a stranger's, and so is what a server draws: the size is read from the header before a pixel is, only three
formats are opened, and what leaves here is a new file without the old one's metadata. Knows no page and no server.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 5_000_000
MAX_PIXELS = 24_000_000
"""Of an upload; a small file can unpack to gigabytes."""

SIDE = 1024
"""Pixels of the longer side that are kept: servers scale images to about this before a model sees them."""

FORMATS = ("PNG", "JPEG", "WEBP")


def reference(picture: bytes) -> str:
    """The name of an image: the SHA-256 of its bytes, as hex."""
    return hashlib.sha256(picture).hexdigest()


def mime(picture: bytes) -> str:
    """The type of an image by its first bytes, such as image/png; '' where it is none of the FORMATS."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if picture.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "image/webp"
    return ""


def from_upload(data: bytes) -> bytes:
    """An uploaded image as a model gets it: upright, at most SIDE pixels long, PNG where it is see-through, else JPEG.

    Raises:
        InvalidInput: too many bytes or pixels, not one of the FORMATS, or broken.
    """
    small, clear = opened(data)
    small.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    if clear:
        small.save(file, "PNG", optimize=True)
    else:
        small.save(file, "JPEG", quality=88)
    return file.getvalue()


def opened(data: bytes) -> tuple[Image.Image, bool]:
    """The pixels of an image, upright, and whether some of them are see-through (then RGBA, else RGB).

    Raises:
        InvalidInput: too many bytes or pixels, not one of the FORMATS, or broken.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(data) > MAX_BYTES:
        raise InvalidInput(f"The image has {len(data) / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} are taken.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise InvalidInput(f"The image has {width} x {height} pixels; at most 24 million are taken.")
                upright = _eight_bits(ImageOps.exif_transpose(image) or image)
                clear = "A" in upright.getbands() or "transparency" in upright.info
                return upright.convert("RGBA" if clear else "RGB"), clear
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise InvalidInput("This is not an image that can be read. Attach a PNG, JPEG or WebP file.") from error
    except Image.DecompressionBombError:
        raise InvalidInput("The image has too many pixels; at most 24 million are taken.") from None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 bits scaled to 8, where Pillow would cut off all above 255; other images as they are."""
    from PIL import Image

    if not image.mode.startswith("I"):
        return image
    import numpy as np

    values = np.asarray(image).astype(np.uint32).clip(0, 65_535)  # (height, width)
    grey = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    clear = image.info.get("transparency")
    if not isinstance(clear, int):
        return grey
    alpha = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, alpha))


def thumbnail(picture: bytes, side: int) -> bytes:
    """A small PNG file of the image, at most `side` pixels long; b"" of what cannot be read."""
    try:
        small, _ = opened(picture)
    except InvalidInput:
        return b""
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "PNG")
    return file.getvalue()
