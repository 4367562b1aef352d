"""Why a template cannot be read: which characters, where, and what to write instead.

Each tag is tried by itself, so that one that cannot be read does not hide the variables of the others. Called for
templates that Jinja refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from jinja2 import TemplateError as JinjaError
from jinja2 import nodes

from core.prompts.language import ENVIRONMENT, ONLY, NotAllowed, allow, names
from core.text import short

MAX_TAGS = 200
"""Tags of one template that are tried."""

AS_TEXT = 'To write two braces as text, use {{ "{{" }}.'


@dataclass(frozen=True, slots=True)
class Tag:
    """`{{ ... }}` or `{% ... %}`, or what opens one that is never closed: by itself, the variables that it needs, the
    name that it loops over, and in a sentence what is wrong with it."""

    text: str
    start: int
    variables: tuple[str, ...] = ()
    target: str = ""
    problem: str = ""

    @property
    def word(self) -> str:
        """What a block tag begins with; "" of a variable."""
        match = re.match(r"\{%[-+]?\s*(\w+)", self.text)
        return match[1] if match else ""


def first(template: str) -> str:
    """The first problem, with its line and character and what to do; "" where no tag has one."""
    tags = _tags(template)
    tag = next((tag for tag in tags if tag.problem), None) or _unpaired(tags)
    if tag is None:
        return ""
    line, character = template.count("\n", 0, tag.start) + 1, tag.start - template.rfind("\n", 0, tag.start)
    return f"Line {line} of the template, character {character}: {tag.problem} {_as_text(tag.text)}"


def readable(template: str) -> tuple[str, ...]:
    """The variables of the tags that can be read by themselves, in order of first appearance."""
    tags = _tags(template)
    bound = {"loop", *(tag.target for tag in tags)} if any(tag.target for tag in tags) else set()
    return tuple(dict.fromkeys(name for tag in tags for name in tag.variables if name not in bound))


def latex_note(template: str) -> str:
    """Two braces behind a command, `^` or `_` of LaTeX are a variable, and may not be meant so; "" without any.

    A `_` counts behind one sign only: `file_{{name}}` is no formula."""
    match = _LATEX.search(template)
    return "" if match is None else f"'{short(match[0])}' holds the variable {match[1]}. {_as_text(match[1])}"


def _as_text(tag: str) -> str:
    """How to write as text what is read as a tag."""
    if _OPENS.fullmatch(tag):
        return f'To write {tag} as text, use {{{{ "{tag}" }}}}.'
    return f"To write it as text, use {{% raw %}}{tag if len(tag) <= 40 else '...'}{{% endraw %}}."


@lru_cache(maxsize=64)
def _tags(template: str) -> tuple[Tag, ...]:
    """The tags of a template in order, up to the first that is not closed. Comments and raw text hold none."""
    tags: list[Tag] = []
    opening = _OPENS.search(template)
    while opening is not None and len(tags) < MAX_TAGS:
        start, opens = opening.start(), opening[0]
        raw = _RAW.match(template, start)
        end = raw.end() if raw else _end(template, start, opens)
        if end < 0:
            tags.append(Tag(opens, start, problem=f"'{opens}' opens something that is never closed."))
            break
        if opens != "{#" and not raw:
            tags.append(_alone(template[start:end], start))
        opening = _OPENS.search(template, end)
    return tuple(tags)


def _end(template: str, start: int, opens: str) -> int:
    """Where the tag that begins at `start` ends; -1 where it does not. What closes it does not count in quotes."""
    closes = {"{{": "}}", "{%": "%}", "{#": "#}"}[opens]
    if opens == "{#":
        return template.find(closes, start + 2) + 2 if closes in template[start + 2 :] else -1
    position = start + 2
    while (match := _ENDS[opens].search(template, position)) is not None:
        quoted = _QUOTED.match(template, match.start())
        if match[0] == closes:
            three = template.startswith("{{{", start) and template.startswith("}", match.end())
            return match.end() + three
        position = quoted.end() if quoted else match.end()
    return -1


def _alone(text: str, start: int) -> Tag:
    """A tag tried by itself; one that only has a sense in a block is tried with the others."""
    tag = Tag(text, start)
    if tag.word in _BELONGS:
        return tag
    try:
        tree = ENVIRONMENT.parse(text + _CLOSING.get(tag.word, ""))
        allow(tree)
    except NotAllowed as error:
        compound = re.fullmatch(r"\{\{\s*\w+([.-]\w+)+\s*\}\}", text)
        return replace(tag, problem=_misread(tag) if compound else f"'{short(text)}' cannot be used; {error}")
    except (JinjaError, ValueError, SyntaxError, RecursionError, MemoryError):
        return replace(tag, problem=_misread(tag))
    loop = next(tree.find_all(nodes.For), None)
    target = loop.target.name if loop is not None and isinstance(loop.target, nodes.Name) else ""
    return replace(tag, variables=names(tree), target=target)


def _misread(tag: Tag) -> str:
    """Why Jinja cannot parse a tag, as far as it shows."""
    inside = tag.text.strip("{%}").strip(" \t\n-+")
    if not inside and not tag.word:
        return f"'{short(tag.text)}' names no variable."
    name = re.sub(r"\W+", "_", inside).strip("_")
    if not tag.word and len(inside) <= 40 and name.isidentifier() and not re.search(r"[|'\"()<>=#/]", inside):
        return f"'{short(tag.text)}' is no variable, whose name is one word: did you mean {{{{{name}}}}}?"
    return f"'{short(tag.text)}' cannot be read; {ONLY}"


def _unpaired(tags: tuple[Tag, ...]) -> Tag | None:
    """The first block tag that belongs to no block, or else the last that is never closed."""
    opened: list[Tag] = []
    for tag in tags:
        if tag.word in _CLOSING:
            opened.append(tag)
        elif tag.word in _BELONGS:
            if not opened or opened[-1].word not in _BELONGS[tag.word]:
                return replace(tag, problem=f"'{short(tag.text)}' stands in no block that it belongs to.")
            if tag.word.startswith("end"):
                opened.pop()
    if not opened:
        return None
    tag = opened[-1]
    return replace(tag, problem=f"'{short(tag.text)}' is never closed: write {_CLOSING[tag.word]} where it ends.")


_CLOSING = {"if": "{% endif %}", "for": "{% endfor %}"}
_BELONGS = {"elif": ("if",), "else": ("if", "for"), "endif": ("if",), "endfor": ("for",)}
_OPENS = re.compile(r"\{\{|\{%|\{#")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}", re.DOTALL)
_ENDS = {"{{": re.compile(r"\}\}|['\"]"), "{%": re.compile(r"%\}|['\"]")}
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\"""", re.DOTALL)
_LATEX = re.compile(r"(?:\\[A-Za-z]+[_^]?|\^|(?<!\w)\w_|(?<=[)\]])_|(?<=[^}]\})_)(\{\{[^{}\n]{1,40}\}\})")
