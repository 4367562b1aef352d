"""Which remote models see images: by their names, and by what a name says of it."""

from __future__ import annotations

import pytest

from core.catalog import spec
from core.catalog.prices import price
from core.catalog.servers import bare, vision, with_vision
from core.errors import UnknownModel


def ids(rows: dict[str, str]) -> list[str]:
    return [f"{server}:{name}" for server, names in rows.items() for name in names.split()]


SEES = {
    "ollama": """
        gemma3:4b gemma3:12b-it-qat gemma4:e4b mistral-small3.1 mistral-small3.2:24b minicpm-v
        minicpm-v:8b moondream moondream:1.8b bakllava llava:13b llava-llama3 qwen2.5vl:7b
        qwen3-vl:8b llama3.2-vision granite3.2-vision:2b
    """,
    "openrouter": """
        openai/o3 openai/gpt-4-turbo z-ai/glm-4.5v z-ai/glm-4.6v microsoft/phi-4-multimodal-instruct
        microsoft/phi-3.5-vision-instruct openai/o4-mini google/gemma-3-27b-it
        mistralai/mistral-small-3.1-24b-instruct x-ai/grok-4 qwen/qwen2.5-vl-72b-instruct
        meta-llama/llama-4-scout amazon/nova-lite-v1 anthropic/claude-3.5-sonnet
        nvidia/nemotron-nano-12b-v2-vl moonshotai/kimi-vl-a3b
    """,
    "huggingface": """
        HuggingFaceTB/SmolVLM2-2.2B-Instruct OpenGVLab/InternVL3-8B
    """,
    "lmstudio": """
        google/gemma-3-4b
    """,
    "openai": """
        o3 o1 gpt-4-turbo gpt-4.5-preview gpt-5-mini
    """,
    "gemini": """
        gemma-3-27b-it
    """,
}
BLIND = {
    "ollama": """
        gemma3:1b gemma3:270m gemma2:9b gemma:7b gemma-7b mistral-small:24b llama3.2 qwen3:8b phi4
        phi4-mini deepseek-r1 minicpm4 glm4 olmo2 devstral
    """,
    "openrouter": """
        openai/o3-mini openai/o1-mini openai/gpt-4 z-ai/glm-4.5 z-ai/glm-4.5-air
        google/gemma-3-1b-it anthropic/claude-2.1 mistralai/mistral-7b-instruct
        deepseek/deepseek-chat-v3
    """,
    "openai": """
        o3-mini o1-mini gpt-3.5-turbo
    """,
    "gemini": """
        gemma-3-1b-it
    """,
}


@pytest.mark.parametrize("model", ids(SEES))
def test_these_see(model: str) -> None:
    assert spec(model).sees


@pytest.mark.parametrize("model", ids(BLIND))
def test_these_do_not(model: str) -> None:
    assert not spec(model).sees


@pytest.mark.parametrize("at", ["ollama:{}", "openrouter:org/{}", "custom:{}@https://host.example/v1"])
def test_what_an_id_says_of_images_counts_first(at: str) -> None:
    seeing, blind = spec(at.format("own-model#vision")), spec(at.format("llava#text"))
    assert (seeing.sees, seeing.source, seeing.name) == (True, bare(seeing.name), seeing.source)
    assert (blind.sees, "#" in blind.source + blind.name) == (False, False)
    for row in (seeing, blind):
        assert spec(row.id) == row
        assert spec(row.id).parameters == spec(row.id.replace("#vision", "").replace("#text", "")).parameters


@pytest.mark.parametrize("at", ["ollama:{}", "custom:{}@https://host.example/v1"])
@pytest.mark.parametrize(
    "name", ["#vision", "a#", "a#b", "a#Vision", "a#vision#vision", "a#vision#text", "a#text#vision", "a?#vision"]
)
def test_no_other_sign_in_a_name_is_read(at: str, name: str) -> None:
    with pytest.raises(UnknownModel):
        spec(at.format(name))


def test_a_name_says_it_once() -> None:
    assert [with_vision("a", sees) for sees in (None, True, False)] == ["a", "a#vision", "a#text"]
    assert with_vision("a#text", True) == "a#vision"
    assert [vision(name) for name in ("a", "a#vision", "a#text")] == [None, True, False]


def test_what_an_id_says_of_images_does_not_change_its_price() -> None:
    assert price("openai:gpt-4o#text", {}) == price("openai:gpt-4o", {}) is not None
    own = {"custom:m@https://host.example/v1": (1.0, 2.0)}
    assert price("custom:m#vision@https://host.example/v1", own) == (1.0, 2.0)
