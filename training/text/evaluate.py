"""Measure tiny-text on held-out items and write the tables onto its card. Knows the tasks' checks, not the training.

    python -m training.text.evaluate                        # all tables, n = 300 items each
    python -m training.text.evaluate --n 40 --model FOLDER  # a quick look; the card is left alone

Answers are greedy and in the chat template, unless a row says otherwise.
"""

import argparse
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from training.result import Result
from training.text import card, extraction, formats, generate, labels, personas, sums
from training.text.example import Example, for_evaluation

ROOT = Path(__file__).parents[2]
SEED = "evaluation"
Make = Callable[[random.Random], Example]
Check = Callable[[Example, str], Mapping[str, bool]]


@dataclass(frozen=True)
class Row:
    """One line of a table: the examples, their prompt format, and which of the check's outcomes counts."""

    family: str
    technique: str
    measure: str
    make: Make
    check: Check
    plain_text: bool = False
    changed: Callable[[Example], Example] | None = None


def sum_maker(technique: str, counts: tuple[int, ...] = (3, 4, 5)) -> Make:
    return lambda rng: sums.make(rng, technique, counts, smallest=10)


def label_maker(technique: str, shots: int) -> Make:
    return lambda rng: labels.make(rng, technique, shots)


def maker_of(family: Callable[[random.Random, str], Example], technique: str) -> Make:
    return lambda rng: family(rng, technique)


def without_persona(example: Example) -> Example:
    """The same question without a persona in the prompt."""
    question = str(example.facts["question"])
    return Example(example.family, example.technique, example.keys, ((question, ""),), facts=example.facts)


def sum_rows() -> list[Row]:
    named = {
        "plain": "plain",
        "steps": "step by step",
        "unseen steps": "step by step, unseen wording",
        "number": "only the number",
        "shown steps": "worked examples with steps",
        "shown plain": "worked examples without steps",
    }
    rows = [Row("sums", title, "right", sum_maker(name), sums.check) for name, title in named.items()]
    rows += [
        Row("sums", f"{title}, {n} numbers", "right", sum_maker(name, (n,)), sums.check)
        for name, title in (("plain", "plain"), ("steps", "step by step"))
        for n in (2, 3, 4, 5)
    ]
    rows.append(Row("sums", "only the number", "obeyed", sum_maker("number"), sums.check))
    for name, title in (("plain", "plain, as plain text"), ("steps", "step by step, as plain text")):
        rows.append(Row("sums", title, "right", sum_maker(name), sums.check, plain_text=True))
    return rows


def label_rows() -> list[Row]:
    arbitrary = [
        Row("labels", f"arbitrary words, {k} examples", "right", label_maker("arbitrary", k), labels.check)
        for k in (0, 1, 2, 3, 4, 8)
    ]
    natural = [
        Row("labels", f"natural words, {k} examples", "right", label_maker("natural", k), labels.check)
        for k in (0, 2, 4)
    ]
    plain = Row(
        "labels",
        "arbitrary words, 4 examples, as plain text",
        "right",
        label_maker("arbitrary", 4),
        labels.check,
        plain_text=True,
    )
    return [*arbitrary, *natural, plain]


def extraction_rows() -> list[Row]:
    return [
        Row("extraction", "JSON asked", "valid", maker_of(extraction.make, "json"), extraction.check),
        Row("extraction", "JSON asked", "right", maker_of(extraction.make, "json"), extraction.check),
        Row("extraction", "summary asked", "right", maker_of(extraction.make, "summary"), extraction.check),
        Row("extraction", "summary asked", "valid", maker_of(extraction.make, "summary"), extraction.check),
    ]


def persona_rows() -> list[Row]:
    with_persona = [
        Row("personas", name, "marked", maker_of(personas.make, name), personas.check) for name in personas.PERSONAS
    ]
    without = [
        Row(
            "personas",
            f"{name}'s questions, no persona",
            "any marker",
            maker_of(personas.make, name),
            personas.any_marker,
            changed=without_persona,
        )
        for name in personas.PERSONAS
    ]
    return [*with_persona, *without]


def format_rows() -> list[Row]:
    names = [name for name in formats.TECHNIQUES if name != "none"]
    return [
        Row("formats", name, measure, maker_of(formats.make, name), formats.check)
        for name in names
        for measure in ("obeyed", "right")
    ]


TABLES: dict[str, Callable[[], list[Row]]] = {
    "sums": sum_rows,
    "labels": label_rows,
    "extraction": extraction_rows,
    "personas": persona_rows,
    "formats": format_rows,
}


class Judge:
    """Generates the model's answers and caches them, so that two measures of the same items cost one run."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, n: int, show: int = 0) -> None:
        self.model, self.tokenizer, self.n, self.show = model, tokenizer, n, show
        self.kept: dict[tuple[str, str], list[tuple[Example, str]]] = {}

    def answered(self, row: Row) -> list[tuple[Example, str]]:
        key = (row.family, row.technique)
        if key not in self.kept:
            rng = random.Random(f"{SEED}/{row.family}/{row.technique}")
            drawn = [for_evaluation(row.make, rng) for _ in range(self.n)]
            examples = [row.changed(example) for example in drawn] if row.changed else drawn
            prompts = [
                generate.plain_prompt(e) if row.plain_text else generate.chat_prompt(self.tokenizer, e)
                for e in examples
            ]
            answers = generate.answers(self.model, self.tokenizer, prompts)
            self.kept[key] = list(zip(examples, answers, strict=True))
            for prompt, answer in list(zip(prompts, answers, strict=True))[: self.show]:
                print(f"--- {key}\n{prompt}\n>>> {answer}")
        return self.kept[key]

    def measured(self, row: Row) -> Result:
        pairs = self.answered(row)
        hits = sum(row.check(example, answer)[row.measure] for example, answer in pairs)
        return Result(f"{row.family}: {row.technique}", row.measure, hits, len(pairs))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure tiny-text on held-out items.")
    parser.add_argument("--model", type=Path, default=ROOT / "models/tiny-text")
    parser.add_argument("--n", type=int, default=300, help="items a row (the card is only written from 300 on)")
    parser.add_argument("--families", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--show", type=int, default=0, help="print so many answers a row")
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32).eval()
    judge, results = Judge(model, tokenizer, options.n, options.show), []
    for family in options.families:
        family_results = [judge.measured(row) for row in TABLES[family]()]
        print(card.table(family_results), flush=True)
        results += family_results
    if options.n >= 300 and options.families == list(TABLES):
        text = json.dumps(
            {"n": options.n, "results": [asdict(r) | {"interval": r.interval} for r in results]}, indent=1
        )
        (options.model / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        card.write(options.model, results)


if __name__ == "__main__":
    main()
