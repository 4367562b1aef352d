"""Tiny models of sound with random weights, written to disk in the hub's layout: a MusicGen and a VITS."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

from core.catalog import MUSIC_PARAMETERS, SPEECH_PARAMETERS
from core.types import Modality, ModelSpec
from tests.support import tiny_models

RATE, HOP, CODEBOOKS = 1600, 40, 4
"""Of the music: samples a second, samples of a frame (so 40 frames a second), and codes of one."""

LETTERS = " abcdefghijklmnopqrstuvwxyz'"


def musicgen(folder: Path, width: int = 24, half: bool = False, rate: int = RATE, layers: int = 2) -> ModelSpec:
    """A random MusicGen in `folder`; returns a bundled row for it. `width` is the text encoder's, where the decoder's
    is 24; `half` writes float16, as the models that ship with the app are kept. A higher `rate` has more frames a
    second, and more `layers` take longer for each."""
    import torch
    import transformers

    folder.mkdir(parents=True)
    vocabulary = tiny_models.tokenizer(folder)
    with torch.random.fork_rng(), warnings.catch_warnings():
        torch.manual_seed(0)
        config = transformers.MusicgenConfig(
            text_encoder=_t5(transformers, vocabulary, width),
            audio_encoder=_encodec(transformers, rate),
            decoder=_decoder(transformers, layers),
        )
        model = transformers.MusicgenForConditionalGeneration(config)
        for layer in model.audio_encoder.quantizer.layers:  # they begin as zeros
            layer.codebook.embed.normal_()
    made = {"do_sample": True, "guidance_scale": 3.0, "max_length": 99}
    model.generation_config = transformers.GenerationConfig(
        decoder_start_token_id=64, bos_token_id=64, pad_token_id=64, **made
    )
    (model.half() if half else model).save_pretrained(folder)
    return music_row(folder)


def vits(folder: Path) -> ModelSpec:
    """A random VITS in `folder`, with a tokenizer of small letters as MMS has; returns a bundled row for it."""
    import torch
    import transformers

    folder.mkdir(parents=True)
    (folder / "letters.json").write_text(json.dumps({letter: i for i, letter in enumerate("_" + LETTERS)}))
    words = transformers.VitsTokenizer(str(folder / "letters.json"), pad_token="_", phonemize=False, language="eng")
    words.save_pretrained(folder)
    (folder / "letters.json").unlink()
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch's old weight norm
        torch.manual_seed(0)
        model = transformers.VitsModel(_vits(transformers, len(words)))
    model.save_pretrained(folder)
    return speech_row(folder)


def music_row(folder: Path, **changes: object) -> ModelSpec:
    """A bundled row for the MusicGen in `folder`, of short sounds."""
    controls = {"duration": {"default": 0.5, "low": 0.1, "high": 30.0}, "top_k": {"default": 20}}
    rows = tuple(replace(row, **controls.get(row.name, {})) for row in MUSIC_PARAMETERS)  # type: ignore[arg-type]
    plain = {"modality": Modality.AUDIO, "provider": "local_audio", "parameters": rows}
    return tiny_models.row(folder, **(plain | changes))


def speech_row(folder: Path, **changes: object) -> ModelSpec:
    """A bundled row for the VITS in `folder`."""
    plain = {"modality": Modality.AUDIO, "provider": "local_audio", "parameters": SPEECH_PARAMETERS, "context": 600}
    return tiny_models.row(folder, **(plain | changes))


def _t5(transformers, vocabulary: int, width: int):  # type: ignore[no-untyped-def]
    sizes = {"d_model": width, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_decoder_layers": 1, "num_heads": 2}
    return transformers.T5Config(vocab_size=vocabulary, initializer_factor=1.0, **sizes)


def _encodec(transformers, rate: int):  # type: ignore[no-untyped-def]
    return transformers.EncodecConfig(
        sampling_rate=rate,
        upsampling_ratios=[10, 4],
        target_bandwidths=[6 * CODEBOOKS * rate / HOP / 1000],  # six bits a code
        num_filters=4,
        hidden_size=16,
        codebook_size=64,
        codebook_dim=16,
        num_lstm_layers=1,
        normalize=False,
    )


def _decoder(transformers, layers: int):  # type: ignore[no-untyped-def]
    return transformers.MusicgenDecoderConfig(
        vocab_size=64,
        hidden_size=24,
        ffn_dim=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_codebooks=CODEBOOKS,
        max_position_embeddings=64,
        initializer_factor=0.5,
        pad_token_id=64,
        bos_token_id=64,
    )


def _vits(transformers, vocabulary: int):  # type: ignore[no-untyped-def]
    return transformers.VitsConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        flow_size=16,
        spectrogram_bins=9,
        upsample_initial_channel=16,
        upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=2,
        posterior_encoder_num_wavenet_layers=2,
        duration_predictor_num_flows=2,
        duration_predictor_filter_channels=16,
        depth_separable_num_layers=1,
        initializer_range=0.3,
        sampling_rate=RATE,
        pad_token_id=0,
    )
