"""Numbers as people and models write them: `1,088`, `1 234`, `1'234`, `12,34,567`, `.5`, `1.5e3`, `70{,}000`.

A mark between groups of three digits (Indian: of two, then three) makes them one number; a list such as `1,2,3` stays
three numbers. `1.234,56` is read as it is meant, since it has no other reading; `3,14` is two numbers. Knows nothing of
checks.
"""

from __future__ import annotations

import re
from decimal import Decimal

_MARKS = " ,'_\N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}"
_PLAIN = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{FULLWIDTH HYPHEN-MINUS}": "-",
        "\N{SMALL HYPHEN-MINUS}": "-",
        "\N{FULLWIDTH FULL STOP}": ".",
        "\N{FULLWIDTH COMMA}": ",",
    }
)
_LATEX = re.compile(r"\{([,.])\}|\\[,: ]")

# Repetitions are bounded: an answer of nothing but groups must not be tried again from each of them.
_BODY = rf"""
    (?: [1-9]\d{{0,2}} (?:\.\d{{3}}){{1,30}} (?P<comma>,\d+) (?![,.]?\d)           # 1.234,56
      | (?: [1-9]\d{{0,2}} (?P<mark>[{_MARKS}])\d{{3}} (?:(?P=mark)\d{{3}}){{0,30}} (?!\d)  # 1,234,567
          | [1-9]\d? (?:,\d{{2}}){{1,15}},\d{{3}} (?!\d)                           # 12,34,567
          | \d+
        ) (?:\.\d+)?
      | (?<![\w.)\]])\.\d+                                                         # .5
    )
    (?:[eE][+-]?\d{{1,4}}(?!\w))?
"""
_FOUND = re.compile(rf"(?P<sign>(?<![\w.)\]-])-[$€£¥]?)? (?P<body>{_BODY})", re.VERBOSE)
_WHOLE = re.compile(rf"(?P<sign>[+-])? (?P<body>{_BODY})", re.VERBOSE)


def number(text: str) -> Decimal | None:
    """The number that the text is; None where it is none, or more than a number."""
    match = _WHOLE.fullmatch(_plain(text.strip()))
    return None if match is None else _value(match)


def last_number(text: str) -> tuple[Decimal, str] | None:
    """(value, spelling) of the last number in a text; None without any. A hyphen between two numbers is no sign."""
    match = None
    for match in _FOUND.finditer(_plain(text)):  # noqa: B007 - the last one is wanted
        pass
    return None if match is None else (_value(match), match[0])


def _plain(text: str) -> str:
    """The text with each minus as a hyphen, and LaTeX's `{,}` and `\\,` as the mark that they print."""
    return _LATEX.sub(lambda match: match[1] or "\N{THIN SPACE}", text.translate(_PLAIN))


def _value(match: re.Match[str]) -> Decimal:
    body = match["body"]
    if match["comma"]:
        body = body.replace(".", "").replace(",", ".")
    digits = body.translate(dict.fromkeys(map(ord, _MARKS)))
    return Decimal(("-" if (match["sign"] or "").startswith("-") else "") + digits)
