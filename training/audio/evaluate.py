"""Measure a trained tiny-audio on held-out sounds by a judge's readings of its clips, and write its card's tables.

    python -m training.audio.evaluate --model models/tiny-audio      # some minutes; also: make evaluate-audio

The judge (judge.py) is trained on synthesised sounds; its accuracy on those is reported too, before and after the
codec.
"""

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoProcessor, MusicgenForConditionalGeneration

from training import card as tables
from training.audio import captions, card, codec, judge, sound
from training.audio.captions import Caption
from training.audio.sound import Sound
from training.audio.synthesis import LENGTH, RATE
from training.loop import ROOT
from training.result import Result

SEED, BATCH, QUIET = 30_000, 25, 1e-3
ROWS = tuple(judge.READS)


@dataclass(frozen=True)
class Quality:
    """The codec's quality in dB (medians over sounds): log-spectral distance, and signal-to-noise ratio."""

    spectra: float
    signal: float


def held_out_captions(count: int) -> list[tuple[Sound, Caption]]:
    """Held-out sounds and their captions: of six, four tuned, one of drums, one noise."""
    rng = random.Random(f"{SEED} asked")
    makes = (sound.tuned, sound.tuned, sound.drums, sound.tuned, sound.tuned, sound.noise)
    sounds = [sound.for_evaluation(rng, makes[index % len(makes)]) for index in range(count)]
    return [(held_out, captions.caption(held_out, rng)) for held_out in sounds]


class Player:
    """The model, loaded through transformers, with the judge of its clips."""

    def __init__(self, folder: Path) -> None:
        self.processor = AutoProcessor.from_pretrained(folder)
        self.model = MusicgenForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.judge = judge.load()

    def generated_clips(self, prompts: Sequence[str], **settings: float) -> torch.Tensor:
        """Clips: prompts x samples, float32; each batch has its own seed."""
        return torch.cat(list(self._batches(prompts, settings)))

    def _batches(self, prompts: Sequence[str], settings: dict[str, float]) -> Iterator[torch.Tensor]:
        for start in range(0, len(prompts), BATCH):
            torch.manual_seed(SEED + start)
            inputs = self.processor(text=list(prompts[start : start + BATCH]), padding=True, return_tensors="pt")
            yield self.model.generate(**inputs, **settings)[:, 0]

    def mentioned(self, count: int, **settings: float) -> list[Result]:
        """How often the judge reads what the caption mentions, by property."""
        pairs = held_out_captions(count)
        clips = self.generated_clips([caption.text for _, caption in pairs], **settings)
        hits = defaultdict[str, list[bool]](list)
        for (_, caption), reading in zip(pairs, self.judge.readings(clips), strict=True):
            for name, value in caption.mentions.items():
                hits[name].append(reading[name] == value)
        return [Result(n, "as the caption says", sum(hits[n]), len(hits[n])) for n in ROWS if hits[n]]

    def judged(self, count: int) -> tuple[list[Result], Quality]:
        """The judge's accuracy on synthesised held-out sounds, before and after the codec; and the codec's quality."""
        sounds, samples = judge.held_out(count)
        coded = codec.decode(self.model.audio_encoder, codec.encode(self.model.audio_encoder, samples))
        rows = []
        for words, clips in (("synthesised sounds", samples), ("synthesised sounds after the codec", coded)):
            shares = judge.agreement(self.judge, sounds, clips)
            rows += [Result(n, f"read right by the judge on {words}", *shares[n]) for n in ROWS if n in shares]
        return rows, quality(coded, samples)


def quality(coded: torch.Tensor, samples: torch.Tensor) -> Quality:
    """Medians over sounds, in dB, of sounds x samples after and before the codec: the log-spectral distance where there
    is sound (windows of 1024 samples), and the signal-to-noise ratio."""
    coded_spectra, spectra = (codec.spectrum(x, 1024) for x in (coded, samples))  # sounds x bins x windows
    loud = spectra > QUIET
    distance = 20 * ((coded_spectra + QUIET).log10() - (spectra + QUIET).log10()).abs()
    means = [float(a[mask].mean()) for a, mask in zip(distance, loud, strict=True)]
    error = (coded - samples).pow(2).sum(1) / samples.pow(2).sum(1)
    return Quality(float(np.median(means)), float((-10 * error.log10()).median()))


def seconds(player: Player) -> float:
    """Seconds of computing for a second of sound: the fastest of three clips after a warm-up."""
    durations = []
    for _ in range(4):
        start = time.monotonic()
        player.generated_clips(["a slow melody on a flute"])
        durations.append(time.monotonic() - start)
    return min(durations[1:]) / (LENGTH / RATE)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure tiny-audio on sounds that it never heard.")
    parser.add_argument("--model", type=Path, default=ROOT / "models/tiny-audio")
    parser.add_argument("--n", type=int, default=600, help="captions (the card is written from 300 on)")
    parser.add_argument("--guidance", type=float, help="default: the model's own")
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    player = Player(options.model)
    results = player.mentioned(options.n, **({"guidance_scale": options.guidance} if options.guidance else {}))
    print(card.bars(results), tables.table(results), sep="\n\n", flush=True)
    others, quality = player.judged(options.n)
    compute_seconds = seconds(player)
    print(tables.table(others), quality, f"{compute_seconds:.2f} s for a second of sound", sep="\n\n")
    if options.n >= 300 and not options.guidance:
        rows = [asdict(r) | {"share": r.share, "interval": r.interval} for r in (*results, *others)]
        text = json.dumps(
            {"n": options.n, "seconds": compute_seconds, "codec": asdict(quality), "results": rows}, indent=1
        )
        (options.model / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        card.write(options.model, results, others, quality, compute_seconds)


if __name__ == "__main__":
    main()
