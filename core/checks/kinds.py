"""The kinds of checks: one row each. A new check is one function in core.checks.text (.json_checks, .image, .audio)
and one row in CHECKS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from core.checks import arguments, audio, image, json_checks, promptfoo, schema, text
from core.checks.finding import Finding


@dataclass(frozen=True, slots=True)
class Threshold:
    """The number in `name(5):value`: the greatest allowed, and what it is where none is written (None: it must be)."""

    most: int
    default: Decimal | None = None


def never(argument: str) -> bool:
    return False


def always(argument: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class CheckKind:
    """One kind of check: how its argument is read, how an answer is judged, one line of help and an example.

    `judge` takes the argument, the answer (text, or the file of an image or sound, as `medium` says), and the number
    where there is a `threshold`. `isolated` says of an argument whether reading and judging can take for ever, and so
    happens in core.checks.isolated. `differs` is a sentence on what promptfoo means otherwise, or makes one of an
    argument.
    """

    read: Callable[[str], Any]
    judge: Callable[..., Finding]
    help: str
    example: str
    threshold: Threshold | None = None
    medium: Literal["text", "image", "sound"] = "text"
    isolated: Callable[[str], bool] = never
    differs: str | Callable[[str], str] = ""


_ENDS = "Blanks and line ends at both ends of the answer do not count."
_FOLDED = "Case is folded as Unicode does, so ß is ss."
_OWN = "A check of Diptych's own: promptfoo would compare the answer with the whole line."
_KEYS = "A list after the colon names keys that the JSON must have; promptfoo takes a schema only."
_UNREPAIRED = "JSON is not repaired: {a: 1} and a brace that is never closed do not count."


def _json_differs(argument: str) -> str:
    return _KEYS if argument.strip() and not schema.is_schema(argument) else ""


def _contained_differs(argument: str) -> str:
    return f"{_UNREPAIRED} {_json_differs(argument)}".strip()


CHECKS: dict[str, CheckKind] = {
    "equals": CheckKind(arguments.text, text.equals, "The answer is exactly this.", "equals:Paris", differs=_ENDS),
    "contains": CheckKind(arguments.text, text.contains, "This is in the answer.", "contains:Paris"),
    "icontains": CheckKind(
        arguments.text, text.icontains, "This is in the answer, in any case.", "icontains:paris", differs=_FOLDED
    ),
    "contains-any": CheckKind(
        arguments.items, text.contains_any, "One of these is in the answer.", 'contains-any:yes,no,"well, no"'
    ),
    "contains-all": CheckKind(
        arguments.items, text.contains_all, "All of these are in the answer.", "contains-all:red,blue"
    ),
    "icontains-any": CheckKind(
        arguments.items, text.icontains_any, "One of these, in any case.", "icontains-any:yes,no", differs=_FOLDED
    ),
    "icontains-all": CheckKind(
        arguments.items, text.icontains_all, "All of these, in any case.", "icontains-all:red,blue", differs=_FOLDED
    ),
    "starts-with": CheckKind(
        arguments.text, text.starts_with, "The answer begins with this.", "starts-with:Dear", differs=_ENDS
    ),
    "ends-with": CheckKind(
        arguments.text, text.ends_with, "The answer ends with this.", "ends-with:.", differs=f"{_OWN} {_ENDS}"
    ),
    "regex": CheckKind(
        arguments.pattern,
        text.regex,
        "The pattern is found in the answer.",
        r"regex:^\d+$",
        isolated=always,
        differs=promptfoo.pattern_differs,
    ),
    "number": CheckKind(
        arguments.number, text.last_number, "The last number in the answer is this.", "number:88", differs=_OWN
    ),
    "is-json": CheckKind(
        json_checks.keys_or_schema,
        json_checks.is_json,
        "The answer is JSON, with these keys or as this JSON Schema says, if given.",
        "is-json:name,age",
        isolated=schema.is_schema,
        differs=_json_differs,
    ),
    "contains-json": CheckKind(
        json_checks.keys_or_schema,
        json_checks.contains_json,
        "A JSON object is in the answer, with these keys or as this JSON Schema says, if given.",
        "contains-json:name,age",
        isolated=schema.is_schema,
        differs=_contained_differs,
    ),
    "python-parses": CheckKind(
        arguments.nothing,
        text.python_parses,
        "The answer is Python without syntax errors.",
        "python-parses",
        isolated=always,
        differs=_OWN,
    ),
    "word-count": CheckKind(
        arguments.count_range, text.word_count, "So many words, or from so many to so many.", "word-count:3-5"
    ),
    "max-words": CheckKind(arguments.count, text.max_words, "At most so many words.", "max-words:12", differs=_OWN),
    "min-words": CheckKind(arguments.count, text.min_words, "At least so many words.", "min-words:3", differs=_OWN),
    "max-chars": CheckKind(
        arguments.count, text.max_chars, "At most so many characters.", "max-chars:200", differs=_OWN
    ),
    "min-chars": CheckKind(
        arguments.count, text.min_chars, "At least so many characters.", "min-chars:10", differs=_OWN
    ),
    "one-word": CheckKind(arguments.nothing, text.one_word, "A single word.", "one-word", differs=_OWN),
    "upper": CheckKind(arguments.nothing, text.upper, "All letters are capitals.", "upper", differs=_OWN),
    "bullets": CheckKind(
        arguments.count, text.bullets, "A bulleted or numbered list of so many.", "bullets:3", differs=_OWN
    ),
    "levenshtein": CheckKind(
        arguments.text,
        text.levenshtein,
        "At most so many edits away from this; without a number, none.",
        "levenshtein(5):text",
        threshold=Threshold(99_999, Decimal(0)),
        differs=f"{_ENDS} Edits are counted in characters, not in halves of them.",
    ),
    "image-size": CheckKind(
        arguments.size,
        image.image_size,
        "The image is this large.",
        "image-size:512x512",
        medium="image",
        differs=_OWN,
    ),
    "blank": CheckKind(
        arguments.nothing,
        image.blank,
        "The image is one flat colour; not-blank: it shows something.",
        "blank",
        medium="image",
        differs=_OWN,
    ),
    "shows-colour": CheckKind(
        arguments.colour,
        image.shows_colour,
        "At least so many percent of the image have this colour.",
        "shows-colour(5):red",
        threshold=Threshold(100),
        medium="image",
        differs=_OWN,
    ),
    "min-seconds": CheckKind(
        arguments.seconds,
        audio.min_seconds,
        "The sound is at least so long.",
        "min-seconds:1.5",
        medium="sound",
        differs=_OWN,
    ),
    "max-seconds": CheckKind(
        arguments.seconds,
        audio.max_seconds,
        "The sound is at most so long.",
        "max-seconds:10",
        medium="sound",
        differs=_OWN,
    ),
    "silent": CheckKind(
        arguments.nothing,
        audio.silent,
        "Nothing can be heard; not-silent: something can.",
        "silent",
        medium="sound",
        differs=_OWN,
    ),
}
