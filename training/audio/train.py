"""Train tiny-audio and write it to models/tiny-audio. Knows codes and captions; samples are the codec's.

    python -m training.audio.train --preset cpu              # about an hour on one core
    python -m training.audio.train --preset cpu --resume     # go on after an interruption

Three parts, each with its own file in the run's folder: the codec (codec.py), the text encoder's pretraining (text.py),
and the decoder here, a MusicGen (Copet et al. 2023) trained together with the text encoder. At each step it predicts
the next code of every codebook, each codebook one step after the one before it (the delay pattern). One caption in ten
is empty, for guidance (Ho & Salimans 2022).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from transformers import (
    EncodecModel,
    MusicgenConfig,
    MusicgenForCausalLM,
    MusicgenForConditionalGeneration,
    PreTrainedTokenizerFast,
    T5EncoderModel,
)
from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

from training import loop
from training.audio import captions, clips, codec, export, text, vocabulary
from training.text.phrasing import chance

EMPTY_CAPTIONS, EMA_DECAY = 0.1, 0.998
WEIGHTS = (1.0, 0.7, 0.5, 0.4, 0.3, 0.3, 0.3)
"""The weight of each codebook's loss: the first codebooks carry the content, the last ones the fidelity."""
FIRST_STEPS, FIRST_STEPS_WEIGHT = 8, 4.0
"""The first FIRST_STEPS steps weigh FIRST_STEPS_WEIGHT times as much: only the caption predicts them."""
ENCODE_BATCH, POSITIONS = 16, 512
Step = tuple[torch.Tensor, text.Tokens]
"""Codes (sounds x codebooks x frames), and the tokens of their captions."""


@dataclass(frozen=True)
class Plan(loop.Plan):
    """A plan with the decoder's shape, and the plans of the two other parts."""

    minutes: float = 65
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    width: int = 128
    layers: int = 4
    heads: int = 4
    batch: int = 16
    sounds: int = 12_000
    pieces: int = 768
    codec_plan: codec.Plan = field(default_factory=codec.Plan)
    text_plan: text.Plan = field(default_factory=text.Plan)


PRESETS = {
    "cpu": Plan(),
    "gpu": Plan(
        minutes=15,
        batch=128,
        sounds=40_000,
        width=192,
        layers=6,
        device="cuda",
        codec_plan=codec.Plan(sounds=3000),
        text_plan=text.Plan(minutes=1, width=192, device="cuda"),
    ),
}


def new_decoder(plan: Plan, audio: EncodecModel) -> MusicgenForCausalLM:
    """A decoder with eager attention: the backward pass of torch's fused one is slow on a CPU."""
    torch.manual_seed(plan.seed)
    codes = audio.config.codebook_size
    config = MusicgenDecoderConfig(
        vocab_size=codes,
        pad_token_id=codes,
        bos_token_id=codes,
        max_position_embeddings=POSITIONS,
        num_codebooks=audio.config.num_quantizers,
        hidden_size=plan.width,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        ffn_dim=4 * plan.width,
        dropout=0.0,
        attn_implementation="eager",
    )
    return MusicgenForCausalLM(config).to(plan.device)


