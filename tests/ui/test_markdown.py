"""What a model wrote never becomes more than formatted text."""

from __future__ import annotations

import html
import re

import pytest

from core.ui.components.markdown import escape, formatted


@pytest.mark.parametrize(
    "hostile",
    [
        "![x](https://evil.example/?q=1)",
        "[click](javascript:alert(1))",
        "![x][ref]\n\n[ref]: https://evil.example",
        "<img src=x onerror=alert(1)>",
        "<https://evil.example>",
        "https://evil.example",
        "www.evil.example",
        "me@evil.example",
        "$\\def\\a{\\a\\a}\\a$",
        ":red[x] :material/home:",
        "\\[x](https://evil.example)",
        "`` ![x](https://evil.example) `",
        "~~~\nend\n~~~\n<script>",
    ],
)
def test_nothing_that_reaches_out_keeps_its_signs(hostile: str) -> None:
    made = formatted(hostile)
    assert not set("[]<$@\\") & set(made)
    assert "://" not in made
    assert "www." not in made
    assert ":red" not in made


@pytest.mark.parametrize(
    "text",
    ["# Title", "- one\n- two", "1. one", "**bold** and *soft*", "| a | b |\n|---|---|\n| 1 | 2 |", "`a[0] < $b`"],
)
def test_what_only_formats_stays(text: str) -> None:
    assert formatted(text) == text


def test_code_stays_as_it_is_whatever_is_in_it() -> None:
    code = "```\nprint('<b>', a[0], \"https://x\")\n```"
    assert formatted(f"Look:\n\n{code}\n\n[x]") == f"Look:\n\n{code}\n\n&#91;x&#93;"


def test_a_language_is_left_out_so_that_no_diagram_is_drawn() -> None:
    assert formatted("```mermaid\ngraph TD\n```") == "```\ngraph TD\n```"


def test_a_fence_that_is_not_closed_is_closed() -> None:
    assert formatted("```\n<b>") == "```\n<b>\n```"
    assert formatted("````\n```\n<b>\n```\nstill code") == "````\n```\n<b>\n```\nstill code\n````"


def test_escape_makes_one_short_line_of_anything() -> None:
    assert escape("a\n# b ![c](d)") == "a \\# b \\!\\[c\\]\\(d\\)"
    assert len(escape("x" * 500, 20)) == 20


# Streamlit's frontend (1.67) looks for these in text whose escapes and entities are already read: the autolinks of
# mdast-util-gfm-autolink-literal, the emoji of remark-emoji, its own icons and arrows.
_FOUND_IN_TEXT = (
    re.compile(r"(https?://|www(?=\.))([-.\w]+)([^ \t\r\n]*)", re.IGNORECASE),
    re.compile(r"(?:^|(?<=[\s\W_]))([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)"),
    re.compile(r":\+1:|:-1:|:[\w-]+:"),
    re.compile(r":material/\w+:"),
)
_ARROWS = re.compile(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)")
ADDRESSES = (
    "http://127.0.0.1:8642/canary/mv",
    "see https://evil.example/a?b=c#d, now",
    "HTTPS://EVIL.EXAMPLE",
    "www.evil.example",
    "WWW.Evil.example",
    "(www.evil.example)",
    "_www.evil.example_",
    "mailto:me@evil.example",
    "me@evil.example",
    "a.b+c@x-y.evil.example",
    "xmpp:me@evil.example",
    "ftp://evil.example/x",
    "http://b\u00fccher.example",
    "<http://evil.example>",
    "http://[::1]/x",
    "https://user:pw@evil.example",
    "//evil.example",
    ":smile: :+1: :-1: :material/home: :streamlit:",
)


def read(markdown: str) -> str:
    """The text of Markdown in which nothing but escapes and entities takes effect."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown))


@pytest.mark.parametrize("text", ADDRESSES)
def test_no_address_emoji_or_icon_is_found_after_escapes_are_read(text: str) -> None:
    for drawn in (escape(text), formatted(text)):
        assert not [pattern for pattern in _FOUND_IN_TEXT if pattern.search(read(drawn))], drawn
    assert read(escape(text)).replace("\u200b", "") == text, "every character is still there"


@pytest.mark.parametrize("text", ["a -> b", "<- a", "a -- b", "a >= 1 <= 2 ~= 3", "<->"])
def test_arrows_in_a_label_stay_as_they_were_typed(text: str) -> None:
    assert _ARROWS.search(text)
    assert not _ARROWS.search(read(escape(text)))


def test_a_label_without_an_address_is_not_broken_up() -> None:
    assert "\u200b" not in escape("contains:yes at 12:30, 3:4, user @ home, a->b, awww, so.")
