"""What an answer must show: one line each, in promptfoo's dialect, with a few more for numbers, images and sound.

`Paris` or `equals:Paris`, `contains:Paris`, `contains-any:a,b`, `regex:^\\d+$`, `is-json:name,age`, `max-words:12`,
`levenshtein(5):text` ..., each negated by `not-`. What a check looks for is trimmed, and so is the answer where a
check compares its beginning, its end or the whole. Nothing is executed, and what takes too long is stopped. A new check
is one function in core.checks.text (of JSON, an image, a sound: in its own file) and one row in core.checks.kinds.
docs/checks.md lists them. Knows nothing of experiments or templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.checks import isolated
from core.checks.budget import Budget
from core.checks.dialect import MAX_LINE, ParsedCheck, notes, parse
from core.checks.finding import Finding, Unjudged
from core.checks.kinds import CHECKS, CheckKind

MAX_CHECKS = 50
"""Checks of one input at most."""

__all__ = [
    "CHECKS",
    "MAX_CHECKS",
    "MAX_LINE",
    "Budget",
    "CheckKind",
    "CheckResult",
    "ParsedCheck",
    "check",
    "notes",
    "parse",
]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether an answer satisfies one check, and what was seen in a short sentence.

    What is not `judged` (too long an answer, out of time, the wrong medium) has not passed. What is not `final` may
    come out otherwise when it is judged again: there was no time for it, or no process.
    """

    check: str
    passed: bool
    reason: str
    judged: bool = True
    final: bool = True


def check(
    line: str, text: str, images: Sequence[bytes] = (), sound: bytes = b"", *, budget: Budget | None = None
) -> CheckResult:
    """Whether an answer satisfies the line. What cannot be judged (too long, out of time) fails, negated or not.

    Args:
        images: the files of what was drawn; a check of images looks at the first.
        sound: the WAV file of what was made.
        budget: what checks that can take long may take; each of them ends after budget.CHECK_SECONDS at the latest.

    Raises:
        CheckError: the line cannot be read.
    """
    parsed = parse(line)
    try:
        finding = _finding(parsed, _answer(CHECKS[parsed.name], text, images, sound), budget)
    except Unjudged as error:
        return CheckResult(line.strip(), False, str(error), judged=False, final=error.final)
    return CheckResult(line.strip(), finding.holds is not parsed.negated, finding.reason)


def _finding(parsed: ParsedCheck, answer: str | bytes, budget: Budget | None) -> Finding:
    if parsed.isolated and isinstance(answer, str):
        return isolated.judge(parsed.name, parsed.argument, answer, parsed.number, budget)
    return CHECKS[parsed.name].judge(parsed.argument, answer, *(() if parsed.number is None else (parsed.number,)))


def _answer(kind: CheckKind, text: str, images: Sequence[bytes], sound: bytes) -> str | bytes:
    """The part of the answer that the check judges.

    Raises:
        Unjudged: the answer has no such part.
    """
    there = {"text": bool(text.strip()) or not (images or sound), "image": bool(images), "sound": bool(sound)}
    if not there[kind.medium]:
        instead = next(medium for medium in there if there[medium])
        raise Unjudged(f"this check {_READS[kind.medium]}; the answer is {_CALLED[instead]}")
    return images[0] if kind.medium == "image" else sound if kind.medium == "sound" else text


_READS = {"text": "reads text", "image": "looks at an image", "sound": "listens to sound"}
_CALLED = {"text": "text", "image": "an image", "sound": "sound"}
