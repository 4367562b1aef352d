"""Write a trained model in Hugging Face layout, in float16. Knows nothing of training."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast


@contextmanager
def written(folder: Path, trained: Mapping[str, float]) -> Iterator[Path]:
    """A temporary folder to write a model into. At the end each file moves atomically to its path below ``folder``, so
    that no reader sees a partial file. ``trained`` (the training's counters) is written to training.json, for the card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        draft = Path(name)
        yield draft
        (draft / "training.json").write_text(json.dumps(trained, indent=2) + "\n", encoding="utf-8")
        for file in (file for file in draft.rglob("*") if file.is_file()):
            target = folder / file.relative_to(draft)
            target.parent.mkdir(exist_ok=True)
            file.chmod(0o644)
            file.replace(target)


def remove_source_paths(folder: Path) -> None:
    """Remove from all configurations the path that a part was loaded from during training."""
    for file in folder.rglob("config.json"):
        config = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_without_source_path)
        file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _without_source_path(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if name != "_name_or_path"}


def write(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    trained: Mapping[str, float],
    repetition_penalty: float = 1.0,
) -> None:
    """Write a language model, with its recommended repetition penalty (Keskar et al. 2019)."""
    with written(folder, trained) as draft:
        half_copy(model).save_pretrained(draft)
        GenerationConfig(
            do_sample=False, bos_token_id=0, eos_token_id=0, pad_token_id=0, repetition_penalty=repetition_penalty
        ).save_pretrained(draft)
        tokenizer.save_pretrained(draft)


def half_copy(model: PreTrainedModel) -> PreTrainedModel:
    """A copy of the model in float16."""
    copy = type(model)(model.config)
    copy.load_state_dict(model.state_dict())
    return copy.to(dtype=torch.float16)
