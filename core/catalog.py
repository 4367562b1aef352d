"""The models that Diptych offers: one row each, known before anything is loaded.

A hub model is read only from the repository and revision that its row pins. Adding a model is adding a row.
"""

from __future__ import annotations

from core.errors import UnknownModel
from core.types import Modality, ModelSpec, Parameter

MEGABYTE = 1_000_000

TEXT_PARAMETERS = (
    Parameter(
        name="max_new_tokens",
        label="Max new tokens",
        kind="int",
        default=64,
        low=1,
        high=256,
        step=1,
        help="The answer ends after this many tokens at the latest.",
    ),
    Parameter(
        name="temperature",
        label="Temperature",
        kind="float",
        default=0.7,
        low=0.0,
        high=2.0,
        step=0.05,
        help="0 always takes the likeliest token (greedy: every sample is the same). Higher is more varied.",
    ),
    Parameter(
        name="top_p",
        label="Top-p",
        kind="float",
        default=0.95,
        low=0.0,
        high=1.0,
        step=0.01,
        help="Keep the likeliest tokens that together hold this share of the probability. 1 keeps all.",
    ),
    Parameter(
        name="top_k",
        label="Top-k",
        kind="int",
        default=50,
        low=0,
        high=1000,
        step=1,
        help="Keep only this many of the likeliest tokens. 0 keeps all.",
    ),
    Parameter(
        name="min_p",
        label="Min-p",
        kind="float",
        default=0.0,
        low=0.0,
        high=1.0,
        step=0.01,
        help="Drop tokens less likely than this share of the likeliest one's probability. 0 drops none.",
        advanced=True,
    ),
    Parameter(
        name="repetition_penalty",
        label="Repetition penalty",
        kind="float",
        default=1.0,
        low=0.5,
        high=2.0,
        step=0.05,
        help="Above 1, tokens that were already used become less likely. 1 changes nothing.",
        advanced=True,
    ),
    Parameter(
        name="stop",
        label="Stop strings",
        kind="lines",
        default=(),
        help="One per line. The answer ends before the first of them; it is not shown.",
        advanced=True,
    ),
)

PRESETS: dict[str, dict[str, float | int]] = {
    "Precise": {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0},
    "Balanced": {"temperature": 0.7, "top_p": 0.95, "top_k": 50, "min_p": 0.0},
    "Creative": {"temperature": 1.1, "top_p": 0.98, "top_k": 0, "min_p": 0.02},
}

CATALOG: tuple[ModelSpec, ...] = (
    ModelSpec(
        id="tiny-text",
        name="Diptych tiny-text",
        modality=Modality.TEXT,
        provider="local_text",
        source="tiny-text",
        summary="A demo model trained by this project on synthetic tasks. "
        "It shows how prompts act, not what large models know.",
        licence="MIT",
        parameters=TEXT_PARAMETERS,
        bundled=True,
        memory_bytes=120 * MEGABYTE,
        context=512,
        chat=True,
    ),
    ModelSpec(
        id="gpt2",
        name="GPT-2",
        modality=Modality.TEXT,
        provider="local_text",
        source="openai-community/gpt2",
        revision="607a30d783dfa663caf39e06633721c8d4cfcd7e",
        summary="OpenAI's base model of 2019: continues a text, follows no instructions.",
        licence="MIT",
        parameters=TEXT_PARAMETERS,
        download_bytes=548 * MEGABYTE,
        memory_bytes=900 * MEGABYTE,
        context=1024,
    ),
    ModelSpec(
        id="smollm2-135m",
        name="SmolLM2 135M Instruct",
        modality=Modality.TEXT,
        provider="local_text",
        source="HuggingFaceTB/SmolLM2-135M-Instruct",
        revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
        summary="A small instruction model by Hugging Face; the quickest real chat model on a CPU.",
        licence="Apache-2.0",
        parameters=TEXT_PARAMETERS,
        download_bytes=269 * MEGABYTE,
        memory_bytes=950 * MEGABYTE,
        context=2048,
        chat=True,
    ),
    ModelSpec(
        id="qwen2.5-0.5b",
        name="Qwen2.5 0.5B Instruct",
        modality=Modality.TEXT,
        provider="local_text",
        source="Qwen/Qwen2.5-0.5B-Instruct",
        revision="7ae557604adf67be50417f59c2c2f167def9a775",
        summary="A capable small instruction model by Alibaba; slow but useful on a CPU.",
        licence="Apache-2.0",
        parameters=TEXT_PARAMETERS,
        download_bytes=988 * MEGABYTE,
        memory_bytes=2_600 * MEGABYTE,
        context=4096,
        chat=True,
    ),
)


def spec(model_id: str) -> ModelSpec:
    """The row with this id.

    Raises:
        UnknownModel: no row has it; the message lists those that exist.
    """
    for row in CATALOG:
        if row.id == model_id:
            return row
    known = ", ".join(row.id for row in CATALOG)
    raise UnknownModel(f"There is no model '{model_id}' here. Choose one of: {known}.")
