"""Batched completions of many prompts. Knows nothing of the prompts' meaning."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase


@torch.inference_mode()
def completions(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    temperature: float = 0.0,
    longest: int = 200,
    batch: int = 96,
) -> list[str]:
    """One completion a prompt, in the order of the prompts; greedy at temperature 0.

    Prompts of similar length share a batch of ``batch``; ``longest`` is the most new tokens.
    """
    tokenizer.padding_side = "left"
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    completed = dict.fromkeys(order, "")
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
    for start in range(0, len(order), batch):
        indices = order[start : start + batch]
        inputs = tokenizer([prompts[i] for i in indices], return_tensors="pt", padding=True, add_special_tokens=False)
        token_ids = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=longest,
            **sampling,
        )
        texts = tokenizer.batch_decode(token_ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        completed.update(zip(indices, texts, strict=True))
    return [completed[i] for i in range(len(prompts))]
