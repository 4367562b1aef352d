"""What is known of remote models by their names: which controls they take, and whether they see or draw.

Makers change this oftener than we can; a row that is wrong costs one more request, because what a server refuses is
left out and asked again. Patterns are matched at the start of the name after the last slash; the first row that fits
counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.catalog.servers import Server

_SAMPLING = frozenset({"max_new_tokens", "temperature", "top_p", "stop"})
_OPTIONAL = frozenset({"top_k", "min_p", "repetition_penalty", "thinking", "json_schema"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Names of parameters are those of core.catalog.parameters. `without` is not sent to this family, `ignores` is
    taken by it and not used; `thinking` are the levels it knows."""

    sees: bool = False
    draws: bool = False
    thinking: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    ignores: frozenset[str] = frozenset()
    takes: frozenset[str] = _SAMPLING
    summary: str = ""


_SAMPLED = frozenset({"temperature", "top_p", "top_k"})

# Google: "temperature, top_p and top_k are deprecated" (Gemini API changelog, 2026-07-21); Gemini 4 ignores them. Which
# levels of thinking a model knows: ai.google.dev and docs.cloud.google.com, the models' own guides, November 2026.
# OpenAI: reasoning models take no sampling parameters and no stop strings (platform.openai.com, reasoning guide).
# Anthropic: from Opus 4.7 on, sampling parameters are answered with 400 (platform.claude.com, migration guides).
FAMILIES: dict[str, tuple[tuple[str, Traits], ...]] = {
    "gemini": (
        (r"gemini-.*image", Traits(sees=True, draws=True, summary="Draws and edits images")),
        (
            r"gemini-4-(hydrogen|neon)",
            Traits(sees=True, thinking=("low", "medium", "high", "xhigh"), ignores=_SAMPLED),
        ),
        (r"gemini-4", Traits(sees=True, thinking=("low", "medium", "high"), ignores=_SAMPLED)),
        (
            r"gemini-3\.([15]-flash-lite|6-flash)",
            Traits(sees=True, thinking=("minimal", "low", "medium", "high")),
        ),
        (r"gemini-2", Traits(sees=True)),
        (r"gemini", Traits(sees=True, thinking=("low", "medium", "high"))),
        (r"", Traits()),
    ),
    "openai": (
        (
            r"gpt-(5\.6|[6-9])",
            Traits(sees=True, thinking=("low", "medium", "high", "xhigh", "max"), without=_SAMPLED | {"stop"}),
        ),
        (r"(gpt-5|o\d)", Traits(sees=True, thinking=("low", "medium", "high"), without=_SAMPLED | {"stop"})),
        (r"(gpt-4o|gpt-4\.1|gpt-4-turbo|chatgpt-4o)", Traits(sees=True)),
        (r"", Traits()),
    ),
    "anthropic": (
        (r"claude-(fable|mythos|(opus|sonnet|haiku)-[5-9]|opus-4-[78])", Traits(sees=True, without=_SAMPLED)),
        (r"", Traits(sees=True)),
    ),
    "mistral": ((r"(pixtral|mistral-(small|medium|large)|ministral)", Traits(sees=True)), (r"", Traits())),
}
_ANYWHERE: tuple[tuple[str, Traits], ...] = (
    (
        r"(gpt-4o|gpt-4\.1|gpt-[5-9]|claude|gemini|gemma-[34]|llava|pixtral|qwen[\d.]*-?vl|llama-?4|.*vision)",
        Traits(sees=True),
    ),
    (r"", Traits()),
)


def traits_of(server: Server, name: str) -> Traits:
    """What is known of a model of this name on this server."""
    bare = name.rsplit("/", 1)[-1].lower()
    rows = FAMILIES.get(server.id, _ANYWHERE)
    found = next(traits for pattern, traits in rows if re.match(pattern, bare))
    takes = _SAMPLING | (server.asks & _OPTIONAL)
    if not found.thinking:
        takes -= {"thinking"}
    return Traits(
        sees=found.sees,
        draws=found.draws,
        thinking=found.thinking,
        without=found.without,
        ignores=found.ignores & takes,
        takes=takes - found.without,
        summary=found.summary,
    )
