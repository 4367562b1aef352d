"""What remote models can do, by their names: the parameters they take, and whether they see or draw images.

A wrong row costs one more request: the provider leaves out a rejected parameter and asks again. Patterns match at the
start of the name after its last slash; the first match counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.catalog.servers import Server, bare, vision

_SAMPLING = frozenset({"max_new_tokens", "temperature", "top_p", "stop"})
_OPTIONAL = frozenset({"top_k", "min_p", "repetition_penalty", "thinking", "json_schema"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Names of parameters are those of core.catalog.parameters. `without` is not sent to this family; `ignores` is
    accepted and has no effect; `thinking` are the levels it accepts."""

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
        (r"gemma-(3-(4|12|27)b|4(?!b))", Traits(sees=True)),
        (r"", Traits()),
    ),
    "openai": (
        (
            r"gpt-(5\.6|[6-9])",
            Traits(sees=True, thinking=("low", "medium", "high", "xhigh", "max"), without=_SAMPLED | {"stop"}),
        ),
        (r"o[13]-mini", Traits(thinking=("low", "medium", "high"), without=_SAMPLED | {"stop"})),
        (r"(gpt-5|o\d)", Traits(sees=True, thinking=("low", "medium", "high"), without=_SAMPLED | {"stop"})),
        (r"(gpt-4o|gpt-4\.[15]|gpt-4-turbo|gpt-4-vision|chatgpt-4o)", Traits(sees=True)),
        (r"", Traits()),
    ),
    "anthropic": (
        (r"claude-(fable|mythos|(opus|sonnet|haiku)-[5-9]|opus-4-[78])", Traits(sees=True, without=_SAMPLED)),
        (r"", Traits(sees=True)),
    ),
    "mistral": ((r"(pixtral|mistral-(small|medium|large)|ministral)", Traits(sees=True)), (r"", Traits())),
}
_SEES = r"""
    (?:gpt-4o|gpt-4\.[15]|gpt-4-turbo|gpt-4-vision|gpt-[5-9]|chatgpt-4o|o1(?!-mini|-preview)|o3(?!-mini)|o[4-9])
  | claude-?(?:[3-9]|opus|sonnet|haiku|fable|mythos)
  | gemini
  | gemma-?3(?!n|-270m|-1b|:270m|:1b) | gemma-?4(?!b) | medgemma | paligemma
  | (?:mistral-(?:small|medium))(?:-?(?:3\.[1-9]|latest|25(?:0[3-9]|1)|2[6-9])) | mistral-(?:medium-?3|large-?3)
  | mistral-small-?4 | ministral-?3 | magistral-(?:small|medium)-?(?:1\.[2-9]|latest) | pixtral
  | qwen[\d.]*-?vl | qwen-vl | qvq | qwen[\d.]*-?omni
  | llama-?4 | llava | bakllava | moondream | minicpm-?[vo] | internvl | idefics | smolvlm | fuyu | molmo | kosmos-2
  | glm-?[\d.]+v | cogvlm | cogagent | deepseek-?vl | deepseek-?ocr | janus | phi-?[\d.]+-multimodal | phi-?4-mm
  | grok-[4-9] | grok-2-vision | nova-(?:lite|pro|premier) | kimi-vl | kimi-k2\.[5-9] | ernie-[\w.]*vl | step-?1[vo]
  | (?:.*[-_.])?(?:vlm?|vision|multimodal)(?:[-_:.]|$) | .*vision
"""
"""Families that see images, as their makers' model cards say, November 2026. Exceptions by size: Gemma 3 with 270M
and 1B parameters, o1-mini and o3-mini."""

_ANYWHERE: tuple[tuple[str, Traits], ...] = ((rf"(?x:{_SEES})", Traits(sees=True)), (r"", Traits()))


def traits_of(server: Server, name: str) -> Traits:
    """The traits of a model on a server; a `#vision` or `#text` suffix of the name overrides the family's `sees`."""
    family = _family(server, bare(name))
    takes = _SAMPLING | (server.asks & _OPTIONAL)
    if not family.thinking:
        takes -= {"thinking"}
    sees = vision(name)
    return replace(
        family,
        sees=family.sees if sees is None else sees,
        ignores=family.ignores & takes,
        takes=takes - family.without,
    )


def _family(server: Server, name: str) -> Traits:
    last = name.rsplit("/", 1)[-1].lower()
    rows = FAMILIES.get(server.id, _ANYWHERE)
    return next(traits for pattern, traits in rows if re.match(pattern, last))
