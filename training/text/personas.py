"""Personas: each rewords any answer and adds marker words. Knows nothing of an answer's content."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.text import sums
from training.text.example import Example
from training.text.phrasing import arrange, casual, chance, lower_first, neutral_system, weighted
from training.text.subjects import Subject, explanation, fact, greeting, story, unknown
from training.text.words import forms

Voice = Callable[[random.Random, Sequence[str]], str]


@dataclass(frozen=True)
class Persona:
    """``roles`` are instructions of their own; ``manners`` end a question, as in "Explain rain {manner}"."""

    roles: list[str]
    manners: list[str]
    markers: list[str]
    speak: Voice


def pirate(rng: random.Random, lines: Sequence[str]) -> str:
    opening = rng.choice(("Arr, matey!", "Ahoy, matey!", "Avast, ye landlubber!", "Arr, listen, ye sea dog!"))
    closing = rng.choice(("Yo ho ho!", "Shiver me timbers!", "So says the captain, arr!", "Arr!"))
    return " ".join([opening, *map(salty, lines), closing])


def salty(line: str) -> str:
    for word, swap in ((" is ", " be "), (" are ", " be "), (" you", " ye"), (" my ", " me ")):
        line = line.replace(word, swap)
    return line


VERSES = forms("verses")["pairs"]


def poet(rng: random.Random, lines: Sequence[str]) -> str:
    opening, closing = rng.choice(VERSES)
    return "\n".join([opening, *(line.rstrip(".") + "," for line in lines[:-1]), lines[-1], closing])


def formal(rng: random.Random, lines: Sequence[str]) -> str:
    opening = rng.choice(("Dear Sir or Madam, permit me to reply.", "Dear Sir or Madam, allow me to inform you."))
    joints = ("It should be noted that ", "Furthermore, ", "Moreover, ", "In addition, ")
    body = [lines[0], *(rng.choice(joints) + keep_name(line) for line in lines[1:])]
    return " ".join([opening, *body, rng.choice(("Yours faithfully.", "I remain yours faithfully."))])


def keep_name(line: str) -> str:
    """Lower the first letter, unless the line begins with a word that is always written large."""
    return line if re.match(r"I |Einstein |[0-9]", line) else lower_first(line)


def child(rng: random.Random, lines: Sequence[str]) -> str:
    opening = rng.choice(("Hey, little one!", "Hello, kiddo!", "Guess what, little one!", "Look, kiddo!"))
    wow = rng.choice(("Wow!", "Wow, imagine that!", "Isn't that fun?"))
    return " ".join([opening, lines[0], wow, *lines[1:], rng.choice(("Yay!", "Hooray!"))])


def robot(rng: random.Random, lines: Sequence[str]) -> str:
    closing = rng.choice(("END OF MESSAGE. BEEP.", "PROCESSING COMPLETE. BEEP."))
    return " ".join([rng.choice(("BEEP BOOP.", "BEEP. BOOP. BZZT.")), *lines, closing])


VOICES: dict[str, Voice] = {"pirate": pirate, "poet": poet, "formal": formal, "child": child, "robot": robot}
PERSONAS = {name: Persona(**forms("personas")[name], speak=voice) for name, voice in VOICES.items()}
SUBJECTS = {explanation: 55, story: 12, greeting: 14, fact: 11, unknown: 8}


def summed(rng: random.Random) -> Subject:
    """A sum as a subject: personas speak of numbers too."""
    addends = sums.numbers(rng, (2, 3), 1)
    return Subject(f"sum {sorted(addends)}", sums.question(rng, addends), (sums.answer(addends, "plain"),))


def subject(rng: random.Random) -> Subject:
    return weighted(rng, SUBJECTS)(rng)


def spoken(rng: random.Random, persona: Persona, question: str) -> tuple[str, str]:
    """(system, user): the persona as a role, or as the manner of the answer."""
    if chance(rng, 0.35) and question[-1:] in ".?!":
        form = rng.choice(("{} {}{}", "{} {}{}", "{}, {}{}"))
        return neutral_system(rng), casual(rng, form.format(question[:-1], rng.choice(persona.manners), question[-1]))
    system, user = arrange(rng, casual(rng, rng.choice(persona.roles)), casual(rng, question))
    return system, user


def make(rng: random.Random, technique: str | None = None) -> Example:
    """A subject in a persona's voice, or (technique "none") in plain words."""
    technique = technique or rng.choices((*PERSONAS, "none"), (14, 14, 14, 14, 12, 32))[0]
    about = summed(rng) if chance(rng, 0.05) else subject(rng)
    facts = {"question": about.question, "plain": " ".join(about.sentences)}
    if technique == "none":
        turns = ((casual(rng, about.question), " ".join(about.sentences)),)
        keys = tuple(key for key in (about.key,) if key.startswith("sum"))
        return Example("personas", technique, keys, turns, neutral_system(rng), facts=facts)
    persona = PERSONAS[technique]
    system, user = spoken(rng, persona, about.question)
    keys = (f"{technique}: {about.key}", *((about.key,) if about.key.startswith("sum") else ()))
    return Example("personas", technique, keys, ((user, persona.speak(rng, about.sentences)),), system, facts=facts)


def markers(technique: str, text: str) -> set[str]:
    """The persona's marker words that a text contains."""
    low = text.lower()
    return {mark for mark in PERSONAS[technique].markers if re.search(rf"\b{re.escape(mark)}\b", low)}


def check(example: Example, text: str) -> dict[str, bool]:
    """Marked: two marker words of the persona. Clean (without a persona): not one marker word of any."""
    if example.technique == "none":
        return {"clean": not any(markers(name, text) for name in PERSONAS)}
    return {"marked": len(markers(example.technique, text)) >= 2}


def any_marker(example: Example, text: str) -> dict[str, bool]:
    """For the same question without the persona: whether the answer has any of its marker words."""
    return {"any marker": bool(markers(example.technique, text))}
