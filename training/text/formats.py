"""The form of an answer: one word, a list of k, capitals, yes or no, a number of sentences. Knows no personas."""

import random
from collections.abc import Callable

from training.text.example import Example
from training.text.phrasing import arrange, casual, chance, neutral_system, polite, weighted
from training.text.subjects import CATEGORIES, FACTS, Subject, article, explanation, fact, greeting
from training.text.words import words

_WORDS = words("formats")
ONE_WORD = _WORDS["one_word"]
UPPER = _WORDS["upper"]
YES_NO = _WORDS["yes_no"]
ONE_SENTENCE = _WORDS["one_sentence"]
TWO_SENTENCES = _WORDS["two_sentences"]
LISTS = _WORDS["lists"]
BULLETS = _WORDS["bullets"]
NUMBERED = _WORDS["numbered"]
BULLETED_REQUESTS = _WORDS["bulleted_requests"]


COUNTS = {2: ("two", "2"), 3: ("three", "3"), 4: ("four", "4"), 5: ("five", "5"), 6: ("six", "6")}
TECHNIQUES = {
    "one word": 18,
    "bullets": 22,
    "numbered": 9,
    "upper case": 17,
    "yes or no": 12,
    "one sentence": 9,
    "two sentences": 8,
    "none": 18,
}
Built = tuple[str, str, str, str, dict[str, object]]  # key, system, user, answer, facts


def one_word(rng: random.Random) -> Built:
    if chance(rng, 0.3):
        things, items = rng.choice(tuple(CATEGORIES.items()))
        text = rng.choice(
            (
                "Name one of the {}.",
                "Give me one of the {}.",
                "Which one of the {} comes to mind?",
                "Tell me one of the {}.",
            )
        ).format(things)
        system, user = arrange(rng, casual(rng, rng.choice(ONE_WORD)), text)
        return f"one of {things}", system, user, rng.choice(items), {"options": tuple(items)}
    about = fact(rng)
    system, user = arrange(rng, casual(rng, rng.choice(ONE_WORD)), about.question)
    return about.key, system, user, about.short, {"options": (about.short,)}


def list_of(style: str) -> Callable[[random.Random], Built]:
    def build(rng: random.Random) -> Built:
        things, items = rng.choice(tuple(CATEGORIES.items()))
        count = rng.choice(tuple(COUNTS))
        names = {"k": rng.choice(COUNTS[count]), "things": things}
        if style == "bullets" and chance(rng, 0.5):
            system, user = neutral_system(rng), casual(rng, polite(rng, rng.choice(BULLETED_REQUESTS).format(**names)))
        else:
            request = rng.choice(LISTS).format(**names)
            system, user = arrange(
                rng, casual(rng, rng.choice(BULLETS if style == "bullets" else NUMBERED)), casual(rng, request)
            )
        chosen = rng.sample(items, count)
        lines = [f"- {item}" if style == "bullets" else f"{i}. {item}" for i, item in enumerate(chosen, 1)]
        return f"list {things} {count}", system, user, "\n".join(lines), {"items": tuple(items), "count": count}

    return build


def upper_case(rng: random.Random) -> Built:
    about = rng.choices((explanation, fact, greeting), (40, 45, 15))[0](rng)
    text = " ".join(about.sentences[:2]).upper()
    system, user = arrange(rng, rng.choice(UPPER), casual(rng, about.question))
    return about.key, system, user, text, {"answer": text}


def yes_or_no(rng: random.Random) -> Built:
    question, answer = claim(rng)
    system, user = arrange(rng, casual(rng, rng.choice(YES_NO)), question)
    return question, system, user, answer, {"answer": answer}


