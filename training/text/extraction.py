"""Extraction of a sentence's facts as JSON with given keys, or as a summary. Knows nothing of the other tasks."""

import json
import random
from collections.abc import Callable

from training.text.example import Example
from training.text.phrasing import arrange, casual, chance, listed, made_up, neutral_system, polite
from training.text.sums import FIRST_NAMES
from training.text.words import table, words

_WORDS = words("extraction")
REQUESTS = _WORDS["requests"]
SUMMARIES = _WORDS["summaries"]


RECORDS = table("records")
ALIASES, WORDS = RECORDS.pop("aliases"), RECORDS.pop("words")
Value = str | int
MATERIALS = ("{}", "{}", "{}", "Text: {}", "Sentence: {}", '"{}"', "The text: {}", "Here is the text: {}")


def title(rng: random.Random) -> str:
    return f"{rng.choice(WORDS['title_first'])} {rng.choice(WORDS['title_last'])}"


def person(rng: random.Random) -> str:
    first = made_up(rng).capitalize() if chance(rng, 0.5) else rng.choice(FIRST_NAMES)
    last = made_up(rng).capitalize() if chance(rng, 0.4) else rng.choice(WORDS["surname"])
    return f"{first} {last}" if chance(rng, 0.3) else first


def whole(low: int, high: int) -> Callable[[random.Random], int]:
    return lambda rng: rng.randint(low, high)


def word(field: str) -> Callable[[random.Random], str]:
    """One of the field's words; names of places and firms are often made up, so that they must be copied."""

    def draw(rng: random.Random) -> str:
        if field in ("city", "company") and chance(rng, 0.4):
            return made_up(rng, rng.choice((2, 3))).capitalize()
        return str(rng.choice(WORDS[field]))

    return draw


DRAWS: dict[str, Callable[[random.Random], Value]] = {
    "name": person,
    "author": person,
    "title": title,
    "age": whole(5, 99),
    "price": whole(2, 900),
    "guests": whole(10, 500),
    "year": whole(1800, 2026),
    "pages": whole(40, 900),
    "temperature": whole(1, 39),
    "quantity": whole(2, 99),
    "weight": whole(2, 90),
    "origin": word("city"),
    "destination": word("city"),
}


def fields_of(kind: str) -> list[str]:
    return [name for name in (*DRAWS, *WORDS) if "{" + name + "}" in RECORDS[kind]["sentences"][0]]


def drawn_record(rng: random.Random) -> tuple[str, dict[str, Value]]:
    kind = rng.choice(tuple(RECORDS))
    return kind, {field: DRAWS.get(field, word(field))(rng) for field in fields_of(kind)}


def request(rng: random.Random, keys: list[str]) -> str:
    shown = [f'"{key}"' for key in keys] if chance(rng, 0.15) else keys
    text = rng.choice(REQUESTS).format(keys=listed(rng, shown))
    return casual(rng, polite(rng, text) if text.startswith(("Extract", "Give", "Return")) else text)


def make(rng: random.Random, technique: str | None = None) -> Example:
    technique = technique or rng.choices(("json", "summary"), (80, 20))[0]
    kind, record = drawn_record(rng)
    text = rng.choice(MATERIALS).format(rng.choice(RECORDS[kind]["sentences"]).format(**record))
    key = f"record {kind} {sorted(record.items())}"
    if technique == "summary":
        summary = RECORDS[kind]["summary"].format(**record)
        system, user = arrange(rng, casual(rng, rng.choice(SUMMARIES)), text)
        return Example("extraction", technique, (key,), ((user, summary),), system, facts={"summary": summary})
    target = target_record(rng, record)
    system, user = arrange(rng, request(rng, list(target)), text)
    system = system or neutral_system(rng)
    return Example("extraction", technique, (key,), ((user, json.dumps(target)),), system, facts={"record": target})


def target_record(rng: random.Random, record: dict[str, Value]) -> dict[str, Value]:
    """Two or more of the fields in random order, each under one of its names."""
    fields = rng.sample(list(record), rng.randint(2, len(record)))
    return {rng.choice(ALIASES[field]): record[field] for field in fields}


def check(example: Example, text: str) -> dict[str, bool]:
    """Valid: a JSON object with exactly the asked keys. Right: their values too. A summary is right word for word."""
    if example.technique == "summary":
        return {"valid": "{" not in text, "right": text.strip() == example.facts["summary"]}
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError:
        return {"valid": False, "right": False}
    target = example.facts["record"]
    assert isinstance(target, dict)
    return {"valid": isinstance(parsed, dict) and set(parsed) == set(target), "right": parsed == target}
