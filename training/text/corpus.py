"""From examples to batches: the mixture, the prompt formats, tokens, rows. Knows nothing of a task's content.

A row is one document that starts at position 0, as at inference. Batches hold rows of similar length, padded on the
right; a causal model needs no attention mask for that. A seed's pools are deterministic, so that two numbers resume the
stream.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from training.text import echo, extraction, formats, labels, personas, sums
from training.text.example import Example, for_training, gap
from training.text.prose import Prose
from training.text.words import forms

# The loss weight of an answer's token: a label is one word in a hundred, a tale is all answer.
EMPHASIS = {"labels": 4.0, "echo": 2.0, "sums": 2.0, "extraction": 1.5, "formats": 1.5, "personas": 0.7, "prose": 0.25}
RAW_FORMS = forms("corpus")["raw_forms"]


END, SYSTEM, USER, ASSISTANT = "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>"
PROMPT_WEIGHT, PROSE_PROMPT_WEIGHT, PROMPTS_LEARNED = 0.2, 1.0, 0.33
POOL, LONGEST = 2048, 512
Segment = tuple[str, float]
Maker = Callable[[random.Random], Example]


@dataclass(frozen=True)
class Mixture:
    """How often each family is drawn (by example, not by token), with a curriculum (Bengio et al. 2009).

    A small model learns some skills only apart and in order: copying a word, then telling praise from blame, then
    naming them as a prompt's examples do. Mixed with all else, the last stayed at chance for 14 million tokens; in this
    order it took one million. So some pools mostly hold one skill.
    """

    corpus: Path
    sums: float = 40
    labels: float = 22
    extraction: float = 16
    personas: float = 10
    formats: float = 8
    prose: float = 3
    echo: float = 1

    def makers(self, pool: int) -> dict[Maker, float]:
        """The makers of a pool's examples, with their weights."""
        weights: dict[Maker, float] = {
            sums.make: self.sums,
            labels.make: self.labels,
            extraction.make: self.extraction,
            personas.make: self.personas,
            formats.make: self.formats,
            Prose(self.corpus).make: self.prose,
            echo.make: self.echo,
        }
        for first, end, maker, weight in CURRICULUM:
            if first <= pool < end:
                return weights | {maker: weight}
        return weights


CURRICULUM: tuple[tuple[int, int, Maker, float], ...] = (
    (0, 3, echo.make, 1500),
    (81, 86, labels.make_plain, 900),
    (86, 95, labels.make, 400),
)
"""(first pool, end, maker, weight) of the pools that mostly hold one skill; the mixture's own weights sum to 100.

The later ones come after the model has learned the language: a new model learned nothing from seven pools of them."""


def chat(example: Example) -> list[Segment]:
    """The chat template's text, with every answer as a target."""
    segments = [(SYSTEM + example.system, PROMPT_WEIGHT)] if example.system else []
    for user, answer in example.turns:
        segments += [(USER + user + ASSISTANT, PROMPT_WEIGHT), (answer + END, 1.0)]
    return segments


def chat_merged(example: Example) -> list[Segment]:
    """The chat template's text, with all turns but the last answer in one user message."""
    head = SYSTEM + example.system + USER if example.system else USER
    shown = [(head, PROMPT_WEIGHT), *shown_turns(example)]
    return [*shown, (example.turns[-1][0] + ASSISTANT, PROMPT_WEIGHT), (example.answer + END, 1.0)]


def shown_turns(example: Example) -> list[Segment]:
    """A prompt's examples. An answer is a target from its second occurrence on: the first is unpredictable."""
    segments: list[Segment] = []
    for index, (user, answer) in enumerate(example.turns[:-1]):
        foreseen = any(answer == earlier for _, earlier in example.turns[:index])
        segments += [(user, PROMPT_WEIGHT), (gap(user) + answer, 1.0 if foreseen else PROMPT_WEIGHT)]
        segments.append((example.glue, PROMPT_WEIGHT))
    return segments


def raw(example: Example, rng: random.Random) -> list[Segment]:
    """Plain text: a prompt that ends in a cue (":", "=>") is continued on its line, any other on the next."""
    head = example.system + "\n" if example.system else ""
    if len(example.turns) > 1:
        return raw_turns(example, head)
    prompt = example.turns[0][0]
    if example.family == "prose":
        return [(head + prompt, PROSE_PROMPT_WEIGHT), (" " + example.answer + END, 1.0)]
    if example.family == "labels" or prompt.endswith(("=", ":")):
        return [(head + prompt, PROMPT_WEIGHT), (gap(prompt) + example.answer + END, 1.0)]
    form, cue = rng.choice(RAW_FORMS)
    return [
        (form.format(head + prompt) + cue.rstrip(" "), PROMPT_WEIGHT),
        (" " * cue.endswith(" ") + example.answer + END, 1.0),
    ]


