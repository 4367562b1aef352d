"""The comment inside a JPEG or WebP file, where image tools put what PNG files have as a text.

Only the header and the metadata are read, never a pixel. Format: CIPA, "Exif 2.32", 4.6.5, UserComment.
"""

from __future__ import annotations

import io
import warnings

from core import pictures
from core.errors import InvalidInput

MAX_COMMENT = 200_000
"""Bytes; UTF-16 takes two for each letter."""

_EXIF, _USER_COMMENT, _MODEL = 0x8769, 0x9286, 0x0110


def comments(data: bytes) -> tuple[str, str]:
    """The user's comment of a JPEG or WebP file, and the camera's model, where ComfyUI writes its graph; '' for none.

    Raises:
        InvalidInput: too many bytes or pixels, or broken.
    """
    from PIL import Image

    if len(data) > pictures.MAX_BYTES:
        raise InvalidInput(f"The file has {len(data) / 1e6:.1f} MB; at most {pictures.MAX_BYTES / 1e6:.0f} are read.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=("JPEG", "WEBP")) as image:
                width, height = image.size
                table = image.getexif()
                comment, camera = table.get_ifd(_EXIF).get(_USER_COMMENT), table.get(_MODEL)
    except Exception:  # Pillow raises many kinds on files that are cut or made to harm
        raise InvalidInput(
            "This is not a PNG file, and no JPEG or WebP file that can be read. Use the file as it was saved."
        ) from None
    if width * height > pictures.MAX_PIXELS:
        raise InvalidInput(f"The image has {width} x {height} pixels; at most 24 million are taken.")
    return _text(comment), _text(camera)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip("\0 ")
    if not isinstance(value, bytes):
        return ""
    if len(value) > MAX_COMMENT:
        raise InvalidInput(f"The comment in the file has over {MAX_COMMENT // 1000} kB; settings are shorter.")
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        return _utf16(text)
    return _utf8(text if code.rstrip(b"\0") in (b"", b"ASCII", b"JIS") else value)


def _utf8(text: bytes) -> str:
    try:
        return text.decode("utf-8").strip("\0 ")
    except UnicodeDecodeError:
        return text.decode("latin-1").strip("\0 ")


def _utf16(text: bytes) -> str:
    """The byte order is the file's, says the standard; tools write either. In the right one most letters are Latin or
    at least letters: settings have many ASCII signs."""
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return text.decode("utf-16", "replace").strip("\0 ")
    readings = [text.decode(order, "replace").strip("\0 ") for order in ("utf-16-be", "utf-16-le")]
    return max(readings, key=lambda reading: sum(letter.isascii() for letter in reading))
