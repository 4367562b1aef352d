"""The texts inside a PNG file: written beside its pixels, and read back without decoding a single one.

A file that is dropped here is a stranger's. Its size and its pixels are judged from the header, and only a text that is
asked for is unpacked, up to a bound. Format: W3C, "Portable Network Graphics", third edition, §5 and §11.3.3.
"""

from __future__ import annotations

import codecs
import struct
import zlib
from collections.abc import Iterator, Mapping
from itertools import pairwise

from core import pictures
from core.errors import InvalidInput

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT = 100_000
"""Bytes of one text, packed or unpacked, unless its reader expects more."""

MAX_CHUNKS = 20_000
MAX_SAME = 20
"""Texts of one name that are compared."""

_HEADER = 13
_END = len(SIGNATURE) + 12 + _HEADER  # where the header chunk ends


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
    added = b"".join(_chunk(*_packed(keyword, text)) for keyword, text in texts.items())
    return picture[:_END] + added + picture[_END:]


class Texts:
    """The texts of a PNG file. None is judged or unpacked before it is asked for.

    Raises:
        InvalidInput: too many bytes, pixels or chunks, not a PNG file, or cut off.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > pictures.MAX_BYTES:
            mb = len(data) / 1e6
            raise InvalidInput(f"The file has {mb:.1f} MB; at most {pictures.MAX_BYTES / 1e6:.0f} are read.")
        width, height = size(data)
        if not 0 < width * height <= pictures.MAX_PIXELS:
            raise InvalidInput(f"The image has {width} x {height} pixels; at most 24 million are taken.")
        self._chunks: dict[str, list[tuple[bytes, bytes, int]]] = {}
        for kind, body, checksum in _text_chunks(data):
            keyword = body[:80].partition(b"\0")[0].decode("latin-1")
            self._chunks.setdefault(keyword, []).append((kind, body, checksum))

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names of all texts, in the file's order."""
        return tuple(self._chunks)

    def get(self, keyword: str, most: int = MAX_TEXT) -> str | None:
        """The text of this name; None where there is none. It may be there several times, if it says the same.

        Raises:
            InvalidInput: it is broken, has over `most` bytes, or is there twice with different words.
        """
        chunks = self._chunks.get(keyword)
        if chunks is None:
            return None
        texts = [_text(kind, body, checksum, keyword, most) for kind, body, checksum in chunks[:MAX_SAME]]
        if len(chunks) > MAX_SAME or any(one != other for one, other in pairwise(texts)):
            raise InvalidInput(f"The file has its '{keyword}' twice, so it is not known which is meant.")
        return texts[0]


def _text_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, body and checksum of each chunk with a text, up to the end."""
    start = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if start + 12 > len(data):
            break
        length, kind = struct.unpack(">I4s", data[start : start + 8])
        end = start + 12 + length
        if kind == b"IEND":
            return
        if end > len(data):
            break
        if kind in _READERS:
            yield kind, data[start + 8 : end - 4], struct.unpack(">I", data[end - 4 : end])[0]
        start = end
    else:
        raise InvalidInput(f"The PNG file has over {MAX_CHUNKS} parts. Save it anew.")
    raise InvalidInput("The PNG file is cut off. Use the file as it was saved.")


def _text(kind: bytes, body: bytes, checksum: int, keyword: str, most: int) -> str:
    head = len(keyword) + 1  # Latin-1, a byte each, and a NUL
    if len(body) - head > most:
        raise InvalidInput(f"The '{keyword}' in the file has over {most // 1000} kB; settings are shorter.")
    try:
        if zlib.crc32(kind + body) != checksum:
            raise ValueError("the checksum is wrong")
        return _READERS[kind](body[head:], most)
    except (ValueError, IndexError, zlib.error):
        raise InvalidInput("The PNG file is broken: its text cannot be read. Use the file as it was saved.") from None


def _plain(body: bytes, most: int) -> str:
    return _decoded(body)


def _compressed(body: bytes, most: int) -> str:
    return _decoded(_unpacked(body[0], body[1:], most))


def _international(body: bytes, most: int) -> str:
    flag, method = body[0], body[1]
    _language, _translated, text = body[2:].split(b"\0", 2)
    return (_unpacked(method, text, most) if flag else text).decode("utf-8-sig")


def _decoded(text: bytes) -> str:
    """Latin-1 says the standard, but most tools write UTF-8; what can be read as that, is. A byte order mark says which
    Unicode it is, and is no part of the text."""
    try:
        if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(text) % 2 == 0 and b"\0" in text:
            return text.decode("utf-16")
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _unpacked(method: int, packed: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, most + 1) if method == 0 else b""
    if len(text) > most:
        raise InvalidInput(f"A text in the file unpacks to over {most // 1000} kB; settings are shorter.")
    if not unpacker.eof:
        raise ValueError("the packed text does not end")
    return text


_READERS = {b"tEXt": _plain, b"zTXt": _compressed, b"iTXt": _international}


def _packed(keyword: str, text: str) -> tuple[bytes, bytes]:
    name = keyword.encode("latin-1") + b"\0"
    try:
        latin = text.encode("latin-1")
    except UnicodeEncodeError:
        latin = b""
    if _decoded(latin) == text:
        return b"tEXt", name + latin
    return b"iTXt", name + b"\0\0\0\0" + text.encode("utf-8")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
