"""Subjects of questions: topics, facts, greetings and short stories, as plain sentences. Knows no persona."""

import random
from dataclasses import dataclass

from training.text.phrasing import chance, made_up, upper_first
from training.text.words import forms, table, words

_WORDS = words("subjects")
TOPIC_QUESTIONS = _WORDS["topic_questions"]
GREETINGS = forms("subjects")["greetings"]
HEROES = _WORDS["heroes"]
HERO_ADJECTIVES = _WORDS["hero_adjectives"]
PLACES = _WORDS["places"]
WISHES = _WORDS["wishes"]
EVENTS = _WORDS["events"]
TURNS = _WORDS["turns"]
ENDS = _WORDS["ends"]
STORY_REQUESTS = _WORDS["story_requests"]


TOPICS: dict[str, str] = {name: text for group in table("topics").values() for name, text in group.items()}
FACTS = table("facts")
CATEGORIES: dict[str, list[str]] = FACTS["categories"]


@dataclass(frozen=True)
class Subject:
    """A question in plain words and the sentences that answer it; ``short`` is the answer in one word, if any."""

    key: str
    question: str
    sentences: tuple[str, ...]
    short: str = ""


def article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def without_article(name: str) -> str:
    return name.removeprefix("a ").removeprefix("an ").removeprefix("the ")


def sentences(text: str) -> tuple[str, ...]:
    return tuple(part.rstrip(".") + "." for part in text.split(". "))


def explanation(rng: random.Random) -> Subject:
    name = rng.choice(tuple(TOPICS))
    shown = without_article(name) if chance(rng, 0.2) else name
    question = rng.choice(TOPIC_QUESTIONS).format(shown)
    return Subject(f"topic {name}", upper_first(question), sentences(TOPICS[name]))


def unknown(rng: random.Random) -> Subject:
    """A question about a nonsense word, answered by not knowing it."""
    name = made_up(rng, rng.choice((2, 3)))
    name = rng.choice(("{}", "a {}", "the {}")).format(name)
    answer = (f"I do not know much about {name}.", "I am only a tiny model.")
    return Subject(f"unknown {name}", rng.choice(TOPIC_QUESTIONS[:-4]).format(name), answer)


def greeting(rng: random.Random) -> Subject:
    words, answer = rng.choice(GREETINGS)
    return Subject(f"greeting {answer[0]}", rng.choice(words), answer)


def fact(rng: random.Random) -> Subject:
    group = rng.choice(FACTS["facts"])
    a = rng.choice(tuple(group["pairs"]))
    b = group["pairs"][a]
    return Subject(
        f"fact {group['sentence']} {a}",
        rng.choice(group["questions"]).format(a=a),
        (group["sentence"].format(a=a, b=b),),
        b,
    )


def story(rng: random.Random) -> Subject:
    hero, adjective, location = rng.choice(HEROES), rng.choice(HERO_ADJECTIVES), rng.choice(PLACES)
    lines = (
        f"Once upon a time there was {article(adjective)} {hero} who lived {location}.",
        f"The {hero} {rng.choice(WISHES)}.",
        rng.choice(EVENTS),
        rng.choice(TURNS),
        rng.choice(ENDS),
    )
    return Subject(f"story {hero} {location}", story_request(rng, hero, adjective, location), lines)


def story_request(rng: random.Random, hero: str, adjective: str, location: str) -> str:
    if chance(rng, 0.2):
        return rng.choice(
            ("Tell me a story.", "Tell a story.", "Write a short story.", "Tell me a fairy tale.", "Write a story.")
        )
    about = article(f"{adjective} {hero}") if chance(rng, 0.3) else article(hero)
    return rng.choice(STORY_REQUESTS).format(f"{about} {location}" if chance(rng, 0.2) else about)
