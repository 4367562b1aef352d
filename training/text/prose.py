"""Running text to continue: explanations, stories and old tales. Knows nothing of tasks, nor of tokens.

The tales are Household Tales by the Brothers Grimm, translated by Margaret Hunt (1884, public domain). They are read
from a file that is not part of the repository.
"""

import random
import re
from collections.abc import Callable
from pathlib import Path

from training.text.example import Example, held_out
from training.text.phrasing import chance, neutral_system, upper_first
from training.text.subjects import explanation, story, without_article
from training.text.words import words

_WORDS = words("prose")
CONTINUE = _WORDS["continue"]


def paragraphs(corpus: Path) -> list[str]:
    """The tales' paragraphs, without titles and the few with broken letters.

    Raises FileNotFoundError, with what to do.
    """
    if not corpus.is_file():
        raise FileNotFoundError(f"{corpus} is missing: pass --corpus, a plain text file of Grimm's Household Tales")
    lines = (re.sub(r"\s+", " ", line).strip() for line in corpus.read_text(encoding="utf-8").split("\n"))
    return [line for line in lines if len(line) > 40 and not line.startswith("#") and "Ã" not in line]


class Prose:
    """Makes examples of running text from topics, stories and the tales of a corpus."""

    def __init__(self, corpus: Path) -> None:
        self.paragraphs = paragraphs(corpus)

    def make(self, rng: random.Random) -> Example:
        build: Callable[[random.Random], Example] = rng.choices(
            (self.tale, topic_continued, story_continued), (58, 27, 15)
        )[0]
        return build(rng)

    def tale(self, rng: random.Random) -> Example:
        """Consecutive paragraphs; the passage ends before a held-out one."""
        start = rng.randrange(len(self.paragraphs))
        length, text = rng.choice((150, 300, 300, 500, 500, 900)), ""
        for paragraph in self.paragraphs[start:]:
            if len(text) > length or (text and held_out(paragraph)):
                break
            text = f"{text}\n{paragraph}" if text else paragraph
        return continuation(rng, "tale", (self.paragraphs[start],), shortened(text, length))


def shortened(text: str, length: int) -> str:
    """Cut at the last end of a sentence before ``length``, if there is one."""
    if len(text) <= length:
        return text
    cut = max(text.rfind(mark, 0, length) for mark in (". ", '." ', "! ", '!" '))
    return text[: cut + 1] if cut > 0 else text[: text.rfind(" ", 0, length)]


def topic_continued(rng: random.Random) -> Example:
    """ "Theoretical Physics is" and the rest."""
    about = explanation(rng)
    name = about.key.removeprefix("topic ")
    text = " ".join(about.sentences)
    verb = text[len(name) :].split(" ")[1]
    shown = rng.choice((name, without_article(name)))
    start = f"{rng.choice((upper_first(shown), shown, shown.title()))} {verb}"
    rest = text[len(name) + len(verb) + 2 :]
    return Example("prose", "topic", (), ((start, rest),), facts={"text": text})


def story_continued(rng: random.Random) -> Example:
    return continuation(rng, "story", (), " ".join(story(rng).sentences))


def continuation(rng: random.Random, technique: str, keys: tuple[str, ...], text: str) -> Example:
    """The beginning of a text as the prompt, the rest as the answer."""
    words = text.split(" ")
    cut = rng.randint(2, max(2, min(25, len(words) // 2)))
    start, rest = " ".join(words[:cut]), " ".join(words[cut:])
    form = "{}" if chance(rng, 0.6) else rng.choice(CONTINUE)
    system = neutral_system(rng) if form != "{}" else ""
    return Example("prose", technique, keys, ((form.format(start), rest),), system)
