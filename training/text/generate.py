"""Examples as prompts, and greedy answers to many at once."""

from collections.abc import Sequence

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.generate import completions
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


def answers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], longest: int = 160
) -> list[str]:
    """One greedy answer a prompt, in the order of the prompts."""
    return completions(model, tokenizer, prompts, longest=longest, batch=100)
