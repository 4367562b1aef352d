"""A request as a server is sent it, and as it is sent again where the server rejects some of it.

Knows OpenAI's names for parameters and which of them an answer can be had without. Sends nothing itself.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import cast

from openai import APIStatusError

from core import pictures
from core.catalog.servers import Server
from core.errors import InvalidInput
from core.providers.openai_compatible.errors import code_of
from core.remote.json_schema import is_schema_error, json_schema
from core.remote.model import Prepared
from core.remote.partial_output import accepted
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

_NO_STREAM = re.compile(
    r"""['"`]stream['"`]|stream(ing)?\b[^.]{0,30}\bnot (be )?(support|allow|enabl|permit|avail)""", re.IGNORECASE
)
_NO_SYSTEM = re.compile(
    r"(system|developer)[ _-]?(role|message|prompt|instruction)s?\b[^.]{0,60}\b(not|un)[ -]?(be )?"
    r"(support|enabl|allow|permit|implement|avail)"
    r"|(not|un)[ -]?support\w*[^.]{0,30}\b(system|developer)[ _-]?(role|message|prompt|instruction)"
    r"|only user,? (and )?assistant( and tool)? roles",
    re.IGNORECASE,
)
"""What vLLM, llama.cpp and Google say of models, such as Gemma, whose chat template knows no system role."""


def prepared(request: Request, spec: ModelSpec, server: Server) -> Prepared[Body]:
    """A request as the server is sent it.

    Raises:
        InvalidInput: an image for a model that sees none or of an unknown kind; a schema that is no JSON object.
    """
    values, unused = accepted(request.parameters, spec)
    messages = request.messages if request.chat else [_joined(request)]
    body: Body = {
        "model": spec.source,
        "messages": [_message(message, spec) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **{name: value for pair in values.items() for name, value in _parameter(*pair, server).items()},
        **{name: request.seed for name in ("seed", "random_seed") if name in server.asks},
    }
    # Models that think give no probabilities, and refuse a request for them.
    if "logprobs" in server.asks and not any(row.name == "thinking" for row in spec.parameters):
        body["logprobs"] = True
    return Prepared(body, tuple(unused), () if request.chat else (NO_CONTINUATION,))


def without_rejected(request: Prepared[Body], error: Exception) -> Prepared[Body] | None:
    """The request without what the server rejected: what its error names, else everything that is not needed but the
    schema, without which the answer would be another one.

    A limit of new tokens is never left out, only called by its other name, nor a system message, only put into the
    first user's. None where leaving out cannot help, or nothing new is named.
    """
    if not isinstance(error, APIStatusError):
        return None
    body, words, param = request.body, _words(error.body), _param(error.body)
    if error.status_code in (400, 422, 500) and _NO_SYSTEM.search(words):
        return _with_system_in_user(request)
    if error.status_code not in (400, 422) or param.startswith(("messages", "model")) or _hopeless(body, error, words):
        return None
    length = next((name for name in LENGTHS if name in body), None)
    if length and (param == length or (not param and _named(words, [length]))):
        return None if _OUT_OF_RANGE.search(words) else _with_other_length(request, length)
    present = [name for name in OPTIONAL if name in body]
    named = [param] if param in OPTIONAL else _named(words, OPTIONAL)
    if request.rejected & set(named) and not set(named) & set(present):
        return None
    rejected = _enough_of([name for name in named if name in present], words)
    if not rejected and (param == "stream" or _NO_STREAM.search(words)):
        rejected = [name for name in ("stream", "stream_options") if name in body]
    return _without(request, rejected or [name for name in present if name != "response_format"])


def _hopeless(body: Body, error: APIStatusError, words: str) -> bool:
    """Whether no parameter is to blame, or one that must not be dropped: a schema that is wrong."""
    about_schema = "response_format" in body and is_schema_error(words)
    return about_schema or any(word in code_of(error.body) for word in _HOPELESS)


def _without(request: Prepared[Body], rejected: list[str]) -> Prepared[Body] | None:
    if not rejected:
        return None
    body = {name: value for name, value in request.body.items() if name not in rejected}
    return request.without(body, rejected, [OPTIONAL[name] for name in rejected if OPTIONAL.get(name)])


def _with_other_length(request: Prepared[Body], length: str) -> Prepared[Body] | None:
    other = LENGTHS[1 - LENGTHS.index(length)]
    if other in request.rejected:
        return None
    return request.without({other if name == length else name: value for name, value in request.body.items()}, [length])


def _with_system_in_user(request: Prepared[Body]) -> Prepared[Body] | None:
    """The system messages' text before the first user's, for models whose chat template knows no system role."""
    messages = cast(list[dict[str, object]], request.body["messages"])
    system = "\n\n".join(str(message["content"]) for message in messages if message["role"] == "system")
    others = [dict(message) for message in messages if message["role"] != "system"]
    if len(others) == len(messages):
        return None
    first = next((message for message in others if message["role"] == "user"), None)
    if first is None:
        others.insert(0, {"role": "user", "content": system})
    elif isinstance(content := first["content"], list):
        first["content"] = [{"type": "text", "text": system}, *content]
    else:
        first["content"] = f"{system}\n\n{content}"
    return request.without({**request.body, "messages": others}, ["system"])


def _enough_of(named: list[str], words: str) -> list[str]:
    """Claude: "temperature and top_p cannot both be specified": one of them is enough to leave out."""
    if {"temperature", "top_p"} <= set(named) and re.search(r"\b(both|only one)\b", words):
        return [name for name in named if name != "temperature"]
    return named


def _named(words: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if re.search(rf"(?<![a-z_]){name}(?![a-z_])", words)]


def _param(body: object) -> str:
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    param = inner.get("param") if isinstance(inner, Mapping) else None
    return re.split(r"[.\[]", param)[0] if isinstance(param, str) else ""


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
        schema = {"name": "answer", "schema": json_schema(value), "strict": False}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {name: list(value) if isinstance(value, tuple) else value}


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
