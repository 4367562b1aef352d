"""The dialect's truth table, and what a hostile line or answer must not do."""

from __future__ import annotations

import io
import time
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.checks import CHECKS, MAX_LINE, check, parse
from core.checks.arguments import COLOURS
from core.checks.promptfoo import INSTEAD
from core.errors import CheckError, DiptychError
from tests.support import fakes

CODE = "```python\ndef f():\n    return 1\n```"

TRUTH = [
    ("Paris", "Paris", True),
    ("Paris", " Paris\n", True),
    ("Paris", "paris", False),
    ("equals:Paris", "Paris", True),
    ("equals: Paris ", "Paris", True),
    ("equals:a:b", "a:b", True),
    ("Answer: 42", "Answer: 42", True),
    ("upper class", "upper class", True),
    ("10:30", "10:30", True),
    ("well-known", "well-known", True),
    ("contains:88", "the sum is 88.", True),
    ("contains:88", "the sum is 89.", False),
    ("Contains:88", "88", True),
    ("icontains:PARIS", "in paris", True),
    ("icontains:straße", "STRASSE", True),
    ("contains-any:yes,no", "well, no", True),
    ("contains-any:yes, no", "maybe", False),
    ("contains-all:red, blue", "blue and red", True),
    ("contains-all:red,blue", "red", False),
    ("icontains-any:YES,NO", "yes", True),
    ("icontains-all:Red,Blue", "BLUE red", True),
    ("starts-with:Dear", "  Dear Sir", True),
    ("starts-with:Sir", "Dear Sir", False),
    ("ends-with:.", "Yes.\n", True),
    ("ends-with:!", "Yes.", False),
    (r"regex:^\d{2}$", "88", True),
    (r"regex:^\d{2}$", "888", False),
    (r"regex:a:b", "a:b", True),
    ("number:88", "23 + 48 = 71, and 71 + 17 = 88", True),
    ("number:88", "88 or 89", False),
    ("number:88", "eighty-eight", False),
    ("number:1088", "it is 1,088.", True),
    ("number:-3", "it is -3", True),
    ("number:-3", "it is \N{MINUS SIGN}3", True),
    ("number:3", "10-3", True),
    ("number:3.5", "3.50", True),
    ("number:3", "1,2,3", True),
    ("is-json", '{"a": 1}', True),
    ("is-json", " [1]\n", True),
    ("is-json", "{'a': 1}", False),
    ("is-json", "NaN", False),
    ("is-json", '{"a": 1} trailing', False),
    ("is-json:name,age", '{"name": "M", "age": 3}', True),
    ("is-json:name, age", '{"name": "M"}', False),
    ("is-json:name", "[1]", False),
    ("contains-json", 'Here: {"a": 1}.', True),
    ("contains-json", "Here: [1, 2", False),
    ("contains-json:b", '[ {"a": 1} {"b": 2}', True),
    ("python-parses", "x = 1", True),
    ("python-parses", CODE, True),
    ("python-parses", "def f(:", False),
    ("python-parses", "", False),
    ("python-parses", "x = '\x00'", False),
    ("max-words:3", "one two three", True),
    ("max-words:3", "one two three four", False),
    ("min-words:3", "one two", False),
    ("min-words:0", "", True),
    ("max-chars:3", "abc ", True),
    ("max-chars:3", "abcd", False),
    ("min-chars:3", "ab", False),
    ("one-word", "yes", True),
    ("one-word", "yes sir", False),
    ("one-word", "", False),
    ("upper", "OK 1!", True),
    ("upper", "Ok", False),
    ("upper", "123", False),
    ("bullets:3", "- a\n* b\n3. c", True),
    ("bullets:3", "- a\n- b", False),
    ("bullets:2", "intro\n  • a\n  • b\n", True),
    ("levenshtein(1):kitten", "kiten", True),
    ("levenshtein(2):kitten", "sitting", False),
    ("levenshtein(3):kitten", "sitting", True),
    ("levenshtein(0):same", "same", True),
    ("levenshtein(5):a", "", True),
    ("levenshtein:a", "a", True),
    ("levenshtein:a", "b", False),
    ("word-count:2", "two words", True),
    ("word-count:3-5", "two words", False),
]


@pytest.mark.parametrize(("line", "text", "passed"), TRUTH)
def test_truth_table(line: str, text: str, passed: bool) -> None:
    outcome = check(line, text)
    assert outcome.passed is passed
    assert outcome.check == line.strip()
    assert outcome.reason


@pytest.mark.parametrize(("line", "text", "passed"), [row for row in TRUTH if row[0].split(":")[0].lower() in CHECKS])
def test_every_check_is_negated_by_not(line: str, text: str, passed: bool) -> None:
    assert check(f"not-{line}", text).passed is not passed


def test_every_row_is_in_the_truth_table_and_its_example_reads() -> None:
    assert set(CHECKS) == {parse(line).name for line, _, _ in [*TRUTH, *PICTURES, *SOUNDS]}
    for name, kind in CHECKS.items():
        assert parse(kind.example).name == name
        assert kind.help.endswith(".")


