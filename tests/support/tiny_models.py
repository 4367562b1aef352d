"""Tiny models with random weights, written to disk in the hub's layout: config, tokenizer, model.safetensors.

Their text and images are noise, but everything round it is real: byte-level BPE tokenizers, chat templates,
safetensors, and pipelines of diffusers' parts.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

from core.catalog import IMAGE_PARAMETERS
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


def byte_fallback(template: str = ""):  # type: ignore[no-untyped-def]
    """A tokenizer as Llama and Gemma have it: what is no piece of its small vocabulary is written as bytes."""
    import tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "\u2581",
        *"abcdefgh\u00e9",
        "\u2581a",
    ]
    bpe = tokenizers.Tokenizer(
        tokenizers.models.BPE(
            vocab={piece: i for i, piece in enumerate(pieces)},
            merges=[("\u2581", "a")],
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    bpe.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.Prepend("\u2581"), tokenizers.normalizers.Replace(" ", "\u2581")]
    )
    bpe.decoder = tokenizers.decoders.Sequence(
        [
            tokenizers.decoders.Replace("\u2581", " "),
            tokenizers.decoders.ByteFallback(),
            tokenizers.decoders.Fuse(),
            tokenizers.decoders.Strip(" ", 1, 0),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, unk_token="<unk>", bos_token="<s>", eos_token="</s>", chat_template=template or None
    )


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


IMAGE_SIZES = ("64x64", "32x64", "48x48", "50x50")
ZERO_SNR = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}
STABLE_DIFFUSION = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def pipeline(folder: Path, checker: bool = False, distilled: bool = False, zero_snr: bool = True) -> ModelSpec:
    """A random Stable Diffusion in `folder`, with everything that the real one has; returns a bundled row for it.

    Two pixels make a place of the latents. `distilled`: a latent consistency model, whose guidance is an input;
    `zero_snr`: velocities under a schedule that ends in pure noise, else noise under Stable Diffusion's own.
    """
    import diffusers
    import torch
    import transformers
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

    schedule = diffusers.LCMScheduler if distilled else diffusers.DDIMScheduler if zero_snr else diffusers.PNDMScheduler
    own = {"steps_offset": 1} if distilled else ZERO_SNR if zero_snr else {"steps_offset": 1, "skip_prk_steps": True}
    words = clip_tokenizer()
    with torch.random.fork_rng(), warnings.catch_warnings():
        torch.manual_seed(0)
        parts = {
            "scheduler": schedule(**STABLE_DIFFUSION, **own),
            "tokenizer": words,
            "text_encoder": transformers.CLIPTextModel(_clip_text(transformers, len(words))),
            "unet": _unet(diffusers, 16 if distilled else None),
            "vae": _autoencoder(diffusers),
            "safety_checker": StableDiffusionSafetyChecker(_clip(transformers)) if checker else None,
        }
    extractor = transformers.CLIPImageProcessor(size=16, crop_size=16) if checker else None
    kind = diffusers.LatentConsistencyModelPipeline if distilled else diffusers.StableDiffusionPipeline
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of a steps_offset that trailing steps have no use for
        kind(**parts, feature_extractor=extractor, requires_safety_checker=checker).save_pretrained(folder)
    parts["scheduler"].save_pretrained(folder / "scheduler")
    return image_row(folder)


def image_row(folder: Path, **changes: object) -> ModelSpec:
    """A bundled row for the pipeline in `folder`, offering every scheduler and small sizes."""
    controls = {
        "size": {"default": "64x64", "choices": IMAGE_SIZES},
        "scheduler": {"default": "DDIM", "choices": ("DPM++ 2M Karras", "UniPC", "Euler", "DDIM", "LCM")},
        "steps": {"default": 4},
        "guidance_scale": {"default": 3.0},
    }
    rows = tuple(replace(row, **controls.get(row.name, {})) for row in IMAGE_PARAMETERS)  # type: ignore[arg-type]
    plain = {"modality": Modality.IMAGE, "provider": "local_image", "parameters": rows}
    return row(folder, **(plain | changes))


def clip_tokenizer():  # type: ignore[no-untyped-def]
    """CLIP's, of single bytes and a few pairs; it reads 77 tokens, two of them its own."""
    import tokenizers
    from transformers import CLIPTokenizer

    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e</w>"), ("r", "e")]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(one + other for one, other in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=merges, model_max_length=77)


def _unet(diffusers, guidance: int | None):  # type: ignore[no-untyped-def]
    return diffusers.UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
        time_cond_proj_dim=guidance,
    )


def _autoencoder(diffusers):  # type: ignore[no-untyped-def]
    return diffusers.AutoencoderKL(
        sample_size=64,
        block_out_channels=(16, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
    )


def _clip_text(transformers, vocab: int):  # type: ignore[no-untyped-def]
    ends = {"bos_token_id": vocab - 2, "eos_token_id": vocab - 1, "pad_token_id": vocab - 1}
    sizes = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 4}
    return transformers.CLIPTextConfig(vocab_size=vocab, max_position_embeddings=77, **sizes, **ends)


def _clip(transformers):  # type: ignore[no-untyped-def]
    sizes = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision = {**sizes, "image_size": 16, "patch_size": 8, "projection_dim": 16}
    return transformers.CLIPConfig(text_config={**sizes, "projection_dim": 16}, vision_config=vision, projection_dim=16)
