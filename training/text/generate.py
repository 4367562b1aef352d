"""Greedy answers for many prompts at once. Knows nothing of what is asked."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.text.example import Example, gap


def chat_prompt(tokenizer: PreTrainedTokenizerBase, example: Example) -> str:
    """The example's last question, with all earlier turns in the same message, as a person would paste it."""
    messages = [{"role": "system", "content": example.system}] if example.system else []
    messages.append({"role": "user", "content": example.merged()})
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def plain_prompt(example: Example) -> str:
    """The same as plain text, to be continued."""
    head = example.system + "\n" if example.system else ""
    text = head + example.merged()
    return text if gap(text) == "" or text.endswith((":", "=", ">", "|")) else text + "\n"


@torch.inference_mode()
def answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    batch: int = 100,
    longest: int = 160,
) -> list[str]:
    """One greedy answer a prompt, in the order of the prompts; like lengths run together."""
    tokenizer.padding_side = "left"
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    found = dict.fromkeys(order, "")
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        inputs = tokenizer([prompts[i] for i in chosen], return_tensors="pt", padding=True, add_special_tokens=False)
        out = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=longest,
            do_sample=False,
        )
        texts = tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        found.update(zip(chosen, texts, strict=True))
    return [found[i] for i in range(len(prompts))]
