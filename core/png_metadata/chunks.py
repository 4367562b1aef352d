"""The texts inside a PNG file: written beside its pixels, and read back without decoding a single one.

A file that is dropped here is a stranger's. Its size and its pixels are judged from the header, only the texts that
are asked for are unpacked, and each only up to a bound. Format: W3C, "Portable Network Graphics", third edition, §5
and §11.3.3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator, Mapping

from core import pictures
from core.errors import InvalidInput

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT = 100_000
"""Bytes of one text, packed or unpacked."""

MAX_CHUNKS = 20_000
_HEADER = 13
_END = len(SIGNATURE) + 12 + _HEADER  # where the header chunk ends

_BROKEN = "The PNG file is broken: its {} cannot be read. Use the file as it was saved."


def size(picture: bytes) -> tuple[int, int]:
    """(width, height) in pixels, as the header of a PNG file says.

    Raises:
        InvalidInput: it is no PNG file.
    """
    if not picture.startswith(SIGNATURE) or picture[12:16] != b"IHDR" or len(picture) < _END:
        raise InvalidInput("This is not a PNG file. Choose one that Diptych or another image tool saved.")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def write(picture: bytes, texts: Mapping[str, str]) -> bytes:
    """The PNG file with these texts by keyword; its pixels stay, byte for byte.

    What fits Latin-1 becomes a tEXt chunk, anything else an iTXt chunk, as other tools do it.

    Raises:
        InvalidInput: it is no PNG file.
    """
    size(picture)
    made = b"".join(_chunk(*_packed(keyword, text)) for keyword, text in texts.items())
    return picture[:_END] + made + picture[_END:]


def read(data: bytes, keywords: Collection[str]) -> dict[str, str]:
    """The texts of a PNG file by keyword, of those that are asked for.

    Raises:
        InvalidInput: too many bytes or pixels, not a PNG file, cut off or broken, or a text is too long or there twice.
    """
    if len(data) > pictures.MAX_BYTES:
        raise InvalidInput(f"The file has {len(data) / 1e6:.1f} MB; at most {pictures.MAX_BYTES / 1e6:.0f} are read.")
    width, height = size(data)
    if not 0 < width * height <= pictures.MAX_PIXELS:
        raise InvalidInput(f"The image has {width} x {height} pixels; at most 24 million are taken.")
    found: dict[str, str] = {}
    for kind, body in _chunks(data):
        keyword = body[:80].partition(b"\0")[0].decode("latin-1")
        if kind in _READERS and keyword in keywords:
            if keyword in found:
                raise InvalidInput(f"The file has its '{keyword}' twice, so it is not known which is meant.")
            found[keyword] = _text(kind, body[len(keyword) + 1 :])
    return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each chunk up to the end; bodies of texts only, and only where their checksum is right."""
    place = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if place + 12 > len(data):
            break
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        after = place + 12 + length
        if kind == b"IEND":
            return
        if after > len(data):
            break
        if kind in _READERS:
            if length > MAX_TEXT:
                raise InvalidInput(f"A text in the file has over {MAX_TEXT // 1000} kB; settings are shorter.")
            body = data[place + 8 : after - 4]
            if zlib.crc32(kind + body) != struct.unpack(">I", data[after - 4 : after])[0]:
                raise InvalidInput(_BROKEN.format("text"))
            yield kind, body
        place = after
    else:
        raise InvalidInput(f"The PNG file has over {MAX_CHUNKS} parts. Save it anew.")
    raise InvalidInput("The PNG file is cut off. Use the file as it was saved.")


def _text(kind: bytes, body: bytes) -> str:
    try:
        return _READERS[kind](body)
    except (ValueError, IndexError, zlib.error):
        raise InvalidInput(_BROKEN.format("text")) from None


def _plain(body: bytes) -> str:
    return body.decode("latin-1")


def _compressed(body: bytes) -> str:
    return _unpacked(body[0], body[1:]).decode("latin-1")


def _international(body: bytes) -> str:
    flag, method = body[0], body[1]
    _language, _translated, text = body[2:].split(b"\0", 2)
    return (_unpacked(method, text) if flag else text).decode("utf-8")


def _unpacked(method: int, packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, MAX_TEXT + 1) if method == 0 else b""
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"A text in the file unpacks to over {MAX_TEXT // 1000} kB; settings are shorter.")
    if not unpacker.eof:
        raise ValueError("the packed text does not end")
    return text


_READERS = {b"tEXt": _plain, b"zTXt": _compressed, b"iTXt": _international}


def _packed(keyword: str, text: str) -> tuple[bytes, bytes]:
    name = keyword.encode("latin-1") + b"\0"
    try:
        return b"tEXt", name + text.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", name + b"\0\0\0\0" + text.encode("utf-8")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
