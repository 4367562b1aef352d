"""Text from people and models where Streamlit reads Markdown: in labels shown as it is, in answers formatted safely."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&^=@/])")
_BREAK = "\u200b"
"""A zero-width space: Streamlit looks for addresses, emoji, icons and arrows once more after escapes and entities are
read, and does not find one with a break in it."""

_FOUND_LATER = re.compile(
    r":(?=//|[\w+\-/]+:)"  # https:// and whatever else has a scheme; :smile:, :+1:, :material/home:
    r"|@(?=[\w\-])"  # me@host.example
    r"|(?i:www)(?=\.)"  # www.host.example
    r"|(?<!\S)[<>~\-](?=(?:->|>|-|=)(?!\S))"  # -> <- <-> -- >= <= ~=
)


def escape(text: str, limit: int = 120) -> str:
    """One line of at most `limit` characters in which no Markdown, directive, emoji, link or formula takes effect."""
    line = " ".join(text.split())
    short = line if len(line) <= limit else line[: limit - 1] + "…"
    return _SPECIAL.sub(r"\\\1", _FOUND_LATER.sub(rf"\g<0>{_BREAK}", short))


def formatted(text: str) -> str:
    """Markdown in which headings, lists, emphasis, tables and code take effect, and nothing else does.

    No image is loaded, no link is a link, no HTML, formula, directive or diagram is drawn: an answer could send what
    it knows to its author's server as the address of an image (Greshake et al. 2023, indirect prompt injection).
    """
    return "".join(part if code else _INERT.sub(_inert, part) for code, part in _parts(text))


_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
_INERT = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|[\[\]<>$&@\\]|!(?=\[)|:(?=[\w/+\-])|(?i:(?<=www)\.)")


def _inert(match: re.Match[str]) -> str:
    if match[0].startswith("`"):
        return match[0]
    entity = f"&#{ord(match[0])};"
    return _BREAK + entity if match[0] == "." else entity + (_BREAK if match[0] in ":@" else "")


def _parts(text: str) -> list[tuple[bool, str]]:
    """(is it code, text) in order: fenced blocks, closed where the text does not, and all between them."""
    parts, begin = [], 0
    while opening := _FENCE.search(text, begin):
        closing = re.compile(rf"^ {{0,3}}{opening[1][0]}{{{len(opening[1])},}}[ \t]*$", re.MULTILINE)
        end = closing.search(text, opening.end())
        stop = end.end() if end else len(text)
        block = opening[1] + "\n" + text[opening.end() : stop].lstrip("\n")
        parts += [(False, text[begin : opening.start()]), (True, block if end else f"{block}\n{opening[1]}")]
        begin = stop
    return [*parts, (False, text[begin:])]
