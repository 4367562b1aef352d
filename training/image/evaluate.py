"""Measure a trained tiny-image on scenes that it never saw, as a judge reads its pictures, and write its card's tables.

    python -m training.image.evaluate --model models/tiny-image      # some minutes; also: make evaluate-image

The judge (judge.py) learnt from drawn pictures; its own mistakes on those are reported beside.
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
from diffusers import StableDiffusionPipeline

from training import card as tables
from training.image import captions, card, judge, pictures, scene
from training.image.captions import Caption
from training.image.scene import Landscape, Scene
from training.loop import ROOT
from training.result import Result

SEED, STEPS, GUIDANCE, BATCH = 20_000, 20, 4.0, 25
ROWS = ("color", "shape", "background", "number", "scene attribute", "size", "position", "time", *scene.FEATURES)


@dataclass(frozen=True)
class Asked:
    """A held-out scene, its caption, and what must not be in the picture, if anything."""

    scene: Scene
    caption: Caption
    negative: str = ""


def single(rng: random.Random) -> Scene:
    """One group of shapes."""
    while True:
        found = scene.shapes(rng)
        if not found.relation:
            return found


def asked(kind: str, count: int) -> list[Asked]:
    """Captions of held-out scenes."""
    rng = random.Random(f"{SEED} {kind}")
    make = single if kind == "shapes" else scene.landscape
    found = [scene.for_evaluation(rng, make) for _ in range(count)]
    return [Asked(one, captions.caption(one, rng)) for one in found]


class Painter:
    """The pipeline, quiet, with the judge that reads what it paints."""

    def __init__(self, folder: Path, steps: int = STEPS, guidance: float = GUIDANCE) -> None:
        self.pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32, safety_checker=None)
        self.pipeline.set_progress_bar_config(disable=True)
        self.judge, self.steps, self.guidance = judge.load(), steps, guidance

    def painted(self, prompts: Sequence[str], negatives: Sequence[str] | None = None) -> Iterator[pictures.Pixels]:
        """One picture a prompt, each from its own seed."""
        for start in range(0, len(prompts), BATCH):
            part = list(prompts[start : start + BATCH])
            made = self.pipeline(
                part,
                negative_prompt=list(negatives[start : start + BATCH]) if negatives else None,
                num_inference_steps=self.steps,
                guidance_scale=self.guidance,
                generator=[torch.Generator().manual_seed(SEED + start + i) for i in range(len(part))],
            )
            yield from (np.asarray(image) for image in made.images)

    def read(self, prompts: Sequence[str], negatives: Sequence[str] | None = None) -> list[dict[str, str]]:
        """What the judge sees in each."""
        images = list(self.painted(prompts, negatives))
        return self.judge.readings(torch.from_numpy(pictures.stacked(images)))

    def mentioned(self, count: int) -> list[Result]:
        """How often each thing that a caption mentions is what the judge sees."""
        hits = defaultdict[str, list[bool]](list)
        for kind in ("shapes", "landscapes"):
            listed = asked(kind, count)
            for one, seen in zip(listed, self.read([one.caption.text for one in listed]), strict=True):
                for name, value in one.caption.mentions.items():
                    right = seen[name] == value
                    hits[name].append(right)
                    if isinstance(one.scene, Landscape):
                        hits["scene attribute"].append(right)
        order = (
            "color",
            "shape",
            "background",
            "number",
            "scene attribute",
            "size",
            "position",
            "time",
            *scene.FEATURES,
        )
        return [Result(name, "as the caption says", sum(hits[name]), len(hits[name])) for name in order if hits[name]]

    def avoided(self, count: int) -> list[Result]:
        """How often a background, or a thing in a landscape, that nobody asked for is there: left to chance, and with
        the negative prompt against it."""
        plain, negatives, wanted = unasked(count)
        results = []
        for words, against in (("left to chance", None), ("named in the negative prompt", negatives)):
            seen = self.read(plain, against)
            for name in dict.fromkeys(name for name, _ in wanted):
                rows = [one[n] == value for one, (n, value) in zip(seen, wanted, strict=True) if n == name]
                results.append(Result(f"{name}, {words}", "is there", sum(rows), len(rows)))
        return results


def unasked(count: int) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Prompts that leave something open, negative prompts against one way to fill it, and what that is."""
    rng = random.Random(f"{SEED} unasked")
    rows = []
    for index in range(count):
        if index % 2:
            color, background = rng.sample(["white", "black", "yellow", "green", "blue"], 2)
            words = f"a {background} background"
            rows.append((f"a {color} {rng.choice(scene.SHAPES)}", words, ("background", background)))
        else:
            thing, there = rng.sample(["trees", "houses", "mountains", "clouds"], 2)
            words = f"{rng.choice(captions.FEATURES[there])} {rng.choice(captions.TIMES['day'])}"
            rows.append((words, rng.choice(captions.FEATURES[thing]), (thing, "yes")))
    prompts, negatives, wanted = zip(*rows, strict=True)
    return list(prompts), list(negatives), list(wanted)


def seconds(painter: Painter) -> float:
    """Of one picture, the quickest of three, the first being for warming up."""
    found = []
    for _ in range(4):
        began = time.monotonic()
        list(painter.painted(["a red star on a white background"]))
        found.append(time.monotonic() - began)
    return min(found[1:])


def judged(count: int) -> list[Result]:
    """How often the judge reads drawn pictures right: the ceiling of everything above."""
    shares = judge.accuracy(judge.load(), count)
    return [Result(name, "read right by the judge on drawn pictures", *counts) for name, counts in shares.items()]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure tiny-image on scenes that it never saw.")
    parser.add_argument("--model", type=Path, default=ROOT / "models/tiny-image")
    parser.add_argument("--n", type=int, default=300, help="captions of each kind (the card is written from 300 on)")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--guidance", type=float, default=GUIDANCE)
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


def main() -> None:
    wanted = arguments()
    if wanted.threads:
        torch.set_num_threads(wanted.threads)
    painter = Painter(wanted.model, wanted.steps, wanted.guidance)
    results = painter.mentioned(wanted.n)
    print(card.bars(results), tables.table(results), sep="\n\n")
    others = [*painter.avoided(wanted.n), *judged(1000)]
    took = seconds(painter)
    print(tables.table(others), f"{took:.2f} s a picture", sep="\n\n")
    if wanted.n >= 300:
        every = [*results, *others]
        listed = [asdict(r) | {"share": r.share, "interval": r.interval} for r in every]
        text = json.dumps(
            {"n": wanted.n, "steps": STEPS, "guidance": GUIDANCE, "seconds": took, "results": listed}, indent=1
        )
        (wanted.model / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        card.write(wanted.model, results, others, took)


if __name__ == "__main__":
    main()
