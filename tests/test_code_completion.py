"""Where a completion ends, whether it parses, and which of several is the likeliest; nothing of it is ever run."""

from __future__ import annotations

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import code_completion
from core.code_completion import MARKER, mean_logprob, parses, ranked, shown, truncated
from core.prompts import render
from core.types import Output, Token

SIGNATURE = "def f(a):\n"


def output(*tokens: tuple[str, float], text: str | None = None) -> Output:
    made = tuple(Token(*token) for token in tokens)
    written = "".join(token.text for token in made) if text is None else text
    return Output(text=written, finish="stop", prompt_tokens=1, output_tokens=len(made), seconds=1.0, tokens=made)


# --- where a definition ends


@pytest.mark.parametrize(
    ("prompt", "written", "kept"),
    [
        (SIGNATURE, "    return a\n\n\ndef g():\n    pass\n", "    return a"),
        (SIGNATURE, "    return a\nprint(f(1))\n", "    return a"),
        (SIGNATURE, "    return a\n\n# the next one\n\nclass B:\n", "    return a"),
        (SIGNATURE, "    return a\n\n\n", "    return a"),
        (
            SIGNATURE,
            "    a += 1\n# no comment ends it\n    return a\nx = 1",
            "    a += 1\n# no comment ends it\n    return a",
        ),
        (SIGNATURE, '    """Say\nwhat\n"""\n    return a\nx', '    """Say\nwhat\n"""\n    return a'),
        (SIGNATURE, "    return [\n1,\n2,\n]\nx", "    return [\n1,\n2,\n]"),
        (SIGNATURE, "    return a + \\\n1\nx", "    return a + \\\n1"),
        (SIGNATURE, "    return '(' # (\nx", "    return '(' # ("),
        (SIGNATURE, "    return (a\ndef g():\n    pass", "    return (a"),
        (
            SIGNATURE,
            "    def inner():\n        pass\n    return inner\nx",
            "    def inner():\n        pass\n    return inner",
        ),
        (SIGNATURE, "print(1)\n", ""),
        ("def f(a", "):\n    return a\ndef g(): pass", "):\n    return a"),
        ("de", "f f(): pass\ndef g(): pass", "f f(): pass"),
        ("def f(a):\n    return", " a\nx = 1", " a"),
        ("# adds two numbers\n", "def f(a, b):\n    return a + b\n\nf(1, 2)\n", "def f(a, b):\n    return a + b"),
        ('"""Adds."""\n', "import math\n\ndef f():\n    pass\n\nx = 1", "import math\n\ndef f():\n    pass"),
        ("def old(): pass\n\ndef f(a):\n", "    return a\nx", "    return a"),
        ("def old(): pass\nx = 1\n", "y = 2\ndef f(): pass\nz = 3", "y = 2\ndef f(): pass"),
        ("@cache\n", "@other(1)\nasync def f():\n    pass\n\nx = 1", "@other(1)\nasync def f():\n    pass"),
        (
            "class A:\n",
            "    x = 1\n\n    def f(self):\n        pass\n\nA()",
            "    x = 1\n\n    def f(self):\n        pass",
        ),
        ("", "x = 1\ny = 2\n", "x = 1\ny = 2\n"),
        ("defined = 1\n", "classes = 2\ndefault = 3", "classes = 2\ndefault = 3"),
    ],
)
def test_a_completion_ends_with_the_first_definition(prompt: str, written: str, kept: str) -> None:
    assert truncated(prompt + written, len(prompt)) == prompt + kept


def test_without_a_prompt_the_first_definition_of_the_text_counts() -> None:
    assert truncated("def f():\n    pass\n\ndef g():\n    pass\n") == "def f():\n    pass"


@given(st.text(alphabet="def clas@#\"'()[]\\\n\t x:é", max_size=80), st.text(max_size=40))
def test_what_was_given_is_never_cut_and_nothing_is_added(prompt: str, written: str) -> None:
    kept = truncated(prompt + written, len(prompt))
    assert kept.startswith(prompt)
    assert (prompt + written).startswith(kept)


# --- a gap


def test_a_gap_is_filled_where_it_is_and_nothing_is_cut() -> None:
    prompt = f"def f(a):\n    {MARKER}\n    return b\n\nx = f(1)\n"
    assert code_completion.gap(prompt) == ("def f(a):\n    ", "\n    return b\n\nx = f(1)\n")
    assert shown(prompt, "b = a") == "def f(a):\n    b = a\n    return b\n\nx = f(1)\n"
    assert code_completion.gap("def f(a):") is None