RED_AND_BLUE, WIDE_BLACK = fakes.png(64, 64), fakes.png(96, 64, "black")
PICTURES = [
    ("image-size:64x64", RED_AND_BLUE, True),
    ("image-size: 96 x 64", WIDE_BLACK, True),
    ("image-size:64x96", WIDE_BLACK, False),
    ("blank", WIDE_BLACK, True),
    ("blank", RED_AND_BLUE, False),
    ("shows-colour(50):red", RED_AND_BLUE, True),
    ("shows-colour(50):Blue", RED_AND_BLUE, True),
    ("shows-colour(51):red", RED_AND_BLUE, False),
    ("shows-colour(1):green", RED_AND_BLUE, False),
    ("shows-colour(99):black", WIDE_BLACK, True),
    ("shows-colour(99):gray", fakes.png(8, 8, "gray"), True),
]


@pytest.mark.parametrize(("line", "picture", "passed"), PICTURES)
def test_images_are_looked_at(line: str, picture: bytes, passed: bool) -> None:
    assert check(line, "", (picture,)).passed is passed
    assert check(f"not-{line}", "", (picture,)).passed is not passed
    assert check(line, "", (picture,)).reason


def beep(seconds: float, loudest: float = 0.5) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8_000, 0, "NONE", ""))
        writer.writeframes(
            b"".join(
                int(32767 * loudest * (-1) ** n).to_bytes(2, "little", signed=True) for n in range(int(8_000 * seconds))
            )
        )
    return file.getvalue()


SHORT, LONG, FAINT = beep(0.5), beep(2.5), beep(1, loudest=0.005)
SOUNDS = [
    ("min-seconds:0.5", SHORT, True),
    ("min-seconds: 1", SHORT, False),
    ("max-seconds:2.5", LONG, True),
    ("max-seconds:2.4", LONG, False),
    ("silent", FAINT, True),
    ("silent", beep(0), True),
    ("silent", SHORT, False),
]


@pytest.mark.parametrize(("line", "sound", "passed"), SOUNDS)
def test_sounds_are_listened_to(line: str, sound: bytes, passed: bool) -> None:
    assert check(line, "", (), sound).passed is passed
    assert check(f"not-{line}", "", (), sound).passed is not passed
    assert check(line, "", (), sound).reason


@pytest.mark.parametrize("line", ["silent", "not-silent", "min-seconds:1"])
def test_a_sound_that_cannot_be_read_fails_negated_or_not(line: str) -> None:
    outcome = check(line, "", (), b"RIFF broken")
    assert (outcome.passed, outcome.judged, outcome.reason) == (False, False, "the sound cannot be read")


def test_a_check_says_what_it_judges_and_what_the_answer_is() -> None:
    assert check("contains:a", "", (), SHORT).reason == "this check reads text; the answer is sound"
    assert check("not-silent", "a song").reason == "this check listens to sound; the answer is text"
    assert check("not-silent", "", (RED_AND_BLUE,)).reason == "this check listens to sound; the answer is an image"
    assert check("not-blank", "", (), SHORT).reason == "this check looks at an image; the answer is sound"
    assert not check("not-blank", "", (), SHORT).judged


@pytest.mark.parametrize("name", COLOURS)
def test_colours_go_by_their_names(name: str) -> None:
    assert check(f"shows-colour(99):{name}", "", (fakes.png(8, 8, name),)).reason == f"100% of the image is {name}"


@pytest.mark.parametrize("line", ["Paris", "contains:a", "not-contains:a", "max-words:3", "is-json"])
def test_a_check_of_text_does_not_judge_an_image(line: str) -> None:
    outcome = check(line, "", (RED_AND_BLUE,))
    assert not outcome.passed
    assert outcome.reason == "this check reads text; the answer is an image"


@pytest.mark.parametrize("line", ["blank", "not-blank", "image-size:1x1"])
def test_a_check_of_images_does_not_judge_text(line: str) -> None:
    outcome = check(line, "a blank page")
    assert not outcome.passed
    assert outcome.reason == "this check looks at an image; the answer is text"


def test_an_answer_with_text_and_image_is_judged_by_both() -> None:
    assert check("contains:here", "here it is", (RED_AND_BLUE,)).passed
    assert check("not-blank", "here it is", (RED_AND_BLUE,)).passed