def claim(rng: random.Random) -> tuple[str, str]:
    """A question whose answer is yes or no, both equally often."""
    true = chance(rng, 0.5)
    if chance(rng, 0.5):
        group = FACTS["facts"][rng.choice((0, 1))]
        a = rng.choice(tuple(group["pairs"]))
        b = group["pairs"][a] if true else rng.choice([x for x in group["pairs"].values() if x != group["pairs"][a]])
        return (
            f"Is {b} the {'capital' if 'capital' in group['sentence'] else 'opposite'} of {a}?",
            "yes" if true else "no",
        )
    things = rng.choice(("animals", "fruits", "vegetables", "flowers", "instruments", "vehicles", "tools"))
    other = rng.choice([c for c in ("animals", "fruits", "tools", "instruments", "vehicles") if c != things])
    noun = rng.choice(CATEGORIES[things])
    return f"Is {article(noun)} {article((things if true else other)[:-1])}?", "yes" if true else "no"


def length_of(count: int, phrases: list[str]) -> Callable[[random.Random], Built]:
    def build(rng: random.Random) -> Built:
        about = explanation(rng)
        system, user = arrange(rng, casual(rng, rng.choice(phrases)), casual(rng, about.question))
        return (
            about.key,
            system,
            user,
            " ".join(about.sentences[:count]),
            {"sentences": count, "answer": " ".join(about.sentences[:count])},
        )

    return build


def unconstrained(rng: random.Random) -> Built:
    """A question without a required form."""
    about = fact(rng) if chance(rng, 0.6) else listing(rng)
    return about.key, neutral_system(rng), casual(rng, about.question), " ".join(about.sentences), {}


def listing(rng: random.Random) -> Subject:
    things, items = rng.choice(tuple(CATEGORIES.items()))
    count = rng.choice(tuple(COUNTS))
    chosen = rng.sample(items, count)
    text = ", ".join(chosen[:-1]) + f" and {chosen[-1]}."
    return Subject(
        f"plain list {things} {count}", rng.choice(LISTS).format(k=rng.choice(COUNTS[count]), things=things), (text,)
    )


BUILDERS: dict[str, Callable[[random.Random], Built]] = {
    "one word": one_word,
    "bullets": list_of("bullets"),
    "numbered": list_of("numbered"),
    "upper case": upper_case,
    "yes or no": yes_or_no,
    "one sentence": length_of(1, ONE_SENTENCE),
    "two sentences": length_of(2, TWO_SENTENCES),
    "none": unconstrained,
}


def make(rng: random.Random, technique: str | None = None) -> Example:
    technique = technique or weighted(rng, TECHNIQUES)
    key, system, user, answer, facts = BUILDERS[technique](rng)
    return Example(
        "formats",
        technique,
        (f"{technique}: {key}",) if technique != "none" else (),
        ((user, answer),),
        system,
        facts=facts,
    )


def lines_in(text: str, technique: str) -> list[str]:
    """The items of a list in the asked style; a line in another style counts as an empty item."""
    lines = text.strip().split("\n")
    starts = [f"{i}. " if technique == "numbered" else "- " for i in range(1, len(lines) + 1)]
    return [
        line.removeprefix(start) if line.startswith(start) else "" for line, start in zip(lines, starts, strict=True)
    ]


def obeys(example: Example, text: str) -> bool:
    match example.technique:
        case "one word":
            return len(text.split()) == 1
        case "bullets" | "numbered":
            items = lines_in(text, example.technique)
            return len(items) == example.facts["count"] and all(items)
        case "upper case":
            return text == text.upper() != text.lower()
        case "yes or no":
            return text.strip() in ("yes", "no")
        case "one sentence" | "two sentences":
            return text.count(".") == example.facts["sentences"]
    return True


def is_right(example: Example, text: str) -> bool:
    facts, text = example.facts, text.strip()
    if "options" in facts:
        return text in facts["options"]  # type: ignore[operator]
    if "items" in facts:
        items = lines_in(text, example.technique)
        return len(set(items)) == facts["count"] and set(items) <= set(facts["items"])  # type: ignore[call-overload]
    return text == facts.get("answer", text)


def check(example: Example, text: str) -> dict[str, bool]:
    """Obeyed: the form only. Right: the content too."""
    return {"obeyed": obeys(example, text), "right": is_right(example, text)}
