"""A check as a line: `contains:Paris`, `not-is-json`, `levenshtein(5):text`, or just `Paris`, which is `equals`.

A line that was meant as a check but is none is refused, never compared as text. Knows nothing of answers.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.checks import isolated, promptfoo
from core.checks.kinds import CHECKS, CheckKind
from core.errors import CheckError

MAX_LINE = 4_000


@dataclass(frozen=True, slots=True)
class ParsedCheck:
    """One line that was read: the kind's name, its argument (as it was written where the kind is judged apart), the
    number of `name(5)`, and whether it is negated."""

    name: str
    argument: Any
    negated: bool = False
    number: Decimal | None = None
    isolated: bool = False


def parse(line: str) -> ParsedCheck:
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
        return ParsedCheck("equals", line)
    kind = CHECKS[name]
    number = _number(name, kind, head["number"])
    written = head["argument"] or ""
    apart = kind.isolated(written)
    return ParsedCheck(name, _argument(name, kind, written, apart), bool(head["negated"]), number, apart)


def notes(line: str) -> tuple[str, ...]:
    """What a line means otherwise than in promptfoo, in sentences.

    Raises:
        CheckError: the line cannot be read.
    """
    check = parse(line)
    head = _HEAD.fullmatch(line.strip())
    name = head["name"] if head else ""
    sentences = []
    if name.lower() in promptfoo.INSTEAD:
        sentences.append(f"'{name}' is compared as text; promptfoo has a check of this name.")
    elif name.lower() in CHECKS and name != name.lower():
        sentences.append(f"'{name}' is read as a check; promptfoo knows it in small letters only.")
    differs = CHECKS[check.name].differs
    sentences.append(differs if isinstance(differs, str) else differs((head and head["argument"]) or ""))
    return tuple(sentence for sentence in sentences if sentence)


def _number(name: str, kind: CheckKind, written: str | None) -> Decimal | None:
    """The number in brackets, or the kind's default."""
    if kind.threshold is None and written is None:
        return None
    if kind.threshold is not None and written is None and kind.threshold.default is not None:
        return kind.threshold.default
    if kind.threshold is None or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", (written or "").strip()):
        raise CheckError(f"Write '{name}' like this: {kind.example}.")
    number = Decimal((written or "").strip())
    if number > kind.threshold.most:
        raise CheckError(f"The number of '{name}' is at most {kind.threshold.most}, as in {kind.example}.")
    return number


def _argument(name: str, kind: CheckKind, written: str, apart: bool) -> Any:
    """The argument as the kind reads it; as it is written where another process is to judge, which has read it once."""
    try:
        if not apart:
            return kind.read(written)
        if reason := isolated.unreadable(name, written):
            raise ValueError(reason)
    except ValueError as error:
        raise CheckError(f"The check '{name}' {error}; write it like this: {kind.example}.") from None
    return written


def _refuse_unknown(line: str) -> None:
    """A line that was meant as a check but is none must not quietly become `equals`."""
    if _FILE.match(line):
        raise CheckError(f"Checks read no files and execute nothing; write what the answer must show. {_AS_TEXT}")
    if meant := _misspelt(line):
        raise CheckError(f"Write '{meant}' with hyphens and a colon, as in {_example(meant)}. {_AS_TEXT}")
    head = _MEANT.match(line)
    if head is None:
        return
    name, lowered = head["name"], head["name"].lower()
    called = bool(head["separator"] or head["brackets"])
    if lowered in promptfoo.INSTEAD and (called or head["negated"] or "-" in name or lowered in promptfoo.JARGON):
        raise CheckError(f"There is no check '{name}' here: {promptfoo.INSTEAD[lowered]}. {_AS_TEXT}")
    if lowered in CHECKS and (called or "-" in name):
        raise CheckError(f"Write '{name}' like this: {CHECKS[lowered].example}. {_AS_TEXT}")
    near = _nearest(lowered)
    mistyped = near and (head["separator"] or ("-" in name and not head["rest"]))
    unknown = head["separator"] == ":" and name == lowered and not _DIGIT.search(name)
    if mistyped or unknown:
        nearest = f"The nearest is '{near}'. " if near else ""
        raise CheckError(f"There is no check '{name}'. {nearest}{_AS_TEXT}")


def _misspelt(line: str) -> str:
    """How the head of a check that has blanks, underscores, `!`, `=` or `[` in it should be written; else ""."""
    match = _MISSPELT.match(line)
    if match is None:
        return ""
    name = re.sub(r"[\s_-]+", "-", match["name"]).lower()
    bare = match.end() == len(line) and ("_" in line or line.startswith("!"))
    assigned = match["sign"] in ("=", "[") and "-" in name
    meant = bare or match["sign"] == ":" or assigned
    return f"{'not-' if match['negated'] else ''}{name}" if meant and name in CHECKS else ""


def _example(head: str) -> str:
    name = head.removeprefix("not-")
    return f"{'not-' if name != head else ''}{CHECKS[name].example}"


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, CHECKS, n=1, cutoff=0.7)
    return (near or difflib.get_close_matches(name, promptfoo.INSTEAD, n=1, cutoff=0.85) or [""])[0]


_HEAD = re.compile(
    r"(?P<negated>not-)?(?P<name>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?:\((?P<number>[^()]{0,40})\))?(?:\s*:(?P<argument>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_MEANT = re.compile(
    r"(?P<negated>not-)?(?P<name>[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*)(?P<brackets>\([^()]{0,40}\))?"
    r"(?:\s*(?P<separator>[:\N{FULLWIDTH COLON}])|\Z|(?=\s)(?P<rest>.*))",
    re.IGNORECASE | re.DOTALL,
)
_MISSPELT = re.compile(
    r"(?P<negated>!\s*|not[\s_]+|not-)?(?P<name>[a-z]+(?:[\s_-]+[a-z]+){0,4})"
    r"(?:\s*(?:\([^()]{0,40}\)\s*)?(?P<sign>[:=\[]))?",
    re.IGNORECASE,
)
_FILE = re.compile(r"(?:not-)?file://", re.IGNORECASE)
_DIGIT = re.compile(r"[0-9]")
_AS_TEXT = "To compare with this text, begin 'equals:'."
