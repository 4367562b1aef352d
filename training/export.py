"""Write a trained model in Hugging Face layout, in float16. Knows nothing of training.

Each file is replaced in one move, so that a reader never sees half of one.
"""

import json
import tempfile
from pathlib import Path

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast


def write(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path, trained: dict[str, float]) -> None:
    """``trained`` (steps, seconds, tokens seen) is kept beside the weights for the card."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        written = Path(name)
        half_copy(model).save_pretrained(written)
        GenerationConfig(do_sample=False, bos_token_id=0, eos_token_id=0, pad_token_id=0).save_pretrained(written)
        tokenizer.save_pretrained(written)
        (written / "training.json").write_text(json.dumps(trained, indent=2) + "\n", encoding="utf-8")
        for file in written.iterdir():
            file.chmod(0o644)
            file.replace(folder / file.name)


def half_copy(model: PreTrainedModel) -> PreTrainedModel:
    copy = type(model)(model.config)
    copy.load_state_dict(model.state_dict())
    return copy.to(dtype=torch.float16)
