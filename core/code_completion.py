"""What a code model wrote, judged as text: where its definition ends, whether it parses, which candidate is likeliest.

Generated code is read here and never run. Knows Python's grammar through `ast` alone; nothing of models, runs or pages.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from core.types import Output, Token

MARKER = "<FILL_HERE>"
AS_COMMENT = "{% for line in code | lines %}# {{ line }}\n{% endfor %}"
"""How words become a prompt (core.prompts): the comment above the code. Code is a prompt as it stands."""

MAX_PARSED = 20_000
"""Characters of code that are parsed at most; what the parser needs grows faster than the text."""

_TOKENS = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''(?:\\.|[^\\])*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'(?:\\.|[^'\\\n])*'?"
    r"|\#[^\n]*|\\\n|[()\[\]{}]|\n",
    re.DOTALL,
)
_DEFINITION = re.compile(r"(?:async[ \t]+def|def|class)\b")
_WARNINGS = Lock()  # what warnings are heeded belongs to the whole process


@dataclass(frozen=True, slots=True)
class Candidate:
    """Answers to one prompt that show the same code.

    `code` is the prompt with what was written, as it is shown; `score` the mean natural-log probability of the shown
    tokens (None where none are known); `cells` those that wrote it, the likeliest first; `reason` says in words why
    the code does not parse, '' where it does.
    """

    code: str
    score: float | None
    cells: tuple[int, ...]
    reason: str

    @property
    def parses(self) -> bool:
        return not self.reason


def gap(prompt: str) -> tuple[str, str] | None:
    """What stands before and after the first MARKER; None in a prompt that has none."""
    before, marker, after = prompt.partition(MARKER)
    return (before, after) if marker else None


def cannot_fill(model: str, others: Sequence[str] = ()) -> str:
    """The sentence for a model that was given a gap and only continues code."""
    instead = f" or choose {' or '.join(others)}" if others else ""
    return f"{model} continues code and cannot fill a gap; remove {MARKER}{instead}."


def shown(prompt: str, written: str, *, whole: bool = False) -> str:
    """The prompt with what a model wrote: in its gap, else after it and up to the end of the definition.

    Args:
        whole: all that was written, whatever comes after the definition.
    """
    around = gap(prompt)
    if around is not None:
        return around[0] + written + around[1]
    return prompt + written if whole else truncated(prompt + written, len(prompt))


def truncated(code: str, begun: int = 0) -> str:
    """Code up to the end of its first top-level definition.

    The first is the one that is open at `begun`, or else the first that begins after it: a prompt may hold others.
    It ends before the next line that is neither blank, nor indented, nor a comment, and lies in no string or bracket;
    comments and blank lines before that line go with it. Code without a definition stays as it is.

    Args:
        begun: how many characters were given; none of them is cut.
    """
    starts = list(_statements(code))
    given = [start for start in starts if start < begun]
    ahead = [start for start in starts if start >= begun]
    if not (given and _defines(code, given[-1])):
        ahead = ahead[next((n for n, start in enumerate(ahead) if _defines(code, start)), len(ahead)) :]
        if not ahead:
            return code
        given = [ahead.pop(0)]
    while ahead and code[given[-1]] == "@":  # a decorator and what it decorates are one definition
        given.append(ahead.pop(0))
    return _without_trailer(code[: ahead[0]] if ahead else code, begun)


@lru_cache(maxsize=512)
def parse(code: str) -> None:
    """Parse code, never run it.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it is no Python, or too much of it for the parser.
    """
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape such as '\d' is no error
        ast.parse(code)


def parses(code: str) -> tuple[bool, str]:
    """Whether code is Python without syntax errors, and if not, why and in which line."""
    if len(code) > MAX_PARSED:
        return False, f"over {MAX_PARSED} characters: not parsed"
    try:
        parse(code)
    except SyntaxError as error:
        return False, f"line {error.lineno or 1}: {error.msg}"
    except ValueError:
        return False, "a NUL character is in the code"
    except (RecursionError, MemoryError):
        return False, "nested too deeply to be parsed"
    return True, ""


def ranked(prompt: str, outputs: Mapping[int, Output], *, whole: bool = False) -> list[Candidate]:
    """Candidates from the likeliest to the least likely, each with the cells that show the same code.

    Args:
        outputs: finished answers by their cell.
    """
    groups: dict[str, list[tuple[float | None, int]]] = {}
    for cell, output in outputs.items():
        code = shown(prompt, output.text, whole=whole)
        kept = len(output.text) if gap(prompt) is not None else len(code) - len(prompt)
        groups.setdefault(code, []).append((mean_logprob(output.tokens, kept), cell))
    candidates = []
    for code, scored in groups.items():
        scored.sort(key=lambda pair: (-_score(pair[0]), pair[1]))
        candidates.append(Candidate(code, scored[0][0], tuple(cell for _, cell in scored), parses(code)[1]))
    return sorted(candidates, key=lambda candidate: (-_score(candidate.score), candidate.cells[0]))


def mean_logprob(tokens: Sequence[Token], characters: int) -> float | None:
    """Mean natural-log probability of the tokens that wrote the first `characters` of an answer; None without any."""
    logprobs, length = [], 0
    for token in tokens:
        if length >= characters:
            break
        logprobs.append(token.logprob)
        length += len(token.text)
    # The history keeps four digits: what is ranked again from there must not come in another order.
    return round(sum(logprobs) / len(logprobs), 3) if logprobs else None


def _score(score: float | None) -> float:
    return float("-inf") if score is None else score


def _statements(code: str) -> Iterator[int]:
    """Where a statement begins in the first column. A `def` or `class` there ends whatever bracket was left open."""
    depth, line = 0, 0
    for match in _TOKENS.finditer(code + "\n"):
        token = match[0]
        if match.start() >= line >= 0:
            if code[line : line + 1].strip(" \t\n\r\f#") and (depth == 0 or _DEFINITION.match(code, line)):
                yield line
                depth = 0
            line = -1
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth = max(0, depth - 1)
        elif token == "\n":
            line = match.end()


def _defines(code: str, start: int) -> bool:
    return code[start] == "@" or _DEFINITION.match(code, start) is not None


def _without_trailer(code: str, begun: int) -> str:
    """Code without the blank lines and first-column comments at its end, which introduce what comes next."""
    lines = code[begun:].splitlines(keepends=True)
    first = 0 if not begun or code[begun - 1] == "\n" else 1  # this one goes on where the prompt ended
    while len(lines) > first and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines.pop()
    return code[:begun] + "".join(lines).rstrip() if lines else code[:begun]