def raw_turns(example: Example, head: str) -> list[Segment]:
    user = example.turns[-1][0]
    shown = [(head, PROMPT_WEIGHT), *shown_turns(example), (user, PROMPT_WEIGHT)]
    return [*shown, (gap(user) + example.answer + END, 1.0)]


def framed(example: Example, rng: random.Random) -> list[Segment]:
    """One of the formats: mostly the chat template, else plain text."""
    many, kind = len(example.turns) > 1, rng.random()
    if kind < (0.25 if not many else 0.3):
        return raw(example, rng)
    return chat_merged(example) if not many or kind < 0.72 else chat(example)


@dataclass(frozen=True)
class Row:
    """Token ids and, for each, its loss weight as a target; both of one length, at most LONGEST."""

    ids: list[int]
    weights: list[float]


def rows(tokenizer: Tokenizer, documents: list[list[Segment]]) -> list[Row]:
    """One row a document. Prompt and answer are encoded apart: a token ends where the prompt ends, as at inference."""
    prompts = tokenizer.encode_batch(
        ["".join(t for t, _ in parts[:-1]) for parts in documents], add_special_tokens=False
    )
    answers = tokenizer.encode_batch([parts[-1][0] for parts in documents], add_special_tokens=False)
    tokenized = []
    for parts, prompt, answer in zip(documents, prompts, answers, strict=True):
        ends = list(accumulate(len(text) for text, _ in parts[:-1]))
        weights = [parts[bisect_right(ends, start)][1] for start, _ in prompt.offsets]
        weights += [parts[-1][1]] * len(answer.ids)
        tokenized.append(Row((prompt.ids + answer.ids)[:LONGEST], weights[:LONGEST]))
    return tokenized


def documents(mixture: Mixture, seed: int, pool: int, count: int = POOL) -> list[list[Segment]]:
    rng = random.Random(f"{seed}/{pool}")
    makers = mixture.makers(pool)
    chosen = rng.choices(tuple(makers), tuple(makers.values()), k=count)
    return [document(for_training(make, rng), rng) for make in chosen]


def document(example: Example, rng: random.Random) -> list[Segment]:
    """An example's segments. Most prompts are no targets, which saves much of the output layer's time."""
    segments, emphasis = framed(example, rng), EMPHASIS[example.family]
    prompt = 1.0 if rng.random() < PROMPTS_LEARNED else 0.0
    return [(text, weight * emphasis if weight == 1.0 else weight * prompt) for text, weight in segments]


def batches_of(pool: list[Row], tokens: int, rng: random.Random) -> list[list[Row]]:
    """Batches of rows of similar length, at most ``tokens`` positions each with padding, in random order."""
    batches: list[list[Row]] = [[]]
    for row in sorted(pool, key=lambda row: len(row.ids)):
        if len(row.ids) * (len(batches[-1]) + 1) > tokens and batches[-1]:
            batches.append([])
        batches[-1].append(row)
    rng.shuffle(batches)
    return batches


def stream(
    tokenizer: Tokenizer, mixture: Mixture, seed: int, tokens: int, parts: int, pool: int = 0, step: int = 0
) -> Iterator[tuple[int, int, list[list[Row]]]]:
    """Endless (pool, step in it, batches), from a given pool and step on; deterministic in these and the seed."""
    while True:
        pool_rows = rows(tokenizer, documents(mixture, seed, pool))
        batches = batches_of(pool_rows, tokens, random.Random(f"{seed}/{pool}/order"))
        for index in range(step, len(batches) // parts):
            yield pool, index, batches[index * parts : (index + 1) * parts]
        pool, step = pool + 1, 0


def weight(batch: list[Row]) -> float:
    """The sum of the weights of all targets of a batch."""
    return sum(sum(row.weights[1:]) for row in batch)


def padded(batch: list[Row], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """(ids, weights), both rows x positions, int64 and float32; padding has weight 0."""
    width = max(len(row.ids) for row in batch)
    ids = np.full((len(batch), width), pad_id, dtype=np.int64)
    weights = np.zeros((len(batch), width), dtype=np.float32)
    for i, row in enumerate(batch):
        ids[i, : len(row.ids)] = row.ids
        weights[i, : len(row.weights)] = row.weights
    return ids, weights
