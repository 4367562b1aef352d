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
class CheckKind:
    """One kind of check: how its argument is read, how an answer is judged, one line of help and an example.

    `number`: it is written with one, as in `name(5):value`; `image`: it judges an image, not text."""

    read: Callable[[str], Any]
    judge: Callable[..., Finding]
    help: str
    example: str
    number: bool = False
    image: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One line that was read: the kind's name, its argument, `number` from `name(5)`, and whether it is negated."""

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
    head = _HEAD.fullmatch(line)
    name = head["name"].lower() if head else ""
    if head is None or name not in CHECKS:
        _refuse_unknown(line)
        return Check("equals", line)
    kind = CHECKS[name]
    if kind.number is not (head["number"] is not None) or int(head["number"] or 0) > MAX_NUMBER:
        raise CheckError(f"Write '{name}' like this: {kind.example}.")
    try:
        argument = kind.read((head["argument"] or "").strip())
    except ValueError as error:
        raise CheckError(f"The check '{name}' {error}; write it like this: {kind.example}.") from None
    return Check(name, argument, bool(head["negated"]), int(head["number"]) if kind.number else None)


def check(line: str, text: str, images: Sequence[bytes] = ()) -> CheckResult:
    """Whether an answer satisfies the line. What cannot be judged (too long, out of time) fails, negated or not.

    Args:
        images: the files of what was drawn; a check of images looks at the first.

    Raises:
        CheckError: the line cannot be read.
    """
    parsed = parse(line)
    kind = CHECKS[parsed.name]
    try:
        answer = _answer(kind, text, images)
        finding = kind.judge(parsed.argument, answer, *(() if parsed.number is None else (parsed.number,)))
    except Unjudged as error:
        return CheckResult(line.strip(), False, str(error))
    return CheckResult(line.strip(), finding.holds is not parsed.negated, finding.reason)


def _answer(kind: CheckKind, text: str, images: Sequence[bytes]) -> str | bytes:
    """The part of the answer that the check judges."""
    if kind.image and not images:
        raise Unjudged("this check looks at an image; the answer is text")
    if images and not kind.image and not text.strip():
        raise Unjudged("this check reads text; the answer is an image")
    return images[0] if kind.image else text


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

CHECKS: dict[str, CheckKind] = {
    "equals": CheckKind(arguments.text, text.equals, "The answer is exactly this.", "equals:Paris"),
    "contains": CheckKind(arguments.text, text.contains, "This is in the answer.", "contains:Paris"),
    "icontains": CheckKind(arguments.text, text.icontains, "This is in the answer, in any case.", "icontains:paris"),
    "contains-any": CheckKind(
        arguments.items, text.contains_any, "One of these is in the answer.", "contains-any:yes,no"
    ),
    "contains-all": CheckKind(
        arguments.items, text.contains_all, "All of these are in the answer.", "contains-all:red,blue"
    ),
    "icontains-any": CheckKind(
        arguments.items, text.icontains_any, "One of these, in any case.", "icontains-any:yes,no"
    ),
    "icontains-all": CheckKind(
        arguments.items, text.icontains_all, "All of these, in any case.", "icontains-all:red,blue"
    ),
    "starts-with": CheckKind(arguments.text, text.starts_with, "The answer begins with this.", "starts-with:Dear"),
    "ends-with": CheckKind(arguments.text, text.ends_with, "The answer ends with this.", "ends-with:."),
    "regex": CheckKind(arguments.pattern, text.regex, "The pattern is found in the answer.", r"regex:^\d+$"),
    "number": CheckKind(arguments.number, text.last_number, "The last number in the answer is this.", "number:88"),
    "is-json": CheckKind(
        arguments.names, text.is_json, "The answer is JSON, with these keys if given.", "is-json:name,age"
    ),
    "contains-json": CheckKind(
        arguments.names, text.contains_json, "A JSON object or list is in the answer.", "contains-json:name,age"
    ),
    "python-parses": CheckKind(
        arguments.nothing, text.python_parses, "The answer is Python without syntax errors.", "python-parses"
    ),
    "max-words": CheckKind(arguments.count, text.max_words, "At most so many words.", "max-words:12"),
    "min-words": CheckKind(arguments.count, text.min_words, "At least so many words.", "min-words:3"),
    "max-chars": CheckKind(arguments.count, text.max_chars, "At most so many characters.", "max-chars:200"),
    "min-chars": CheckKind(arguments.count, text.min_chars, "At least so many characters.", "min-chars:10"),
    "one-word": CheckKind(arguments.nothing, text.one_word, "A single word.", "one-word"),
    "upper": CheckKind(arguments.nothing, text.upper, "All letters are capitals.", "upper"),
    "bullets": CheckKind(arguments.count, text.bullets, "A bulleted or numbered list of so many.", "bullets:3"),
    "levenshtein": CheckKind(
        arguments.text, text.levenshtein, "At most so many edits away from this.", "levenshtein(5):text", number=True
    ),
    "image-size": CheckKind(
        arguments.size, image.image_size, "The image is this large.", "image-size:512x512", image=True
    ),
    "blank": CheckKind(
        arguments.nothing,
        image.blank,
        "The image is one flat colour; not-blank: it shows something.",
        "blank",
        image=True,
    ),
    "shows-colour": CheckKind(
        arguments.colour,
        image.shows_colour,
        "At least so many percent of the image have this colour.",
        "shows-colour(5):red",
        number=True,
        image=True,
    ),
}
