"""The servers of remote models: one row each. Adding a server is adding a row.

A remote model's id is `server:name`, such as `gemini:gemini-flash-latest`; on a server that a visitor named,
`custom:name@https://host/v1`. The suffix `#vision` or `#text` overrides what the name suggests about image input, as a
server's list or a person says: `ollama:my-model#vision`. Knows no protocol; the providers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import UnknownModel

CUSTOM = "custom"
MAX_ID = 200

VISION, TEXT = "#vision", "#text"

_NOT_IN_A_NAME = ("?", "#", "%", "..")
"""Some servers take the model's name in the URL's path: it must not lead to another endpoint with the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers for models.

    `base_url` is the URL without the endpoint's path; `models` are offered until the server's list is fetched; a
    `local` server listens on the machine that runs Diptych and needs no key. `length` is the server's name for the
    limit of new tokens; `asks` are the optional parameters it takes besides temperature, top_p, stop and that limit.
    `successors` are (pattern of a model's name, its replacement) for models that their `maker` shut down.
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
"""Google's retired models and their replacements (ai.google.dev, deprecations, November 2026)."""

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
        UnknownModel: no row has it; the message lists the rows.
    """
    for row in SERVERS:
        if row.id == server_id:
            return row
    ids = ", ".join(row.id for row in SERVERS)
    raise UnknownModel(f"There is no server '{server_id[:40]}' here. Choose one of: {ids}.")


def custom(base_url: str) -> Server:
    """The row of a server that a visitor named. The provider decides at connection time whether it may be called."""
    return Server(id=f"{CUSTOM}@{base_url}", name=base_url, provider="openai_compatible", base_url=base_url)


def with_vision(name: str, sees: bool | None) -> str:
    """A model's name with the suffix for `sees`; None gives the bare name."""
    return bare(name) + ("" if sees is None else VISION if sees else TEXT)


def vision(name: str) -> bool | None:
    """Whether the model sees images, by the suffix of its name; None without a suffix."""
    return True if name.endswith(VISION) else False if name.endswith(TEXT) else None


def bare(name: str) -> str:
    """A model's name without suffix, as its server knows it."""
    return next((name.removesuffix(end) for end in (VISION, TEXT) if name.endswith(end)), name)


def parts(model_id: str) -> tuple[Server, str]:
    """(a remote model's server, its name there with any suffix).

    Raises:
        UnknownModel: not of the form `server:name`, too long, of an unknown server, or with invalid characters.
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
