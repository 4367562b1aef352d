"""What Gemini is asked, in neither SDK's words: a provider translates an Ask into its SDK's call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from core import pictures
from core.errors import InvalidInput, UnknownModel
from core.remote.partial_output import wanted
from core.text import clean
from core.types import Message, ModelSpec, Request, Value

MAX_STOPS = 5

MAX_SEED = 2**31
"""Google's seeds are signed 32-bit integers."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a talk; images are (mime type, bytes)."""

    role: Literal["user", "model"]
    text: str
    images: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What the server is asked. `parameters` have their names of core.catalog.parameters, the seed among them;
    `schema` is the JSON schema read; `unused` names what was set and is not sent; `notes` are for the answer."""

    model: str
    system: str
    turns: tuple[Turn, ...]
    parameters: Mapping[str, Value]
    schema: Mapping[str, object] | None = None
    draws: bool = False
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def without(self, names: Iterable[str]) -> Ask:
        """The same, less some optional parameters."""
        gone = set(names)
        kept = {name: value for name, value in self.parameters.items() if name not in gone}
        schema = None if "json_schema" in gone else self.schema
        return replace(self, parameters=kept, schema=schema, unused=tuple(sorted({*self.unused, *gone})))

    def silently_without(self, name: str, note: str) -> Ask:
        """The same, less a parameter that nobody set by hand; the note says so instead."""
        kept = {known: value for known, value in self.parameters.items() if known != name}
        return replace(self, parameters=kept, notes=(*self.notes, note))


def asked(request: Request, spec: ModelSpec) -> Ask:
    """A request in Google's terms.

    Raises:
        InvalidInput: too many stop strings, a schema that is none, images that cannot be sent, or no message at all.
    """
    parameters, unused = wanted(request.parameters, spec)
    stops = parameters.get("stop") or ()
    if isinstance(stops, tuple) and len(stops) > MAX_STOPS:
        raise InvalidInput(f"Gemini takes at most {MAX_STOPS} stop strings; these are {len(stops)}. Leave some out.")
    turns = tuple(_turns(request, spec))
    if not turns:
        raise InvalidInput("There is only a system message. Write a message to answer, too.")
    return Ask(
        model=spec.source,
        system="\n\n".join(clean(one.text) for one in _system(request)),
        turns=turns,
        parameters=parameters | {"seed": request.seed % MAX_SEED},
        schema=_schema(parameters["json_schema"]) if "json_schema" in parameters else None,
        draws=spec.draws,
        unused=tuple(unused),
    )


def name_checked(spec: ModelSpec) -> str:
    """The model's name as a URL may hold it.

    Raises:
        UnknownModel: it cannot be the name of a model.
    """
    if not _NAME.fullmatch(spec.source) or ".." in spec.source:
        raise UnknownModel(f"'{clean(spec.source)[:40]}' cannot be a model of Gemini. Choose one from its list.")
    return spec.source


_NAME = re.compile(r"(?:models/|tunedModels/)?[\w.-]{1,120}", re.ASCII)


def _system(request: Request) -> list[Message]:
    return [one for one in request.messages if one.role == "system" and one.text] if request.chat else []


def _turns(request: Request, spec: ModelSpec) -> Iterator[Turn]:
    if not request.chat:
        images = tuple(image for one in request.messages for image in one.images)
        text = "\n\n".join(one.text for one in request.messages)
        yield Turn("user", clean(text), _images(images, spec))
        return
    for one in request.messages:
        if one.role != "system":
            yield Turn("user" if one.role == "user" else "model", clean(one.text), _images(one.images, spec))


def _images(images: tuple[bytes, ...], spec: ModelSpec) -> tuple[tuple[str, bytes], ...]:
    if images and not spec.sees:
        raise InvalidInput(f"{spec.name} does not see images. Leave them out, or choose a model that does.")
    if not all(pictures.mime(image) for image in images):
        raise InvalidInput("An image is neither PNG nor JPEG nor WebP. Save it as one of these.")
    return tuple((pictures.mime(image), image) for image in images)


def _schema(text: Value) -> Mapping[str, object]:
    try:
        found = json.loads(str(text))
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError):
        raise InvalidInput("The JSON schema is not JSON. Check its quotes, commas and braces.") from None
    if not isinstance(found, dict):
        raise InvalidInput('The JSON schema must be an object, such as {"type": "object"}.')
    return found
