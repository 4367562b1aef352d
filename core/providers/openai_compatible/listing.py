"""A server's list of models: which of them generate text, and which see images as far as the list says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from core.catalog.servers import Server, with_vision
from core.catalog.traits import traits_of
from core.errors import Unreachable
from core.remote import errors

MAX_LISTED = 500
MAX_NAME = 120

_OTHER_MODELS = re.compile(
    r"embed|whisper|(^|[-_/])tts|dall-e|moderation|rerank|transcri|realtime|text-to-|gpt-image|sora|bge-", re.IGNORECASE
)
_VISION = frozenset({"vision", "image", "images", "image_input", "image-input", "multimodal", "vlm"})


def names_in(listing: object, server: Server) -> tuple[str, ...]:
    """The names of the models that generate text: OpenAI's newest first, others' in their order. Where the list says of
    a model's eyes what its name does not, its name says so too (core.catalog.servers.with_vision).

    Raises:
        Unreachable: it is no list of models.
    """
    rows = listing.get("data") if isinstance(listing, Mapping) else listing
    if not isinstance(rows, list):
        raise Unreachable(str(errors.format_error(server)))
    models = [row for row in rows if isinstance(row, Mapping) and _generates(row.get("id"))]
    if server.id == "openai":
        models.sort(key=_created, reverse=True)
    beside = {str(row.get("name") or row.get("model")): row for row in _rows_beside(listing)}
    names = (_named(server, row, beside.get(str(row["id"]), {})) for row in models)
    return tuple(dict.fromkeys(names))[:MAX_LISTED]


def sees_images(row: Mapping[str, object]) -> bool | None:
    """Whether a row of a list says that its model takes images; None where it does not say.

    Known: architecture.input_modalities or modality (OpenRouter, Hugging Face), input_modalities (xAI),
    supported_input_modalities (GitHub), modalities.input, capabilities as a list (llama.cpp, Ollama) or a mapping
    (Mistral, Anthropic), supports_vision and its like (litellm, Fireworks), type "vlm" (LM Studio).
    """
    for nested in (row, row.get("architecture"), row.get("modalities"), row.get("model_info"), row.get("meta")):
        if isinstance(nested, Mapping) and (answer := _inputs(nested)) is not None:
            return answer
    capabilities = row.get("capabilities")
    if isinstance(capabilities, Mapping):
        nested = capabilities.get("supports")
        return _flags(capabilities) if not isinstance(nested, Mapping) else _flags(nested)
    listed = [row.get(name) for name in ("capabilities", "features", "supported_features", "tags", "type")]
    return True if any(_VISION & _words(value) for value in listed) else None


def _inputs(row: Mapping[str, object]) -> bool | None:
    for name in ("input_modalities", "supported_input_modalities", "input"):
        if words := _words(row.get(name)):
            return bool(words & _VISION)
    if isinstance(modality := row.get("modality"), str) and "->" in modality:
        return bool(_words(modality.partition("->")[0].split("+")) & _VISION)
    return _flags(row)


def _flags(row: Mapping[str, object]) -> bool | None:
    names = ("vision", "image_input", "multimodal", "supports_vision", "supports_image_input", "supports_images")
    for name in names:
        value = row.get(name)
        if isinstance(value, Mapping):
            value = value.get("supported")
        if isinstance(value, bool):
            return value
    return None


def _words(value: object) -> set[str]:
    values = value if isinstance(value, list) else [value]
    return {word.strip().lower() for word in values if isinstance(word, str)}


def _rows_beside(listing: object) -> Iterator[Mapping[str, object]]:
    """llama.cpp's list says more of each model under "models", beside OpenAI's "data"."""
    rows = listing.get("models") if isinstance(listing, Mapping) else None
    if isinstance(rows, list):
        yield from (row for row in rows if isinstance(row, Mapping))


def _named(server: Server, row: Mapping[str, object], beside: Mapping[str, object]) -> str:
    name = str(row["id"])
    sees = sees_images(row)
    sees = sees_images(beside) if sees is None else sees
    return name if sees is None or sees == traits_of(server, name).sees else with_vision(name, sees)


def _generates(name: object) -> bool:
    fits = isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= MAX_NAME
    return bool(fits) and not _OTHER_MODELS.search(str(name))


def _created(row: Mapping[str, object]) -> float:
    created = row.get("created")
    return float(created) if isinstance(created, int | float) else 0.0
