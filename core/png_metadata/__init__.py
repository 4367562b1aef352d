"""What an image was made of, written into its PNG file, and read back from a file that a stranger may have written.

A file carries two texts: `parameters`, in the form that AUTOMATIC1111's web UI made common and most image tools read,
and `diptych`, the whole recipe as JSON. Neither holds who made the image, a key or a path. `chunks` knows the file,
`infotext` the common form, `fitting` what of a recipe a model here can take.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from core.errors import InvalidInput
from core.png_metadata import chunks, infotext
from core.png_metadata.settings import MAX_PROMPT, MAX_SEED, NUMBERS, WORDS, ImageSettings
from core.text import clean

__all__ = ["ImageSettings", "as_json", "read", "write"]

FORMAT = "diptych-image"
VERSION = 1
_COMMON, _OWN = "parameters", "diptych"
_NOTHING = (
    "This PNG file holds no settings. Drop one that Diptych or another image tool saved; "
    "messengers and web sites often take the settings out."
)


def write(picture: bytes, recipe: ImageSettings) -> bytes:
    """The PNG file with its recipe; its pixels stay as they are. What is no PNG file comes back unchanged."""
    if not picture.startswith(chunks.SIGNATURE):
        return picture
    return chunks.write(picture, {_COMMON: infotext.write(recipe, chunks.size(picture)), _OWN: as_json(recipe)})


def as_json(recipe: ImageSettings) -> str:
    """The recipe as JSON, as `read` takes it."""
    told = {
        "format": FORMAT,
        "version": VERSION,
        "prompt": recipe.prompt,
        "negative_prompt": recipe.negative_prompt,
        "parameters": dict(recipe.parameters),
        "seed": recipe.seed,
        "model": recipe.model,
        "source": recipe.source,
        "revision": recipe.revision,
        "versions": dict(recipe.versions),
    }
    return clean(json.dumps(told, ensure_ascii=False, allow_nan=False))


def read(data: bytes) -> ImageSettings:
    """The recipe in a PNG file: Diptych's own where it is there, else what another tool wrote.

    Raises:
        InvalidInput: no PNG file, too large, broken, without settings, or with a field that is wrong; says which.
    """
    texts = chunks.read(data, (_COMMON, _OWN))
    if _OWN in texts:
        return _recipe(texts[_OWN])
    if texts.get(_COMMON, "").strip():
        return infotext.read(texts[_COMMON])
    raise InvalidInput(_NOTHING)


def _recipe(text: str) -> ImageSettings:
    try:
        table = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidInput("The settings in the file are not JSON. Use the file as it was saved.") from None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise InvalidInput("The settings in the file are not those of an image. Use the file as it was saved.")
    version = _whole("version", table.get("version"))
    if version > VERSION:
        raise InvalidInput(f"The file's settings are of format {version}; this Diptych reads up to {VERSION}.")
    return ImageSettings(**{name: read(name, table[name]) for name, read in _FIELDS.items() if name in table})


def _text(most: int) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise _wrong(name, "text")
        if len(value) > most:
            raise _wrong(name, f"at most {most} characters long")
        return clean(value)

    return read


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SEED:
        raise _wrong(name, f"a whole number from 0 to {MAX_SEED}")
    return value


def _parameters(name: str, value: object) -> Mapping[str, str | int | float]:
    """Those that an image has; anything else in the table is left where it is."""
    table = _table(name, value)
    numbers = {one: _number(one, table[one]) for one in NUMBERS if one in table}
    return numbers | {one: _text(100)(one, table[one]) for one in WORDS if one in table}


def _number(name: str, value: object) -> int | float:
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_SEED
    if whole or (isinstance(value, float) and math.isfinite(value)):
        return value  # type: ignore[return-value]
    raise _wrong(name, "a number")


def _versions(name: str, value: object) -> Mapping[str, str]:
    table = _table(name, value)
    if len(table) > 20:
        raise _wrong(name, "a table of at most 20 names")
    return {_text(40)(name, key): _text(100)(name, entry) for key, entry in table.items()}


def _table(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name, "a table of named fields")
    return value


def _wrong(name: str, wanted: str) -> InvalidInput:
    return InvalidInput(f"In the file's settings '{name}' must be {wanted}.")


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_FIELDS: dict[str, Callable[[str, object], Any]] = {
    "prompt": _text(MAX_PROMPT),
    "negative_prompt": _text(MAX_PROMPT),
    "parameters": _parameters,
    "seed": _whole,
    "model": _text(200),
    "source": _text(200),
    "revision": _text(200),
    "versions": _versions,
}
