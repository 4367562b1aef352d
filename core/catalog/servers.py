"""The servers that answer for remote models: one row each. Adding a server is adding a row.

A remote model's id is `server:name`, such as `gemini:gemini-flash-latest`; of a server that a visitor named,
`custom:name@https://host/v1`. Where a server's list, or a person, knows better than the name whether a model sees
images, the name ends in `#vision` or `#text`, so that whoever is handed the id knows it too: `ollama:my-model#vision`.
Nothing here knows how a server is spoken to; its provider does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import UnknownModel

CUSTOM = "custom"
MAX_ID = 200

VISION, TEXT = "#vision", "#text"

_NOT_IN_A_NAME = ("?", "#", "%", "..")
"""Some servers take the model's name as a part of the path: it must not lead to another one, at the key's expense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A place that models are called at.

    `base_url` is all but the endpoint's own path; `models` are offered before the server was asked for its list;
    `local` ones listen on the machine that runs Diptych and need no key. `length` is what the server calls the
    limit of new tokens; `asks` are optional parameters it takes besides temperature, top_p, stop and that limit.
    `successors` are (pattern of a model's name, the model in its place) for models that their `maker` shut down.
    """

    id: str
    name: str
    provider: Literal["gemini", "openai_compatible"]
    base_url: str
    models: tuple[str, ...] = ()
    key_page: str = ""
    local: bool = False
    length: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    asks: frozenset[str] = frozenset({"seed", "logprobs"})
    note: str = ""
    maker: str = ""
    successors: tuple[tuple[str, str], ...] = ()

    @property
    def needs_key(self) -> bool:
        return not self.local


_GOOGLE_SHUT_DOWN = (
    (r"gemini-2\.0|gemini-1\.", "gemini-3.5-flash-lite"),
    (r"gemini-2\.5-pro", "gemini-3.8-flash"),
    (r"gemini-2\.5-flash$", "gemini-3.5-flash-lite"),
    (r"gemini-2\.5-flash-image|gemini-3\.1-flash-image-preview|imagen", "gemini-3.1-flash-image"),
    (r"gemini-3-pro-image-preview", "gemini-3-pro-image"),
    (r"gemini-3-pro-preview", "gemini-3.8-flash"),
)
"""Models of Google's that are gone, and what it points to (ai.google.dev, deprecations, November 2026)."""

SERVERS: tuple[Server, ...] = (
    Server(
        id="gemini",
        name="Google Gemini",
        provider="gemini",
        base_url="https://generativelanguage.googleapis.com",
        models=("gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-4-hydrogen", "gemini-flash-latest"),
        key_page="https://aistudio.google.com/apikey",
        asks=frozenset({"seed", "top_k", "thinking", "json_schema"}),
        maker="Google",
        successors=_GOOGLE_SHUT_DOWN,
    ),
    Server(
        id="openai",
        name="OpenAI",
        provider="openai_compatible",
        base_url="https://api.openai.com/v1",
        models=("gpt-6-luna", "gpt-6.2-sol", "gpt-5.4-mini", "gpt-4.1-mini"),
        key_page="https://platform.openai.com/api-keys",
        length="max_completion_tokens",
        asks=frozenset({"seed", "logprobs", "json_schema", "thinking"}),
    ),
    Server(
        id="anthropic",
        name="Anthropic (Claude)",
        provider="openai_compatible",
        base_url="https://api.anthropic.com/v1",
        models=("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5"),
        key_page="https://console.anthropic.com/settings/keys",
        asks=frozenset(),
        note="Anthropic offers this interface for comparing models; system messages are gathered at the start.",
    ),
    Server(
        id="mistral",
        name="Mistral",
        provider="openai_compatible",
        base_url="https://api.mistral.ai/v1",
        models=("mistral-small-latest", "mistral-large-latest"),
        key_page="https://console.mistral.ai/api-keys",
        asks=frozenset({"random_seed", "json_schema"}),
    ),
    Server(
        id="groq",
        name="Groq",
        provider="openai_compatible",
        base_url="https://api.groq.com/openai/v1",
        models=("openai/gpt-oss-120b", "openai/gpt-oss-20b"),
        key_page="https://console.groq.com/keys",
        asks=frozenset({"seed", "json_schema"}),
    ),
    Server(
        id="openrouter",
        name="OpenRouter",
        provider="openai_compatible",
        base_url="https://openrouter.ai/api/v1",
        models=("meta-llama/llama-3.3-70b-instruct", "mistralai/mistral-small-3.2-24b-instruct"),
        key_page="https://openrouter.ai/settings/keys",
        asks=frozenset({"seed", "logprobs", "top_k", "min_p", "repetition_penalty", "json_schema"}),
    ),
    Server(
        id="huggingface",
        name="Hugging Face Inference Providers",
        provider="openai_compatible",
        base_url="https://router.huggingface.co/v1",
        models=("meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen2.5-7B-Instruct", "mistralai/Mistral-7B-Instruct-v0.3"),
        key_page="https://huggingface.co/settings/tokens",
        asks=frozenset({"seed", "logprobs"}),
    ),
    Server(
        id="ollama",
        name="Ollama",
        provider="openai_compatible",
        base_url="http://localhost:11434/v1",
        local=True,
        asks=frozenset({"seed", "json_schema"}),
    ),
    Server(
        id="vllm",
        name="vLLM",
        provider="openai_compatible",
        base_url="http://localhost:8000/v1",
        local=True,
        asks=frozenset({"seed", "logprobs", "top_k", "min_p", "repetition_penalty", "json_schema"}),
    ),
    Server(
        id="llamacpp",
        name="llama.cpp",
        provider="openai_compatible",
        base_url="http://localhost:8080/v1",
        local=True,
        asks=frozenset({"seed", "logprobs", "top_k", "min_p", "json_schema"}),
    ),
    Server(
        id="lmstudio",
        name="LM Studio",
        provider="openai_compatible",
        base_url="http://localhost:1234/v1",
        local=True,
        asks=frozenset({"seed", "top_k", "json_schema"}),
    ),
    Server(
        id="transformers",
        name="transformers serve",
        provider="openai_compatible",
        base_url="http://localhost:8000/v1",
        local=True,
        asks=frozenset({"seed"}),
    ),
)


def server(server_id: str) -> Server:
    """The row with this id.

    Raises:
        UnknownModel: no row has it; the message lists those that exist.
    """
    for row in SERVERS:
        if row.id == server_id:
            return row
    ids = ", ".join(row.id for row in SERVERS)
    raise UnknownModel(f"There is no server '{server_id[:40]}' here. Choose one of: {ids}.")


def custom(base_url: str) -> Server:
    """The row of a server that a visitor named. Whether it may be called is decided where a connection is made."""
    return Server(id=f"{CUSTOM}@{base_url}", name=base_url, provider="openai_compatible", base_url=base_url)


def with_vision(name: str, sees: bool | None) -> str:
    """A model's name that says whether the model sees images; None: it says nothing of it."""
    return bare(name) + ("" if sees is None else VISION if sees else TEXT)


def vision(name: str) -> bool | None:
    """What a name says of whether its model sees images; None where it says nothing."""
    return True if name.endswith(VISION) else False if name.endswith(TEXT) else None


def bare(name: str) -> str:
    """A model's name as its server knows it."""
    return next((name.removesuffix(end) for end in (VISION, TEXT) if name.endswith(end)), name)


def parts(model_id: str) -> tuple[Server, str]:
    """A remote model's server and its name there, with what the name says of images.

    Raises:
        UnknownModel: not of the form `server:name`, too long, of no known server, or with signs that no name has.
    """
    server_id, colon, name = model_id.partition(":")
    named = bare(name.partition("@http")[0] if server_id == CUSTOM else name)
    printable = model_id.isprintable() and not any(sign in named for sign in _NOT_IN_A_NAME)
    if not colon or not named.strip() or len(model_id) > MAX_ID or not printable:
        raise UnknownModel(f"There is no model '{model_id[:40]}' here. A remote model is written as server:name.")
    if server_id != CUSTOM:
        return server(server_id), name
    name, at, base_url = name.partition("@http")
    if not at or not name:
        raise UnknownModel("A model of your own server is written as custom:name@https://host/v1.")
    return custom("http" + base_url), name
