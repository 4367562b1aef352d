"""Measure a trained tiny-audio on sounds that it never heard, as a judge reads its clips, and write its card's tables.

    python -m training.audio.evaluate --model models/tiny-audio      # some minutes; also: make evaluate-audio

The judge (judge.py) learnt from synthesised sounds; its own mistakes on those are reported beside, and how it reads the
same sounds after the codec alone.
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
    """What the codec alone does to a sound: decibels between the spectra, and of signal over error (medians)."""

    spectra: float
    signal: float


def asked(count: int) -> list[tuple[Sound, Caption]]:
    """Held-out sounds and captions for them: of six, four tuned, one of drums, one a noise."""
    rng = random.Random(f"{SEED} asked")
    makes = (sound.tuned, sound.tuned, sound.drums, sound.tuned, sound.tuned, sound.noise)
    found = [sound.for_evaluation(rng, makes[index % len(makes)]) for index in range(count)]
    return [(one, captions.caption(one, rng)) for one in found]


class Player:
    """The model as anyone would load it, with the judge that hears what it makes."""

    def __init__(self, folder: Path) -> None:
        self.processor = AutoProcessor.from_pretrained(folder)
        self.model = MusicgenForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.judge = judge.load()

    def played(self, prompts: Sequence[str], **settings: float) -> torch.Tensor:
        """Clips (prompts x samples); each batch by its own seed."""
        return torch.cat(list(self._batches(prompts, settings)))

    def _batches(self, prompts: Sequence[str], settings: dict[str, float]) -> Iterator[torch.Tensor]:
        for start in range(0, len(prompts), BATCH):
            torch.manual_seed(SEED + start)
            inputs = self.processor(text=list(prompts[start : start + BATCH]), padding=True, return_tensors="pt")
            yield self.model.generate(**inputs, **settings)[:, 0]

    def mentioned(self, count: int, **settings: float) -> list[Result]:
        """How often each thing that a caption mentions is what the judge hears."""
        listed = asked(count)
        clips = self.played([said.text for _, said in listed], **settings)
        hits = defaultdict[str, list[bool]](list)
        for (_, said), heard in zip(listed, self.judge.readings(clips), strict=True):
            for name, value in said.mentions.items():
                hits[name].append(heard[name] == value)
        return [Result(n, "as the caption says", sum(hits[n]), len(hits[n])) for n in ROWS if hits[n]]

    def judged(self, count: int) -> tuple[list[Result], Quality]:
        """How often the judge reads real held-out sounds right, before and after the codec; and the codec's quality."""
        heard, samples = judge.held_out(count)
        again = codec.decoded(self.model.audio_encoder, codec.encoded(self.model.audio_encoder, samples))
        rows = []
        for words, clips in (("synthesised sounds", samples), ("synthesised sounds after the codec", again)):
            shares = judge.agreement(self.judge, heard, clips)
            rows += [Result(n, f"read right by the judge on {words}", *shares[n]) for n in ROWS if n in shares]
        return rows, quality(again, samples)


def quality(made: torch.Tensor, samples: torch.Tensor) -> Quality:
    """Log-spectral distance where there is sound (windows of 1024), and signal over error."""
    one, other = (codec.spectrum(x, 1024) for x in (made, samples))
    loud = other > QUIET
    apart = 20 * ((one + QUIET).log10() - (other + QUIET).log10()).abs()
    spectra = [float(a[there].mean()) for a, there in zip(apart, loud, strict=True)]
    error = (made - samples).pow(2).sum(1) / samples.pow(2).sum(1)
    return Quality(float(np.median(spectra)), float((-10 * error.log10()).median()))


def seconds(player: Player) -> float:
    """Of computing for a second of sound: the quickest of three clips, the first being for warming up."""
    found = []
    for _ in range(4):
        began = time.monotonic()
        player.played(["a slow melody on a flute"])
        found.append(time.monotonic() - began)
    return min(found[1:]) / (LENGTH / RATE)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure tiny-audio on sounds that it never heard.")
    parser.add_argument("--model", type=Path, default=ROOT / "models/tiny-audio")
    parser.add_argument("--n", type=int, default=600, help="captions (the card is written from 300 on)")
    parser.add_argument("--guidance", type=float, help="default: the model's own")
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


def main() -> None:
    wanted = arguments()
    if wanted.threads:
        torch.set_num_threads(wanted.threads)
    player = Player(wanted.model)
    results = player.mentioned(wanted.n, **({"guidance_scale": wanted.guidance} if wanted.guidance else {}))
    print(card.bars(results), tables.table(results), sep="\n\n", flush=True)
    others, found = player.judged(wanted.n)
    took = seconds(player)
    print(tables.table(others), found, f"{took:.2f} s for a second of sound", sep="\n\n")
    if wanted.n >= 300 and not wanted.guidance:
        listed = [asdict(r) | {"share": r.share, "interval": r.interval} for r in (*results, *others)]
        text = json.dumps({"n": wanted.n, "seconds": took, "codec": asdict(found), "results": listed}, indent=1)
        (wanted.model / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        card.write(wanted.model, results, others, found, took)


if __name__ == "__main__":
    main()
