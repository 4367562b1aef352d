"""What Gemini is asked, in neither SDK's words, and what it is asked again where it rejects some of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from core import pictures
from core.errors import InvalidInput, UnknownModel
from core.remote.json_schema import json_schema
from core.remote.model import Prepared
from core.remote.partial_output import accepted
from core.text import clean
from core.types import Message, ModelSpec, Request, Value

MAX_STOPS = 5

MAX_SEED = 2**31
"""Google's seeds are signed 32-bit integers."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation; images are (mime type, bytes)."""

    role: Literal["user", "model"]
    text: str
    images: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiRequest:
    """What the server is asked. `parameters` have their names of core.catalog.parameters, the seed among them;
    `schema` is the JSON schema read."""

    model: str
    system: str
    turns: tuple[Turn, ...]
    parameters: Mapping[str, Value]
    schema: Mapping[str, object] | None = None
    draws: bool = False

    def without(self, names: Iterable[str]) -> GeminiRequest:
        """The same, less some optional parameters."""
        left_out = set(names)
        parameters = {name: value for name, value in self.parameters.items() if name not in left_out}
        return replace(self, parameters=parameters, schema=None if "json_schema" in left_out else self.schema)

    def with_system_in_turn(self) -> GeminiRequest:
        """The same, with the system's text before the first user turn's, for models that take no system instruction."""
        first = next((number for number, turn in enumerate(self.turns) if turn.role == "user"), None)
        turns = list(self.turns)
        if first is None:
            turns.insert(0, Turn("user", self.system))
        else:
            turns[first] = replace(turns[first], text=f"{self.system}\n\n{turns[first].text}")
        return replace(self, system="", turns=tuple(turns))


def prepared(request: Request, spec: ModelSpec) -> Prepared[GeminiRequest]:
    """A request in Google's terms.

    Raises:
        InvalidInput: too many stop strings, a schema that is none, images that cannot be sent, or no message at all.
    """
    parameters, unused = accepted(request.parameters, spec)
    stops = parameters.get("stop") or ()
    if isinstance(stops, tuple) and len(stops) > MAX_STOPS:
        raise InvalidInput(f"Gemini takes at most {MAX_STOPS} stop strings; these are {len(stops)}. Leave some out.")
    turns = tuple(_turns(request, spec))
    if not turns:
        raise InvalidInput("There is only a system message. Write a message to answer, too.")
    body = GeminiRequest(
        model=spec.source,
        system="\n\n".join(clean(one.text) for one in _system(request)),
        turns=turns,
        parameters=parameters | {"seed": request.seed % MAX_SEED},
        schema=json_schema(parameters["json_schema"]) if "json_schema" in parameters else None,
        draws=spec.draws,
    )
    return Prepared(body, tuple(unused))


def check_name(spec: ModelSpec) -> None:
    """Refuse a name that would change the URL.

    Raises:
        UnknownModel: it cannot be the name of a model.
    """
    if not _NAME.fullmatch(spec.source) or ".." in spec.source:
        raise UnknownModel(f"'{clean(spec.source)[:40]}' cannot be a model of Gemini. Choose one from its list.")


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
