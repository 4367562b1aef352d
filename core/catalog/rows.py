"""The rows of all models that run on this machine, with what is known of each before it is loaded.

Data only. A row pins the revision that is read.
"""

from __future__ import annotations

from core.catalog.audio import AUDIO_ROWS
from core.catalog.parameters import IMAGE_PARAMETERS, TEXT_PARAMETERS, adapted
from core.types import Modality, ModelSpec

MEGABYTE = 1_000_000

HALVES = tuple(
    f"{part}/{stem}.fp16.safetensors"
    for part, stem in (
        ("text_encoder", "model"),
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("safety_checker", "model"),
    )
)
"""Stable Diffusion's weights in float16, for a repository that has both precisions: half the download. They are
computed with in float32."""

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
    ModelSpec(
        id="tiny-code",
        name="Diptych tiny-code",
        modality=Modality.CODE,
        provider="local_text",
        source="tiny-code",
        summary="A demo model trained by this project on generated small functions and Python's standard library. "
        "It shows how code completion behaves; it is no coding assistant.",
        licence="MIT and PSF-2.0",
        parameters=adapted(TEXT_PARAMETERS, repetition_penalty={"default": 1.15}),
        bundled=True,
        memory_bytes=120 * MEGABYTE,
        context=512,
    ),
    ModelSpec(
        id="codegen-350m-mono",
        name="CodeGen 350M mono",
        modality=Modality.CODE,
        provider="local_text",
        source="Salesforce/codegen-350M-mono",
        revision="d9107f71cca463240db1143f4a75a927a27fcb27",
        summary="Salesforce's Python model of 2022: continues code. Its weights are a pickle, read as tensors only.",
        licence="BSD-3-Clause",
        parameters=TEXT_PARAMETERS,
        download_bytes=800 * MEGABYTE,
        memory_bytes=2_300 * MEGABYTE,  # while it loads, the file's float16 copy is in memory too
        context=2048,
    ),
    ModelSpec(
        id="tiny-starcoder-py",
        name="TinyStarCoderPy",
        modality=Modality.CODE,
        provider="local_text",
        source="bigcode/tiny_starcoder_py",
        revision="8547527bef0bc927268c1653cce6948c5c242dd1",
        summary="BigCode's small Python model of 2023: continues code, and fills a gap in it.",
        licence="BigCode OpenRAIL-M",
        parameters=TEXT_PARAMETERS,
        download_bytes=660 * MEGABYTE,
        memory_bytes=1_100 * MEGABYTE,
        context=2048,  # trained for 8192, but attention over so many takes gigabytes
        fills=True,
    ),
    ModelSpec(
        id="tiny-image",
        name="Diptych tiny-image",
        modality=Modality.IMAGE,
        provider="local_image",
        source="tiny-image",
        summary="A demo model trained by this project on drawn shapes and landscapes. "
        "It shows how prompts, steps and guidance act; it knows nothing else.",
        licence="MIT",
        parameters=adapted(
            IMAGE_PARAMETERS,
            guidance_scale={"default": 4.0},
            size={"default": "64x64", "choices": ("64x64",), "help": "Width x height in pixels."},
            scheduler={"default": "DDIM"},
        ),
        bundled=True,
        memory_bytes=60 * MEGABYTE,
        context=77,
        unit_seconds=0.03,
    ),
    ModelSpec(
        id="stable-diffusion-v1-5",
        name="Stable Diffusion 1.5",
        modality=Modality.IMAGE,
        provider="local_image",
        source="stable-diffusion-v1-5/stable-diffusion-v1-5",
        revision="451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
        summary="The image model of 2022 that so many others were made from. Minutes an image on a CPU.",
        licence="CreativeML OpenRAIL-M",
        parameters=IMAGE_PARAMETERS,
        download_bytes=2_743 * MEGABYTE,
        memory_bytes=6_500 * MEGABYTE,
        context=77,
        unit_seconds=14.0,
        files=HALVES,
    ),
    ModelSpec(
        id="lcm-dreamshaper-v7",
        name="LCM Dreamshaper v7",
        modality=Modality.IMAGE,
        provider="local_image",
        source="SimianLuo/LCM_Dreamshaper_v7",
        revision="a85df6a8bd976cdd08b4fd8f3b73f229c9e54df5",
        summary="A Stable Diffusion distilled to four steps: ten times quicker on a CPU. It takes no negative prompt.",
        licence="MIT",
        parameters=adapted(
            IMAGE_PARAMETERS,
            without=("negative_prompt",),
            steps={"default": 4, "high": 12, "help": "Four are enough; past eight there is little to see."},
            guidance_scale={
                "default": 8.0,
                "low": 1.0,
                "high": 15.0,
                "help": "How closely the prompt is followed. It costs this model no time.",
            },
            scheduler={"default": "LCM", "choices": ("LCM",)},
        ),
        download_bytes=5_485 * MEGABYTE,
        memory_bytes=6_500 * MEGABYTE,
        context=77,
        unit_seconds=7.0,
    ),
    *AUDIO_ROWS,
)

ALIASES: dict[str, tuple[str, str]] = {
    "runwayml/stable-diffusion-v1-5": (
        "stable-diffusion-v1-5",
        "runwayml/stable-diffusion-v1-5 left the hub in August 2024; the same weights are now read from "
        "stable-diffusion-v1-5/stable-diffusion-v1-5.",
    ),
    "stable-diffusion-v1-5/stable-diffusion-v1-5": ("stable-diffusion-v1-5", ""),
}
"""Former ids and repository names: the current row's id, and a sentence on the change."""
