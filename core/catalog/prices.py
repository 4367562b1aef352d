"""What answers cost: US dollars per million tokens, each row with its date and source.

A cost is an estimate at the standard list price for prompts below 100,000 tokens: tiers, caches and batches are not
modelled. The price of a model without a row is unknown, which is not free.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from core.catalog.servers import SERVERS, TEXT, VISION
from core.types import ModelSpec

Prices = Mapping[str, tuple[float, float]]
"""A deployment's own rows: (input, output) by model id `server:name`."""


@dataclass(frozen=True, slots=True)
class Price:
    """`pattern` fits the whole model id; `day` is when `source` was dated or read, `until` the last day it holds."""

    pattern: str
    input: float
    output: float
    day: str
    source: str
    until: str = "9999-12-31"


_DATED = r"(-\d{8})?"

# fmt: off
TABLE: tuple[Price, ...] = (
    Price(r"gemini:gemini-4-hydrogen", 1.50, 7.50, "2026-11-12", "litellm, Google's announcement"),
    Price(r"gemini:gemini-4-(argon|carbon)", 2.00, 10.00, "2026-11-11", "ai.google.dev, litellm", until="2026-11-30"),
    Price(r"gemini:gemini-4-(argon|carbon)", 4.00, 20.00, "2026-11-11", "ai.google.dev, litellm"),
    Price(r"gemini:gemini-3\.[678]-flash", 0.75, 3.75, "2026-10-07", "ai.google.dev", until="2026-12-31"),
    Price(r"gemini:gemini-3\.[678]-flash", 1.50, 7.50, "2026-10-07", "ai.google.dev"),
    Price(r"gemini:gemini-3\.5-flash", 1.50, 9.00, "2026-10-07", "ai.google.dev"),
    Price(r"gemini:gemini-3\.5-flash-lite", 0.30, 2.50, "2026-10-07", "ai.google.dev"),
    Price(r"gemini:gemini-3\.1-pro-preview", 2.00, 12.00, "2026-10-07", "ai.google.dev"),
    Price(r"gemini:gemini-2\.5-flash-lite", 0.10, 0.40, "2026-10-07", "ai.google.dev, Portkey's price list"),
    Price(r"openai:gpt-6\.2-astra", 8.00, 40.00, "2026-11-18", "litellm, laozhang.ai"),
    Price(r"openai:gpt-6-astra", 10.00, 50.00, "2026-09-05", "AI Token Meter, Codex Pulse, PromptFuel"),
    Price(r"openai:gpt-6(\.[12])?-sol", 2.00, 10.00, "2026-11-18", "litellm, laozhang.ai"),
    Price(r"openai:gpt-6-luna", 0.10, 0.50, "2026-11-23", "developers.openai.com"),
    Price(r"openai:gpt-5\.6-sol", 4.00, 20.00, "2026-09-22", "litellm, apiyi.com"),
    Price(r"openai:gpt-5\.6-terra", 2.00, 12.00, "2026-09-07", "PromptFuel, apiyi.com"),
    Price(r"openai:gpt-5\.6-luna", 0.20, 1.20, "2026-11-23", "developers.openai.com"),
    Price(r"openai:gpt-5\.5", 5.00, 30.00, "2026-06-30", "morphllm.com, apiyi.com"),
    Price(r"openai:gpt-5\.4", 2.50, 15.00, "2026-06-30", "morphllm.com, apiyi.com"),
    Price(r"openai:gpt-5\.4-mini", 0.75, 4.50, "2026-06-30", "morphllm.com, apiyi.com"),
    Price(r"openai:gpt-5\.4-nano", 0.20, 1.25, "2026-06-30", "morphllm.com, aipromptshub.co"),
    Price(r"openai:gpt-5(\.1)?", 1.25, 10.00, "2026-03-31", "deploybase.ai, SciCode's price list"),
    Price(r"openai:gpt-5-mini", 0.25, 2.00, "2026-03-31", "deploybase.ai, GitHub's price list"),
    Price(r"openai:gpt-5-nano", 0.05, 0.40, "2026-03-31", "deploybase.ai, agent-telemetry"),
    Price(r"openai:gpt-4\.1", 2.00, 8.00, "2026-04-30", "deploybase.ai, aumiqx.com"),
    Price(r"openai:gpt-4\.1-mini", 0.40, 1.60, "2026-04-30", "deploybase.ai, aumiqx.com"),
    Price(r"openai:gpt-4o", 2.50, 10.00, "2026-05-31", "deploybase.ai, aimodelcalc"),
    Price(r"openai:gpt-4o-mini", 0.15, 0.60, "2026-05-31", "deploybase.ai, aimodelcalc"),
    Price(r"anthropic:claude-fable-5-2", 8.00, 40.00, "2026-11-23", "platform.claude.com"),
    Price(r"anthropic:claude-fable-5(-1)?", 10.00, 50.00, "2026-11-23", "platform.claude.com"),
    Price(r"anthropic:claude-opus-5-5", 4.00, 20.00, "2026-11-23", "platform.claude.com"),
    Price(r"anthropic:claude-opus-(5|4-[56])" + _DATED, 5.00, 25.00, "2026-11-23", "platform.claude.com"),
    Price(r"anthropic:claude-sonnet-5(-5)?", 2.00, 10.00, "2026-11-23", "platform.claude.com"),
    Price(r"anthropic:claude-sonnet-4-[56]" + _DATED, 3.00, 15.00, "2026-11-23", "platform.claude.com"),
    Price(r"anthropic:claude-haiku-5-5", 0.10, 0.50, "2026-11-23", "platform.claude.com"),
    Price(r"anthropic:claude-haiku-4-5" + _DATED, 1.00, 5.00, "2026-11-23", "platform.claude.com"),
    Price(r"groq:openai/gpt-oss-120b", 0.15, 0.60, "2026-05-19", "Groq's price list, as Braintrust read it"),
)
# fmt: on


_VISION = re.compile(rf"(?:{VISION}|{TEXT})(?=$|@http)")
"""The suffix of an id that says whether the model sees images; it does not change the price."""


def price(model_id: str, own: Prices, day: date | None = None) -> tuple[float, float] | None:
    """(input, output) in US dollars per million tokens, None where it is unknown. The deployment's rows win.

    Args:
        day: the day that the price holds for; None is today (UTC).
    """
    model_id = _VISION.sub("", model_id)
    if model_id in own:
        return own[model_id]
    today = (day or datetime.now(UTC).date()).isoformat()
    row = next((row for row in TABLE if row.until >= today and re.fullmatch(row.pattern, model_id)), None)
    return (row.input, row.output) if row else None


def cost(spec: ModelSpec, prompt_tokens: int, output_tokens: int, own: Prices) -> float | None:
    """US dollars for one answer, None where the price is unknown. A local server of the table costs nothing, unless the
    deployment has a price for it."""
    rates = price(spec.id, own)
    if rates is None and any(row.local for row in SERVERS if row.id == spec.server):
        rates = (0.0, 0.0)
    return None if rates is None else (prompt_tokens * rates[0] + output_tokens * rates[1]) / 1e6