def test_a_model_that_cannot_fill_says_so_and_names_one_that_can() -> None:
    said = code_completion.cannot_fill("tiny-code", ("bigcode/tiny_starcoder_py",))
    assert said == (
        "tiny-code continues code and cannot fill a gap; remove <FILL_HERE> or choose bigcode/tiny_starcoder_py."
    )


# --- whether it parses


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def f(a):\n    return a\n", ""),
        ("x = '\\d'", ""),
        ("", ""),
        ("def f(a):\n    return (a\n", "line 2: '(' was never closed"),
        ("def f(a):\n", "line 1: expected an indented block after function definition on line 1"),
        ("x = 1\n\n  y = 2", "line 3: unexpected indent"),
    ],
)
def test_a_reason_names_the_line(code: str, reason: str) -> None:
    assert parses(code) == (not reason, reason)


@pytest.mark.parametrize(
    "code",
    ["a\0b", "(" * 5000, "-" * 19_000 + "1", "x" + ".a" * 9_000, "x" * 20_001, "if x:\n" * 300, "\ud800", "'" * 9],
)
def test_hostile_code_is_refused_in_words(code: str) -> None:
    good, reason = parses(code)
    assert not good
    assert reason


def test_warnings_of_the_parser_are_nobodys_business() -> None:
    before = list(warnings.filters)
    assert parses("assert (1, '\\q')\n1 is 1") == (True, "")
    assert warnings.filters == before


def test_code_is_parsed_and_not_run() -> None:
    assert parses("raise SystemExit(1)\n") == (True, "")


# --- ranking


def test_the_likeliest_comes_first_and_equals_collapse() -> None:
    one, two = ("    return 1", -0.5), ("    return 2", -0.1)
    found = ranked(
        SIGNATURE, {0: output(one), 1: output(two), 2: output(("    return 1", -0.3)), 3: output(("    (", -9.0))}
    )
    assert [candidate.code for candidate in found] == [
        SIGNATURE + code for code in ("    return 2", "    return 1", "    (")
    ]
    assert [candidate.cells for candidate in found] == [(1,), (2, 0), (3,)]
    assert [candidate.score for candidate in found] == [-0.1, -0.3, -9.0]
    assert [candidate.parses for candidate in found] == [True, True, False]
    assert found[2].reason == "line 2: '(' was never closed"


def test_what_differs_only_after_the_definition_is_the_same_until_all_is_shown() -> None:
    outputs = {0: output(("    pass\n", -1.0), ("x", -1.0)), 1: output(("    pass\n", -1.0), ("y", -1.0))}
    assert len(ranked(SIGNATURE, outputs)) == 1
    assert len(ranked(SIGNATURE, outputs, whole=True)) == 2


def test_only_the_tokens_that_are_shown_count() -> None:
    written = output(("    pass", -1.0), ("\n", -2.0), ("x = 1", -30.0))
    assert ranked(SIGNATURE, {0: written})[0].score == -1.0
    assert ranked(SIGNATURE, {0: written}, whole=True)[0].score == -11.0


def test_in_a_gap_all_that_was_written_counts() -> None:
    found = ranked(f"x = {MARKER}\ny", {0: output(("1", -1.0), (" + 1", -3.0), ("<end>", -9.0), text="1 + 1")})
    assert (found[0].code, found[0].score) == ("x = 1 + 1\ny", -2.0)


def test_answers_of_which_no_token_is_known_come_last() -> None:
    found = ranked(SIGNATURE, {0: output(text="    pass"), 1: output(("    0", -50.0))})
    assert [candidate.score for candidate in found] == [-50.0, None]
    assert mean_logprob([], 5) is None


def test_a_character_of_several_tokens_counts_all_of_them() -> None:
    tokens = [Token("", -1.0), Token("é", -3.0), Token("x", -8.0)]
    assert mean_logprob(tokens, 1) == -2.0
    assert mean_logprob(tokens, 2) == -4.0
    assert mean_logprob([Token("x", -math.inf)], 1) == -math.inf


# --- how a prompt is framed


def test_words_become_a_comment() -> None:
    assert (
        render(code_completion.AS_COMMENT, {"code": "adds {{ two }}\n\nnumbers\n"}) == "# adds {{ two }}\n# numbers\n"
    )
