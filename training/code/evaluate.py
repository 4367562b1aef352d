"""Measure tiny-code on held-out prompts and tasks, and write the card's tables. Does not know how it was trained.

python -m training.code.evaluate
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from core.code_completion import parses, truncated
from training.code import basics, card, corpus, library, sandbox
from training.code.task import INDENT, Task, held_out_task, sentence
from training.generate import completions
from training.result import Result, pass_at

ROOT = Path(__file__).parents[2]
SEED, SAMPLES, TEMPERATURE = 2021, 10, 0.4
LONGEST_TASK = 128  # tokens; the longest body of a generator has fewer
UNSEEN = {make: weight for make, weight in corpus.MIXTURE.items() if make is not basics.make}


def prompt(task: Task, rng: random.Random) -> str:
    """The signature with a docstring on one line."""
    return f'{task.signature()}{INDENT}"""{sentence(task, rng)}"""\n'


def tasks(count: int, makers: dict[corpus.Make, float], seed: str) -> list[tuple[Task, str]]:
    """Held-out tasks with their prompts, no two with the same content."""
    rng, task_by_keys = random.Random(seed), dict[tuple[str, ...], tuple[Task, str]]()
    while len(task_by_keys) < count:
        task = held_out_task(rng.choices(list(makers), list(makers.values()))[0], rng)
        task_by_keys.setdefault(task.keys, (task, prompt(task, rng)))
    return list(task_by_keys.values())


def prompts(count: int, seed: str) -> dict[str, list[str]]:
    """Held-out signatures with docstrings, ``count`` of each kind."""
    listed = [text for _, text in tasks(count, corpus.MIXTURE, f"{seed}/prompts")]
    return {"generated": listed, "standard library": [piece.head for piece in library.prompts(count, SEED)]}


def finished(prompts: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Prompt and completion, cut at the end of the definition."""
    return [truncated(given + text, len(given)) for given, text in zip(prompts, texts, strict=True)]


class Judge:
    """Generates the model's completions and counts those that parse and those that pass."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, show: int = 0) -> None:
        self.model, self.tokenizer, self.show = model, tokenizer, show

    def written(self, prompts: Sequence[str], temperature: float, longest: int = 200) -> list[str]:
        definitions = finished(prompts, completions(self.model, self.tokenizer, prompts, temperature, longest))
        for text in definitions[: self.show]:
            print("---", text, sep="\n")
        return definitions

    def parsing(self, count: int) -> list[Result]:
        """Shares that parse, by kind of prompt and together, greedy and sampled."""
        results = []
        for temperature in (0.0, TEMPERATURE):
            name = f"temperature {temperature}" if temperature else "greedy"
            every = prompts(count, str(SEED))
            hits = {what: sum(parses(c)[0] for c in self.written(p, temperature)) for what, p in every.items()}
            results += [Result(f"{what}, {name}", "parses", n, len(every[what])) for what, n in hits.items()]
            results.append(Result(f"all prompts, {name}", "parses", sum(hits.values()), sum(map(len, every.values()))))
        return results

    def right(self, listed: list[tuple[Task, str]]) -> list[int]:
        """How many of the samples of each task pass all of its checks."""
        repeated = [(task, text) for task, text in listed for _ in range(SAMPLES)]
        codes = self.written([text for _, text in repeated], TEMPERATURE, LONGEST_TASK)
        with ThreadPoolExecutor(2) as pool:
            passed = list(pool.map(verdict, [task for task, _ in repeated], codes))
        return [sum(passed[i : i + SAMPLES]) for i in range(0, len(passed), SAMPLES)]

    def passing(self, count: int) -> list[Result]:
        """pass@1 and pass@5 on unseen combinations, by family, and on unseen wordings of known functions."""
        listed = tasks(count, UNSEEN, f"{SEED}/tasks")
        families = defaultdict[str, list[int]](list)
        for (task, _), n in zip(listed, self.right(listed), strict=True):
            families["unseen combinations"].append(n)
            families[f"of these: {task.keys[0].split(' ')[0]}"].append(n)
        families["known functions, unseen wording"] = self.right(tasks(count // 4, {basics.make: 1}, f"{SEED}/basics"))
        return [
            Result(what, f"pass@{k}", sum(pass_at(k, SAMPLES, n) for n in counts), len(counts))
            for what, counts in families.items()
            for k in (1, 5)
        ]


def verdict(task: Task, code: str) -> bool:
    return parses(code)[0] and sandbox.passes(code, task.name, task.checks, task.reads_file)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure tiny-code on held-out prompts and tasks.")
    parser.add_argument("--model", type=Path, default=ROOT / "models/tiny-code")
    parser.add_argument("--n", type=int, default=300, help="prompts (the card is only written from 300 on)")
    parser.add_argument("--tasks", type=int, default=100, help="tasks (the card is only written from 50 on)")
    parser.add_argument("--show", type=int, default=0, help="print so many completions of each kind")
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()
    judge = Judge(model, tokenizer, options.show)
    results = [*judge.passing(options.tasks), *judge.parsing(options.n // 2)]
    print(card.bars(results), card.table(results), sep="\n\n")
    if options.n >= 300 and options.tasks >= 50:
        listed = [asdict(r) | {"share": r.share, "interval": r.interval} for r in results]
        text = json.dumps({"n": options.n, "tasks": options.tasks, "samples": SAMPLES, "results": listed}, indent=1)
        (options.model / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        card.write(options.model, results)


if __name__ == "__main__":
    main()
