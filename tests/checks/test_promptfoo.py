"""Lines that promptfoo 0.121.20 judged, and what becomes of them here: the same, or a difference that is said.

promptfoo_checks.jsonl holds its outcomes (pass, fail, error), promptfoo_types.json the names of its assertions.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.checks import CHECKS, MAX_CHECKS, check, notes, parse
from core.checks.budget import CELL_SECONDS, CHECK_SECONDS, EXPERIMENT_SECONDS, REFILL
from core.checks.promptfoo import INSTEAD
from core.checks.schema import FORMATS
from core.errors import CheckError

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "promptfoo_checks.jsonl").read_text("utf-8").split("\n") if line]
TYPES = json.loads((HERE / "promptfoo_types.json").read_text("utf-8"))
DEEP = "[" * 3_000 + "]" * 3_000

DIFFERENT = {
    # Blanks and line ends round an answer are an accident of its model.
    ("equals:Paris", " Paris\n"): "pass",
    ("not-equals:Paris", "Paris "): "fail",
    ("levenshtein(0):test", " test"): "pass",
    # Edits are of characters; promptfoo counts an emoji's two UTF-16 units.
    ("levenshtein(1):a", "👍"): "pass",
    # promptfoo 0.121 has no ends-with and compares with the line; its next version has it.
    ("ends-with:world", "hello world"): "pass",
    ("not-ends-with:world", "x"): "pass",
    # Patterns are Python's (the regex module), not JavaScript's.
    (r"regex:^\d+$", "42\n"): "pass",
    (r"regex:\d", "٣"): "pass",
    (r"regex:^\w+$", "café"): "pass",
    ("regex:(?i)paris", "PARIS"): "pass",
    (r"regex:(?P<year>\d{4})", "in 1999"): "pass",
    ("regex:a.b", "a\u2028b"): "pass",
    ("regex:a.b", "a\rb"): "pass",
    ("regex:a{,3}b", "b"): "pass",
    ("regex:[]", "x"): "error",
    (r"regex:\Ax", "x"): "pass",
    (r"regex:\h", "h"): "fail",
    (r"regex:\h", " "): "pass",
    (r"regex:\x41\cJ", "A\n"): "error",
    (r"regex:(a)|b\1", "b"): "fail",
    # JSON is JSON: promptfoo repairs it, and stumbles over a brace in a text.
    ("contains-json", "{'a':1}"): "fail",
    ("contains-json", '{"a": 1'): "fail",
    ("contains-json", 'text {"a":1'): "fail",
    ("contains-json", "nothing {here} either"): "fail",
    ("contains-json", r"\boxed{3}"): "fail",
    ("contains-json", '{"s":"}"} end'): "pass",
    # Python reads JSON to a depth of about 1,000.
    ("is-json", DEEP): "fail",
    # A list of keys after the colon: promptfoo takes a schema only.
    ("is-json:name,age", '{"name":1,"age":2}'): "pass",
    ("is-json:name,age", '{"name":1}'): "fail",
    ("contains-json:name,age", 'so {"name":1,"age":2}'): "pass",
    ("contains-json:name,age", 'so {"name":1}'): "fail",
}


def outcome(line: str, answer: str) -> str:
    try:
        return "pass" if check(line, answer).passed else "fail"
    except CheckError:
        return "error"


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_a_line_means_what_it_means_in_promptfoo_or_differs_on_purpose(case: dict[str, str]) -> None:
    pair = (case["line"], case["answer"])
    assert outcome(*pair) == DIFFERENT.get(pair, case["promptfoo"])


def test_every_difference_is_of_a_case_and_is_one() -> None:
    judged = {(case["line"], case["answer"]): case["promptfoo"] for case in CASES}
    assert not [pair for pair, here in DIFFERENT.items() if judged.get(pair) in (None, here)]


@pytest.mark.parametrize(("line", "answer"), DIFFERENT, ids=range(len(DIFFERENT)))
def test_no_line_differs_silently(line: str, answer: str) -> None:
    if answer == DEEP:
        assert not check(line, answer).judged
        assert "nested too deeply" in check(line, answer).reason
    elif DIFFERENT[line, answer] != "error":
        assert notes(line)


@pytest.mark.parametrize(
    "line", ["contains:a", "contains-any:a,b", "regex:foo", "is-json", "word-count:3", "max-words:3"]
)
def test_what_means_the_same_has_no_note(line: str) -> None:
    assert not notes(line) or line == "max-words:3"


NAMES = [name for name in (*TYPES["base"], *TYPES["special"]) if name not in CHECKS]


def test_every_assertion_is_a_check_or_has_its_sentence() -> None:
    assert {name.split(":")[0] for name in NAMES} <= set(INSTEAD)
    assert not set(INSTEAD) & set(CHECKS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "form", ["{}:x", "{}(0.5)", "{}(0.5):x", "{} : x", "not-{}", "not-{}:x", "{}\N{FULLWIDTH COLON}x"]
)
def test_an_assertion_that_is_no_check_is_refused_by_its_name(name: str, form: str) -> None:
    for line in (form.format(name), form.format(name).upper()):
        with pytest.raises(CheckError, match=f"(?i)no check '{name.split(':')[0]}' here: .*begin 'equals:'"):
            parse(line)


@pytest.mark.parametrize("name", NAMES)
def test_a_bare_name_is_refused_but_a_plain_word_is_text(name: str) -> None:
    if "-" in name or ":" in name or name in ("guardrails", "perplexity"):
        with pytest.raises(CheckError, match=f"no check '{name.split(':')[0]}' here"):
            parse(name)
    else:
        assert parse(name).name == "equals"
        assert check(name, f" {name}\n").passed
        assert any("compared as text" in note for note in notes(name))


@pytest.mark.parametrize(
    "line",
    ["grade: is polite", "fn:output > 1", "eval:1", "file://answer.txt", "not-file://x.py", "FILE://x.js:run"]
    + [f"{name}:file://x.json" for name in ("equals", "contains", "contains-any", "is-json", "contains-json", "regex")]
    + ["not-contains: file://x", "levenshtein(5):file://x.txt", "icontains-all:file://list.txt,b"],
)
def test_nothing_is_read_or_run(line: str) -> None:
    with pytest.raises(CheckError, match=r"read no files|reads no files|executes nothing|asks no model"):
        parse(line)


@pytest.mark.parametrize("line", [r"regex:file:\/\/", 'contains-any:"file://x",b', "contains:see file://x"])
def test_a_file_can_still_be_looked_for_as_text(line: str) -> None:
    assert check(line, "see file://x there").passed


@pytest.mark.parametrize(
    "text",
    [
        "python", "human", "Paris", "python is fun", "not-spam", "well-known", "context-free", "cost-effective",
        "contains nuts", "upper class", "10:30", "covid-19: bad", "Answer: 42", "f(x) = 3", "print(5)", "is JSON",
        "starts with a bang", "not one word", "max words", "upper = 3", "!important", "snake_case",
        "Contains nuts: yes", "x-y=3", "not so: many", "number [1]",
    ],
)  # fmt: skip
def test_plain_text_stays_text(text: str) -> None:
    assert parse(text).name == "equals"


@pytest.mark.parametrize(
    ("line", "example"),
    [
        ("not contains:x", "not-contains:Paris"),
        ("!contains:x", "not-contains:Paris"),
        ("! is-json", "not-is-json:name,age"),
        ("not_contains:x", "not-contains:Paris"),
        ("is_json", "is-json:name,age"),
        ("not-is_json", "not-is-json:name,age"),
        ("Starts with: Dear", "starts-with:Dear"),
        ("max words:3", "max-words:12"),
        ("max-words=3", "max-words:12"),
        ("contains any[a,b]", "contains-any:yes,no"),
        ("icontains_all = a", "icontains-all:"),
    ],
)
def test_a_check_in_another_spelling_is_refused_with_its_own(line: str, example: str) -> None:
    with pytest.raises(CheckError, match=rf"with hyphens and a colon, as in {example}.*begin 'equals:'"):
        parse(line)


@pytest.mark.parametrize(
    "line",
    [
        "is-json name",
        "max-words 12",
        "contains\N{FULLWIDTH COLON}Paris",
        "levenshtein(5) text",
        "not-is-json x",
        "levenshtein(five):x",
        "levenshtein():x",
        "levenshtein(-1):x",
        "levenshtein(1,5):x",
        "contains(3):x",
        "upper(x)",
    ],
)
def test_a_check_that_is_not_quite_written_as_one_is_refused(line: str) -> None:
    with pytest.raises(CheckError, match="like this: "):
        parse(line)


@pytest.mark.parametrize("line", ["levenshtein( 2 ):test", "Levenshtein(2) : test", "levenshtein(2.9):test"])
def test_a_number_in_brackets_may_have_blanks_and_decimals(line: str) -> None:
    assert check(line, "tist").passed
    assert check(line, "tiat").passed
    assert not check(line, "abcd").passed


def test_the_page_of_checks_lists_every_check_and_every_difference() -> None:
    page = (HERE.parents[1] / "docs/checks.md").read_text("utf-8")
    for name, kind in CHECKS.items():
        assert f"| `{kind.example}` | {kind.help} |" in page
        differs = kind.differs if isinstance(kind.differs, str) else kind.differs("name,age")
        for sentence in re.findall(r".*?\.(?: |$)", differs):
            row = next(
                (row for row in page.splitlines() if row.startswith("| `") and f"| {sentence.strip()}" in row), ""
            )
            assert f"`{name}`" in row, f"docs/checks.md does not say of {name}: {sentence}"


def test_the_page_of_checks_gives_the_times_and_counts() -> None:
    page = " ".join((HERE.parents[1] / "docs/checks.md").read_text("utf-8").split())
    assert f"At most {MAX_CHECKS} checks" in page
    assert f"check may take {CHECK_SECONDS:g} s, those of one answer {CELL_SECONDS:g} s" in page
    assert f"those of one experiment {EXPERIMENT_SECONDS:g} s, which come back at {REFILL:g} s a second" in page
    assert all(name in page for name in FORMATS)
