"""Measure a trained tiny-image on held-out scenes by a judge's readings of its pictures, and write its card's tables.

    python -m training.image.evaluate --model models/tiny-image      # some minutes; also: make evaluate-image

The judge (judge.py) is trained on drawn pictures; its accuracy on those is reported too.
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
class HeldOutRequest:
    """A held-out scene, its caption, and a negative prompt or ''."""

    scene: Scene
    caption: Caption
    negative: str = ""


def single(rng: random.Random) -> Scene:
    """A random scene with one group of shapes."""
    while True:
        candidate = scene.shapes(rng)
        if not candidate.relation:
            return candidate


def held_out_requests(kind: str, count: int) -> list[HeldOutRequest]:
    """Captions of held-out scenes."""
    rng = random.Random(f"{SEED} {kind}")
    make = single if kind == "shapes" else scene.landscape
    scenes = [scene.for_evaluation(rng, make) for _ in range(count)]
    return [HeldOutRequest(held_out, captions.caption(held_out, rng)) for held_out in scenes]


class Painter:
    """The pipeline, without progress bars, with the judge of its pictures."""

    def __init__(self, folder: Path, steps: int = STEPS, guidance: float = GUIDANCE) -> None:
        self.pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32, safety_checker=None)
        self.pipeline.set_progress_bar_config(disable=True)
        self.judge, self.steps, self.guidance = judge.load(), steps, guidance

    def painted(self, prompts: Sequence[str], negatives: Sequence[str] | None = None) -> Iterator[pictures.Pixels]:
        """One picture a prompt, each with its own seed: height x width x 3, uint8."""
        for start in range(0, len(prompts), BATCH):
            part = list(prompts[start : start + BATCH])
            output = self.pipeline(
                part,
                negative_prompt=list(negatives[start : start + BATCH]) if negatives else None,
                num_inference_steps=self.steps,
                guidance_scale=self.guidance,
                generator=[torch.Generator().manual_seed(SEED + start + i) for i in range(len(part))],
            )
            yield from (np.asarray(image) for image in output.images)

    def read(self, prompts: Sequence[str], negatives: Sequence[str] | None = None) -> list[dict[str, str]]:
        """The judge's reading of each prompt's picture."""
        images = list(self.painted(prompts, negatives))
        return self.judge.readings(torch.from_numpy(pictures.stacked(images)))

    def mentioned(self, count: int) -> list[Result]:
        """How often the judge reads what the caption mentions, by property."""
        hits = defaultdict[str, list[bool]](list)
        for kind in ("shapes", "landscapes"):
            requests = held_out_requests(kind, count)
            for request, reading in zip(
                requests, self.read([request.caption.text for request in requests]), strict=True
            ):
                for name, value in request.caption.mentions.items():
                    right = reading[name] == value
                    hits[name].append(right)
                    if isinstance(request.scene, Landscape):
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
        """How often an unmentioned background or landscape feature appears, without and with a negative prompt for
        it."""
        plain, negatives, unasked_facts = unasked(count)
        results = []
        for words, against in (("left to chance", None), ("named in the negative prompt", negatives)):
            readings = self.read(plain, against)
            for name in dict.fromkeys(name for name, _ in unasked_facts):
                rows = [
                    reading[n] == value
                    for reading, (n, value) in zip(readings, unasked_facts, strict=True)
                    if n == name
                ]
                results.append(Result(f"{name}, {words}", "is there", sum(rows), len(rows)))
        return results


def unasked(count: int) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """(prompts, negative prompts, facts): each prompt leaves a fact open, which its negative prompt names."""
    rng = random.Random(f"{SEED} unasked")
    rows = []
    for index in range(count):
        if index % 2:
            color, background = rng.sample(["white", "black", "yellow", "green", "blue"], 2)
            words = f"a {background} background"
            rows.append((f"a {color} {rng.choice(scene.SHAPES)}", words, ("background", background)))
        else:
            feature, mentioned_feature = rng.sample(["trees", "houses", "mountains", "clouds"], 2)
            words = f"{rng.choice(captions.FEATURES[mentioned_feature])} {rng.choice(captions.TIMES['day'])}"
            rows.append((words, rng.choice(captions.FEATURES[feature]), (feature, "yes")))
    prompts, negatives, facts = zip(*rows, strict=True)
    return list(prompts), list(negatives), list(facts)


def seconds(painter: Painter) -> float:
    """Seconds for one picture: the fastest of three after a warm-up."""
    durations = []
    for _ in range(4):
        start = time.monotonic()
        list(painter.painted(["a red star on a white background"]))
        durations.append(time.monotonic() - start)
    return min(durations[1:])


def judged(count: int) -> list[Result]:
    """The judge's accuracy on drawn held-out pictures: the ceiling of every other measure."""
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
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    painter = Painter(options.model, options.steps, options.guidance)
    results = painter.mentioned(options.n)
    print(card.bars(results), tables.table(results), sep="\n\n")
    others = [*painter.avoided(options.n), *judged(1000)]
    compute_seconds = seconds(painter)
    print(tables.table(others), f"{compute_seconds:.2f} s a picture", sep="\n\n")
    if options.n >= 300:
        every = [*results, *others]
        rows = [asdict(r) | {"share": r.share, "interval": r.interval} for r in every]
        text = json.dumps(
            {"n": options.n, "steps": STEPS, "guidance": GUIDANCE, "seconds": compute_seconds, "results": rows},
            indent=1,
        )
        (options.model / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        card.write(options.model, results, others, compute_seconds)


if __name__ == "__main__":
    main()
