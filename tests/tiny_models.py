"""Tiny models with random weights, written to disk in the hub's layout: config, tokenizer, model.safetensors.

Their text is noise, but everything round it is real: byte-level BPE tokenizers, chat templates, safetensors.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from core.types import Modality, ModelSpec

FILLING = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[model]{% endif %}"
)
TEXTS = (
    "The quick brown fox jumps over the lazy dog, again and again, and never gets tired of it.",
    "Once upon a time there was a small model. It had few weights, but it was happy: 1 + 2 = 3!",
    "Straße, naïve café, 東京の夜, Привет мир, 🦊🌍🎉 emoji are more than one byte, and so is é.",
    "def add(a, b):\n    return a + b\n\nprint(add(2, 3))\n",
)


def tokenizer(folder: Path, template: str = "", vocabulary: int = 400, more: tuple[str, ...] = ()) -> int:
    """Train a byte-level BPE on TEXTS and write it to `folder`; returns the size of its vocabulary."""
    import tokenizers
    from transformers import PreTrainedTokenizerFast

    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    special = ["<|endoftext|>", *(["<|im_start|>", "<|im_end|>"] if template else [])]
    special[1:1] = more
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=special,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(TEXTS, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=special[-1 if template else 0], bos_token=special[0])
    if template:
        fast.chat_template = template
    fast.save_pretrained(folder)
    return int(bpe.get_vocab_size())


def build(kind: str, folder: Path, template: str = "", spread: float = 0.3, half: bool = False) -> ModelSpec:
    """A random `kind` ("gpt2", "codegen", "gpt_bigcode", "llama", "qwen2") in `folder`; returns a bundled row for it.

    `spread` is the standard deviation of the weights: large enough that answers vary.
    """
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    vocab = tokenizer(folder, template, more=FILLING if kind == "gpt_bigcode" else ())
    with torch.random.fork_rng(), warnings.catch_warnings():
        torch.manual_seed(0)
        config = _config(transformers, kind, vocab, spread)
        model = transformers.AutoModelForCausalLM.from_config(config)
    (model.half() if half else model).save_pretrained(folder)
    return row(folder)


def row(folder: Path, **changes: object) -> ModelSpec:
    """A bundled catalog row for the model in `folder`, whose parent is the settings' models folder."""
    fields: dict[str, object] = {
        "id": folder.name,
        "name": f"Tiny {folder.name}",
        "modality": Modality.TEXT,
        "provider": "local_text",
        "source": folder.name,
        "summary": "Random weights.",
        "licence": "MIT",
        "parameters": (),
        "bundled": True,
        "memory_bytes": 10_000_000,
        "context": 128,
    }
    return ModelSpec(**(fields | changes))  # type: ignore[arg-type]


def _config(transformers: object, kind: str, vocab: int, spread: float):  # type: ignore[no-untyped-def]
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    old = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 160, "n_ctx": 160}
    new = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 160,
    }
    make, sizes = {
        "gpt2": ("GPT2Config", old),
        "codegen": ("CodeGenConfig", old | {"rotary_dim": 4}),
        "gpt_bigcode": ("GPTBigCodeConfig", {name: size for name, size in old.items() if name != "n_ctx"}),
        "llama": ("LlamaConfig", new),
        "qwen2": ("Qwen2Config", new),
    }[kind]
    return getattr(transformers, make)(vocab_size=vocab, initializer_range=spread, **sizes, **ends)
