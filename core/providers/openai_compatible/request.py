"""A request as a server is sent it, and as it is sent once more where the server refuses some of it.

Knows OpenAI's names for things and which of them an answer can be had without. Sends nothing itself.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from openai import APIStatusError

from core import pictures
from core.catalog.servers import Server
from core.errors import InvalidInput
from core.providers.openai_compatible.errors import code_of
from core.remote.partial_output import unused, wanted
from core.text import clean
from core.types import Message, ModelSpec, Request, Value

Body = dict[str, object]

OPTIONAL: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repetition_penalty": "repetition_penalty",
    "stop": "stop",
    "reasoning_effort": "thinking",
    "response_format": "json_schema",
    "seed": "the seed",
    "random_seed": "the seed",
    "logprobs": "",
    "stream_options": "",
}
"""What an answer can be had without, and how a visitor knows it ('': not at all)."""

LENGTHS = ("max_tokens", "max_completion_tokens")

NO_CONTINUATION = "sent as a message: this server has no plain continuation"

_HOPELESS = ("context_length", "content_filter", "content_policy", "model_not_found", "invalid_api_key", "image")
_OUT_OF_RANGE = re.compile(r"too (large|high|big|many)|at most|maximum|exceed|less than|greater than", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Again:
    """A second body, and notes on what it leaves out."""

    body: Body
    notes: list[str]


def asked(request: Request, spec: ModelSpec, server: Server) -> tuple[Body, list[str]]:
    """(the body of the request, notes on what of it the model is not asked).

    Raises:
        InvalidInput: an image for a model that sees none or of an unknown kind; a schema that is no JSON object.
    """
    values, others = wanted(request.parameters, spec)
    notes = [unused(others)] if others else []
    if not request.chat:
        notes.append(NO_CONTINUATION)
    body: Body = {
        "model": spec.source,
        "messages": [_message(message, spec) for message in (request.messages if request.chat else [_joined(request)])],
        "stream": True,
        "stream_options": {"include_usage": True},
        **{name: value for wire in values.items() for name, value in _parameter(*wire, server).items()},
        **{name: request.seed for name in ("seed", "random_seed") if name in server.asks},
    }
    # Models that think give no probabilities, and refuse a request for them.
    if "logprobs" in server.asks and not any(row.name == "thinking" for row in spec.parameters):
        body["logprobs"] = True
    return body, notes


def lighter(body: Body, error: APIStatusError) -> Again | None:
    """The body without what the server refused: what its error names, else everything that is not needed.

    A limit of new tokens is never left out, only called by its other name. None where leaving out cannot help.
    """
    if error.status_code not in (400, 422) or any(word in code_of(error.body) for word in _HOPELESS):
        return None
    param, words = _param(error.body), _words(error.body)
    if param.startswith(("messages", "model")):
        return None
    length = next((name for name in LENGTHS if name in body), None)
    if length and (param == length or (not param and _named(words, [length]))):
        if _OUT_OF_RANGE.search(words):
            return None
        return Again({_other(length) if name == length else name: body[name] for name in body}, [])
    present = [name for name in OPTIONAL if name in body]
    refused = [param] if param in present else _refused(words, present)
    return _without(body, refused or present) if present else None


def _without(body: Body, refused: list[str]) -> Again:
    known = [OPTIONAL[name] for name in refused if OPTIONAL[name]]
    kept = {name: body[name] for name in body if name not in refused}
    return Again(kept, [unused(known)] if known else [])


def _refused(words: str, present: list[str]) -> list[str]:
    found = _named(words, present)
    # Claude: "temperature and top_p cannot both be specified": one of them is enough to leave out.
    if {"temperature", "top_p"} <= set(found) and re.search(r"\b(both|only one)\b", words):
        found.remove("temperature")
    return found


def _named(words: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if re.search(rf"(?<![a-z_]){name}(?![a-z_])", words)]


def _other(length: str) -> str:
    return LENGTHS[1 - LENGTHS.index(length)]


def _param(body: object) -> str:
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    found = inner.get("param") if isinstance(inner, Mapping) else None
    return re.split(r"[.\[]", found)[0] if isinstance(found, str) else ""


def _words(body: object) -> str:
    """What an error says, with the places that it points at (FastAPI's `detail`, a list of loc and msg)."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return " ".join(_words(row) for row in body[:20])
    if isinstance(body, Mapping):
        return " ".join(_words(body[name]) for name in ("error", "message", "detail", "msg", "loc") if name in body)
    return ""


def _parameter(name: str, value: Value, server: Server) -> Body:
    if name == "max_new_tokens":
        return {server.length: value}
    if name == "thinking":
        return {"reasoning_effort": value}
    if name == "json_schema":
        schema = {"name": "answer", "schema": _schema(value), "strict": False}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {name: list(value) if isinstance(value, tuple) else value}


def _schema(text: Value) -> dict[str, object]:
    try:
        schema = json.loads(str(text))
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        raise InvalidInput('The JSON schema must be a JSON object, such as {"type": "object"}. Correct or empty it.')
    return schema


def _joined(request: Request) -> Message:
    text = "\n\n".join(message.text for message in request.messages)
    return Message("user", text, tuple(image for message in request.messages for image in message.images))


def _message(message: Message, spec: ModelSpec) -> Body:
    text = clean(message.text)
    if not message.images:
        return {"role": message.role, "content": text}
    if not spec.sees:
        raise InvalidInput(f"{spec.name} does not see images. Take them out, or choose a model that does.")
    images = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in message.images]
    return {"role": message.role, "content": [{"type": "text", "text": text}, *images]}


def _data_url(image: bytes) -> str:
    kind = pictures.mime(image)
    if not kind:
        raise InvalidInput("An image is neither PNG, JPEG nor WebP. Save it as one of these.")
    return f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"
