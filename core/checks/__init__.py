"""What an answer must show: one line each, in promptfoo's dialect, with a few more for images.

`Paris` or `equals:Paris`, `contains:Paris`, `contains-any:a,b`, `regex:^\\d+$`, `is-json:name,age`, `max-words:12`,
`levenshtein(5):text` ..., each negated by `not-`. What a check looks for is trimmed, and so is the answer where a
check compares its beginning, its end or the whole. Nothing is executed, and a hostile pattern is stopped. Knows nothing
of experiments or templates. A new check is one function in core.checks.text (of an image: in core.checks.image) and
one row in CHECKS.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.checks import arguments, image, text
from core.checks.text import Finding, Unjudged
from core.errors import CheckError

MAX_LINE = 4_000
MAX_NUMBER = 99


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether an answer satisfies one check, and what was seen in a short sentence."""

    check: str
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of check: how its argument is read, how an answer is looked at, one line of help and an example.

    `number`: it is written with one, as in `name(5):value`; `image`: it looks at an image, not at text."""

    read: Callable[[str], Any]
    look: Callable[..., Finding]
    help: str
    example: str
    number: bool = False
    image: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One line that was read: the row's name, its argument, `number` from `name(5)`, and whether it is negated."""

    name: str
    argument: Any
    negated: bool = False
    number: int | None = None


def parse(line: str) -> Check:
    """Read one line. Text that does not look like a check is `equals`.

    Raises:
        CheckError: no such check (names the nearest), or its value is missing or cannot be read.
    """
    line = line.strip()
    if not line or len(line) > MAX_LINE:
        raise CheckError(f"A check is one line of 1 to {MAX_LINE} characters, such as contains:Paris.")
    found = _HEAD.fullmatch(line)
    name = found["name"].lower() if found else ""
    if found is None or name not in CHECKS:
        _refuse_unknown(line)
        return Check("equals", line)
    row = CHECKS[name]
    if row.number is not (found["number"] is not None) or int(found["number"] or 0) > MAX_NUMBER:
        raise CheckError(f"Write '{name}' like this: {row.example}.")
    try:
        argument = row.read((found["argument"] or "").strip())
    except ValueError as error:
        raise CheckError(f"The check '{name}' {error}; write it like this: {row.example}.") from None
    return Check(name, argument, bool(found["negated"]), int(found["number"]) if row.number else None)


def check(line: str, text: str, images: Sequence[bytes] = ()) -> CheckResult:
    """Whether an answer satisfies the line. What cannot be judged (too long, out of time) fails, negated or not.

    Args:
        images: the files of what was drawn; a check of images looks at the first.

    Raises:
        CheckError: the line cannot be read.
    """
    known = parse(line)
    row = CHECKS[known.name]
    try:
        answer = _answer(row, text, images)
        seen = row.look(known.argument, answer, *(() if known.number is None else (known.number,)))
    except Unjudged as error:
        return CheckResult(line.strip(), False, str(error))
    return CheckResult(line.strip(), seen.holds is not known.negated, seen.reason)


def _answer(row: Row, text: str, images: Sequence[bytes]) -> str | bytes:
    """What of the answer the check looks at."""
    if row.image and not images:
        raise Unjudged("this check looks at an image; the answer is text")
    if images and not row.image and not text.strip():
        raise Unjudged("this check reads text; the answer is an image")
    return images[0] if row.image else text


def _refuse_unknown(line: str) -> None:
    """A line that was meant as a check but is none must not quietly become `equals`."""
    head = _MEANT.match(line)
    if head is None:
        return
    name = head["name"]
    near = difflib.get_close_matches(name.lower(), CHECKS, n=1, cutoff=0.7)
    if head["colon"] and (near or name == name.lower()):
        nearest = f"The nearest is '{near[0]}'. " if near else ""
        raise CheckError(
            f"There is no check '{name}'. {nearest}To compare with text that has a colon, begin 'equals:'."
        )
    if near and "-" in name:
        raise CheckError(
            f"There is no check '{name}'. The nearest is '{near[0]}'. To compare with it, begin 'equals:'."
        )


_HEAD = re.compile(
    r"(?P<negated>not-)?(?P<name>[a-z]+(?:-[a-z]+)*)(?:\((?P<number>\d{1,4})\))?(?:\s*:(?P<argument>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_MEANT = re.compile(r"(?:not-)?(?P<name>[A-Za-z]+(?:[-_][A-Za-z]+)*)(?:\([^)]{0,20}\))?(?P<colon>:)?(?(colon)|$)")

CHECKS: dict[str, Row] = {
    "equals": Row(arguments.text, text.equals, "The answer is exactly this.", "equals:Paris"),
    "contains": Row(arguments.text, text.contains, "This is in the answer.", "contains:Paris"),
    "icontains": Row(arguments.text, text.icontains, "This is in the answer, in any case.", "icontains:paris"),
    "contains-any": Row(arguments.items, text.contains_any, "One of these is in the answer.", "contains-any:yes,no"),
    "contains-all": Row(arguments.items, text.contains_all, "All of these are in the answer.", "contains-all:red,blue"),
    "icontains-any": Row(arguments.items, text.icontains_any, "One of these, in any case.", "icontains-any:yes,no"),
    "icontains-all": Row(arguments.items, text.icontains_all, "All of these, in any case.", "icontains-all:red,blue"),
    "starts-with": Row(arguments.text, text.starts_with, "The answer begins with this.", "starts-with:Dear"),
    "ends-with": Row(arguments.text, text.ends_with, "The answer ends with this.", "ends-with:."),
    "regex": Row(arguments.pattern, text.regex, "The pattern is found in the answer.", r"regex:^\d+$"),
    "number": Row(arguments.number, text.last_number, "The last number in the answer is this.", "number:88"),
    "is-json": Row(arguments.names, text.is_json, "The answer is JSON, with these keys if given.", "is-json:name,age"),
    "contains-json": Row(
        arguments.names, text.contains_json, "A JSON object or list is in the answer.", "contains-json:name,age"
    ),
    "python-parses": Row(
        arguments.nothing, text.python_parses, "The answer is Python without syntax errors.", "python-parses"
    ),
    "max-words": Row(arguments.count, text.max_words, "At most so many words.", "max-words:12"),
    "min-words": Row(arguments.count, text.min_words, "At least so many words.", "min-words:3"),
    "max-chars": Row(arguments.count, text.max_chars, "At most so many characters.", "max-chars:200"),
    "min-chars": Row(arguments.count, text.min_chars, "At least so many characters.", "min-chars:10"),
    "one-word": Row(arguments.nothing, text.one_word, "A single word.", "one-word"),
    "upper": Row(arguments.nothing, text.upper, "All letters are capitals.", "upper"),
    "bullets": Row(arguments.count, text.bullets, "A bulleted or numbered list of so many.", "bullets:3"),
    "levenshtein": Row(
        arguments.text, text.levenshtein, "At most so many edits away from this.", "levenshtein(5):text", number=True
    ),
    "image-size": Row(arguments.size, image.image_size, "The image is this large.", "image-size:512x512", image=True),
    "blank": Row(
        arguments.nothing,
        image.blank,
        "The image is one flat colour; not-blank: it shows something.",
        "blank",
        image=True,
    ),
    "shows-colour": Row(
        arguments.colour,
        image.shows_colour,
        "At least so many percent of the image have this colour.",
        "shows-colour(5):red",
        number=True,
        image=True,
    ),
}
