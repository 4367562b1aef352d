"""What a model wrote never becomes more than formatted text."""

from __future__ import annotations

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