class Composer(torch.nn.Module):
    """The text encoder and the decoder: from captions and delayed codes to the logits of the next codes."""

    def __init__(self, encoder: T5EncoderModel, decoder: MusicgenForCausalLM) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, codes: torch.Tensor, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits: sounds x codebooks x steps x codes.

        Args:
            codes: sounds x codebooks x steps, delayed.
            ids, mask: captions x positions.
        """
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
        output = self.decoder.model(
            codes.flatten(0, 1), encoder_hidden_states=states, encoder_attention_mask=mask, use_cache=False
        )
        return torch.stack([head(output.last_hidden_state) for head in self.decoder.lm_heads], 1)

    def whole(self, audio: EncodecModel) -> MusicgenForConditionalGeneration:
        """Both with the codec, as one model."""
        config = MusicgenConfig(
            text_encoder=self.encoder.config, audio_encoder=audio.config, decoder=self.decoder.config
        )
        return MusicgenForConditionalGeneration(config, self.encoder, audio, self.decoder)


def delay(codes: torch.Tensor, pad: int) -> torch.Tensor:
    """The delay pattern: sounds x codebooks x (frames + codebooks), each codebook one step after the one before, the
    gaps filled with `pad`; from sounds x codebooks x frames."""
    sounds, books, frames = codes.shape
    shifted = codes.new_full((sounds, books, frames + books), pad)
    for book in range(books):
        shifted[:, book, book + 1 : book + 1 + frames] = codes[:, book]
    return shifted


def stream(
    codes: torch.Tensor, tokenizer: PreTrainedTokenizerFast, plan: Plan, pool: int, batch: int
) -> Iterator[tuple[int, int, Step]]:
    """Endless (pool, index, step): codes in a new order each pool, with new captions, from a given batch on."""
    sounds = [sound for sound, _ in clips.sounds(seed_of(plan), len(codes))]
    while True:
        order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(1000 * plan.seed + pool))
        for index in range(batch, len(order) // plan.batch):
            rng = random.Random(f"captions {plan.seed} {pool} {index}")
            chosen = order[index * plan.batch : (index + 1) * plan.batch]
            texts = [
                "" if chance(rng, EMPTY_CAPTIONS) else captions.caption(sounds[i], rng).text for i in chosen.tolist()
            ]
            yield pool, index, (codes[chosen].long(), text.tokens(tokenizer, texts))
        pool, batch = pool + 1, 0


def seed_of(plan: Plan) -> str:
    return f"sounds {plan.seed}"


class Trainer(loop.AveragedTrainer[Step]):
    """tiny-audio's decoder and text encoder in training; ``average`` is exported."""

    def __init__(self, plan: Plan, composer: Composer, codes: torch.Tensor, tokenizer: PreTrainedTokenizerFast) -> None:
        super().__init__(plan, composer.to(plan.device), partial(stream, codes, tokenizer, plan), EMA_DECAY)
        self.pad = composer.decoder.config.pad_token_id

    def backward(self, batch: Step) -> tuple[float, int]:
        """Accumulate the gradients of the mean loss over codebooks, by WEIGHTS, and steps, the first weighing more."""
        codes, tokens = batch[0].to(self.plan.device), [part.to(self.plan.device) for part in batch[1]]
        shifted = delay(codes, self.pad)
        with torch.autocast(self.plan.device, torch.bfloat16, enabled=self.bfloat16):
            scores = self.model(shifted[..., :-1], *tokens)  # (sounds, codebooks, steps, codes)
        losses = torch.nn.functional.cross_entropy(
            scores.float().permute(0, 3, 1, 2), shifted[..., 1:], ignore_index=self.pad, reduction="none"
        ).mean(0)  # (codebooks, steps)
        weights = torch.tensor(WEIGHTS[: len(losses)], device=losses.device)[:, None].repeat(1, losses.shape[1])
        weights[:, :FIRST_STEPS] *= FIRST_STEPS_WEIGHT
        loss = (losses * weights).sum() / weights.sum()
        loss.backward()
        return float(loss.detach()), len(codes)


def codes_for(run: Path, plan: Plan, audio: EncodecModel) -> torch.Tensor:
    """The codes of the plan's sounds: sounds x codebooks x frames, int16; rendered and encoded once."""
    file = run / "codes.pt"
    if not file.exists():
        codes, batch = [], []
        for index, (_, samples) in enumerate(clips.rendered(seed_of(plan), plan.sounds), 1):
            batch.append(torch.from_numpy(samples))
            if len(batch) == ENCODE_BATCH or index == plan.sounds:
                codes.append(codec.encode(audio, torch.stack(batch)).to(torch.int16))
                batch.clear()
        torch.save(torch.cat(codes), file)
    return torch.load(file, weights_only=True)


def run_tokenizer(run: Path, plan: Plan) -> PreTrainedTokenizerFast:
    """The run's tokenizer, trained once: changed captions would give other tokens for the same words."""
    folder = run / "tokenizer"
    if not (folder / "tokenizer_config.json").exists():
        vocabulary.trained(plan.seed, plan.pieces).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def fitted_codec(run: Path, plan: Plan) -> EncodecModel:
    """The run's codec, fitted once."""
    folder = run / "codec"
    if not (folder / "config.json").exists():
        codec.fit(plan.codec_plan).save_pretrained(folder)
    return EncodecModel.from_pretrained(folder).eval()


def pretrained_text_encoder(
    run: Path, plan: Plan, tokenizer: PreTrainedTokenizerFast, resume: bool, save_every: float
) -> T5EncoderModel:
    """The run's text encoder, pretrained once."""
    folder = run / "text_encoder"
    if not (folder / "config.json").exists():
        trainer = text.trainer(plan.text_plan, tokenizer)
        loop.train_part(trainer, run, "text.pt", resume, save_every)
        trainer.model.encoder.cpu().save_pretrained(folder)
    return T5EncoderModel.from_pretrained(folder, attn_implementation="eager")


def prepared(
    run: Path, plan: Plan, resume: bool, save_every: float
) -> tuple[Trainer, EncodecModel, PreTrainedTokenizerFast]:
    """The trainer of the last part, after the two before it."""
    tokenizer = run_tokenizer(run, plan)
    encoder = pretrained_text_encoder(run, plan, tokenizer, resume, save_every)
    audio = fitted_codec(run, plan)
    composer = Composer(encoder, new_decoder(plan, audio))
    return Trainer(plan, composer, codes_for(run, plan, audio), tokenizer), audio, tokenizer


def main() -> None:
    options = loop.parser("tiny-audio", PRESETS).parse_args()
    plan = loop.prepared(options, PRESETS)
    trainer, audio, tokenizer = prepared(options.run, plan, options.resume, options.save_every)
    loop.train_part(trainer, options.run, "checkpoint.pt", options.resume, options.save_every)
    export.write(trainer.average.module.cpu().whole(audio), tokenizer, options.out, vars(trainer.counters))


if __name__ == "__main__":
    main()