@pytest.mark.parametrize("line", ["blank", "not-blank"])
def test_an_image_that_cannot_be_read_fails_negated_or_not(line: str) -> None:
    outcome = check(line, "", (b"\x89PNG\r\n\x1a\n broken",))
    assert not outcome.passed
    assert outcome.reason == "the image cannot be read"


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        ("contains:88", "89", "no '88' in the answer"),
        ("not-contains:error", "an error", "'error' is in the answer"),
        ("contains-all:a,b,c", "a", "no 'b', 'c' in the answer"),
        ("number:88", "so 89", "the last number is 89"),
        ("is-json:name", "{}", "no key 'name' in the JSON"),
        ("python-parses", "x = 1\ny = (", "line 2 is not Python"),
        ("max-words:1", "a b", "2 words, at most 1 wanted"),
        ("one-word", "a", "1 word"),
    ],
)
def test_reasons(line: str, text: str, reason: str) -> None:
    assert check(line, text).reason == reason


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("contians:Paris", "'contians'. The nearest is 'contains'"),
        ("not-contians:Paris", "'contians'. The nearest is 'contains'"),
        ("Contians:Paris", "'Contians'. The nearest is 'contains'"),
        ("max_words:3", "Write 'max-words' with hyphens and a colon, as in max-words:12."),
        ("is-jsn", "'is-jsn'. The nearest is 'is-json'"),
        ("llm-rubric: is polite", "begin 'equals:'"),
        ("similar(0.8):text", "no check 'similar'"),
        ("javascript:output.length", "no check 'javascript'"),
        ("http://example.org", "begin 'equals:'"),
        ("contains", "'contains' needs a value; write it like this: contains:Paris"),
        ("contains: ", "needs a value"),
        ("contains-any:, ,", "needs values"),
        ("max-words:twelve", "'max-words' needs a whole number"),
        ("max-words:-1", "whole number"),
        ("max-words:1e9", "whole number"),
        ("max-words:99999999999", "whole number"),
        ("max-words:²", "whole number"),
        ("number:many", "needs a number"),
        ("number:nan", "needs a number"),
        ("number:1e999999999", "needs a number"),
        ("number:1,2,3", "needs a number"),
        ("one-word:yes", "takes no value"),
        ("levenshtein(5%):text", "levenshtein(5):text"),
        ("levenshtein(100000):text", "at most 99999"),
        ("contains(3):text", "contains:Paris"),
        ("regex:", "1 to 300"),
        ("regex:" + "a" * 301, "1 to 300"),
        ("regex:(", "cannot be read"),
        ("regex:" + "(" * 150, "cannot be read"),
        ("", "one line"),
        ("   ", "one line"),
        ("x" * (MAX_LINE + 1), "one line"),
    ],
)
def test_a_line_that_cannot_be_read_says_what_to_write(line: str, sentence: str) -> None:
    with pytest.raises(CheckError) as caught:
        parse(line)
    assert sentence in str(caught.value)


HOSTILE = [
    "",
    "\x00",
    "\ud800",
    "[" * 200_000,
    "[" * 20_000,
    "{" * 19_000,
    '{"a":' * 3_000,
    "9" * 19_000,
    "(" * 5_000 + ")" * 5_000,
    "-" * 19_000 + "1",
    "not " * 4_000 + "1",
    "a" * 200_000,
    "a" * 19_999 + "!",
    "```" * 6_000,
    "1," * 10_000,
    "\n" * 19_000,
    "- " * 9_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", CHECKS)
def test_no_answer_breaks_or_holds_up_a_check(name: str, text: str) -> None:
    began = time.perf_counter()
    assert check(CHECKS[name].example, text).reason
    assert time.perf_counter() - began < 3


def test_what_cannot_be_judged_fails_negated_or_not() -> None:
    for line in ("is-json", "not-is-json", "regex:a", "not-regex:a", "python-parses", "not-python-parses"):
        outcome = check(line, "a" * 200_000)
        assert not outcome.passed
        assert "too long" in outcome.reason


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_line_on_any_text_is_an_outcome_or_a_sentence(line: str, text: str) -> None:
    try:
        sentence = check(line, text).reason + "."
    except DiptychError as error:
        sentence = str(error)
    assert sentence.endswith(".")


NAMES = st.sampled_from([*CHECKS, *(name for name in INSTEAD), "Contains", "is-jsn", "x"])
HEADS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "not-", "not-not-", "NOT-"]),
    NAMES,
    st.sampled_from(["", "(5)", "( .5 )", "(1.5)", "(-1)", "()", "(1e3)", "(99999)", "(five)", "(5"]),
    st.sampled_from(["", ":", " : ", "\N{FULLWIDTH COLON}", "::", " "]),
)
VALUES = st.text(st.one_of(st.characters(), st.sampled_from('",\\{}[]():*+?|.^$0123456789ab \n\t')), max_size=30)


@settings(deadline=None, max_examples=300)
@given(HEADS, VALUES, st.text(st.one_of(st.characters(), st.sampled_from('{}[]",:0123456789.ab \n')), max_size=60))
def test_any_head_with_any_value_is_an_outcome_or_a_sentence(head: str, value: str, answer: str) -> None:
    try:
        outcome = check(head + value, answer)
    except CheckError:
        return
    assert outcome.reason
    assert outcome.judged or not outcome.passed
    if parse(head + value).name != "equals" and not head.lower().startswith("not-") and outcome.judged:
        assert check(f"not-{head}{value}", answer).passed is not outcome.passed


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[:], i
        for j, b in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
    return row[-1]


@given(st.text("ab", min_size=1, max_size=9), st.text("ab", max_size=9), st.integers(0, 9))
def test_levenshtein_agrees_with_the_whole_table(one: str, other: str, most: int) -> None:
    assert check(f"levenshtein({most}):{one}", other).passed is (_distance(one, other) <= most)
