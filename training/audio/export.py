"""Write the trained parts as a MusicGen in Hugging Face layout, in float16. Knows nothing of training."""

from pathlib import Path

import torch
from transformers import (
    EncodecFeatureExtractor,
    GenerationConfig,
    MusicgenForConditionalGeneration,
    MusicgenProcessor,
    PreTrainedTokenizerFast,
)

from training.audio.synthesis import FRAMES
from training.export import remove_source_paths, written

GUIDANCE, TEMPERATURE, TOP_K = 1.5, 0.8, 50


def settings(model: MusicgenForConditionalGeneration) -> GenerationConfig:
    """Three seconds, sampled, with guidance. Each codebook after the first takes one more step."""
    decoder = model.config.decoder
    return GenerationConfig(
        do_sample=True,
        temperature=TEMPERATURE,
        top_k=TOP_K,
        guidance_scale=GUIDANCE,
        max_new_tokens=FRAMES + decoder.num_codebooks - 1,
        bos_token_id=decoder.bos_token_id,
        pad_token_id=decoder.pad_token_id,
        decoder_start_token_id=decoder.bos_token_id,
    )


def write(
    model: MusicgenForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    trained: dict[str, float],
) -> None:
    """Write model and processor; ``trained`` (steps, seconds, sounds) goes to training.json for the card."""
    model.generation_config = settings(model)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()  # else the last call's settings would be saved too
    listener = EncodecFeatureExtractor(feature_size=1, sampling_rate=model.config.audio_encoder.sampling_rate)
    with written(folder, trained) as draft:
        model.to(torch.float16).save_pretrained(draft)
        MusicgenProcessor(listener, tokenizer).save_pretrained(draft)
        remove_source_paths(draft)
