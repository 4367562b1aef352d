"""Inputs from files of every kind: taken over, or listed with their place; broken files are refused in a sentence."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime

import openpyxl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.checks import parse
from core.errors import InvalidInput
from core.examples import EXAMPLES
from core.exchange.documents import MAX_VALUES
from core.exchange.experiment_file import experiment_file
from core.exchange.inputs import MAX_BYTES, MAX_ROWS, MAX_VARIANTS, Imported, read, read_text
from core.exchange.promptfoo_config import promptfoo_config
from core.experiment import Experiment, Variant, from_dict, to_dict
from core.text import clean
from core.types import Check, Input


def values(imported: Imported) -> list[dict[str, str]]:
    return [dict(row.values) for row in imported.inputs]


def left_out(imported: Imported) -> list[str]:
    return [f"{entry.where}: {entry.reason}" for entry in imported.left_out]


CONFIG = """\
description: capitals
prompts:
  - "Name the capital of {{country}}."
  - label: terse
    raw: |
      Capital of {{country}}? One word.
  - file://prompt.txt
  - '[{"role": "system", "content": "Be short."}, {"role": "user", "content": "{{country}}?"}]'
providers: [openai:gpt-4o]
defaultTest:
  vars: {style: plain}
  threshold: 0.5
  assert:
    - type: not-contains
      value: sorry
    - type: llm-rubric
      value: is polite
tests:
  - description: the first
    vars:
      country: France
    assert:
      - type: icontains-any
        value: ["Paris", 'P, "x"']
        weight: 2
        metric: right
      - {type: levenshtein, value: Paris}
      - type: javascript
        value: output.length < 10
  - vars: {country: [Italy, Spain], style: "no"}
    threshold: 0.9
    options: {transform: output.trim()}
  - vars: {country: file://countries.txt}
  - file://more.yaml
"""


def test_a_promptfoo_configuration_becomes_variants_rows_and_checks() -> None:
    imported = read(CONFIG.encode(), "promptfooconfig.yaml")
    assert imported.kind == "promptfoo configuration"
    assert imported.variants == (
        Variant(name="Prompt 1", user="Name the capital of {{country}}."),
        Variant(name="terse", user="Capital of {{country}}? One word.\n"),
        Variant(name="Prompt 3", user="{{country}}?", system="Be short."),
    )
    assert imported.checks == Check.of("not-contains:sorry")
    assert imported.threshold == 0.5
    assert values(imported) == [
        {"style": "plain", "country": "France", "__description": "the first"},
        {"style": "no", "country": "Italy"},
        {"style": "no", "country": "Spain"},
        {"style": "plain", "country": ""},
    ]
    assert imported.inputs[0].checks == (
        Check('icontains-any:"Paris","P, ""x"""', weight=2.0, metric="right"),
        Check("levenshtein(5):Paris"),
    )
    assert [row.threshold for row in imported.inputs] == [None, 0.9, 0.9, None]


def test_what_a_configuration_has_and_diptych_has_not_is_listed_by_line() -> None:
    listed = left_out(read(CONFIG.encode(), "promptfooconfig.yaml"))
    expected = [
        ("Line 1, description", "capitals"),
        ("Line 7, prompt 3", "names a file"),
        ("Line 9, providers", "Models are chosen on the page"),
        ("Line 16, defaultTest, assert 2", "asks no model"),
        ("Line 28, test 1, assert 3", "executes nothing"),
        ("Line 32, test 2, options, transform", "execute code"),
        ("Line 33, test 3, vars, country", "are not read"),
        ("Line 34, test 4", "names a file"),
    ]
    for where, reason in expected:
        assert [entry for entry in listed if entry.startswith(f"{where}: ") and reason in entry], (where, listed)
    assert len(listed) == len(expected)
    lines = [int(entry.split(",")[0].removeprefix("Line ")) for entry in listed]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("assertion", "line"),
    [
        ("{type: contains, value: 5}", "contains:5"),
        ("{type: not-contains-all, value: 'a,b'}", "not-contains-all:a,b"),
        ("{type: regex, value: '^\\d+$'}", r"regex:^\d+$"),
        ("{type: is-json}", "is-json"),
        ("{type: is-json, value: {type: object}}", 'is-json:{"type": "object"}'),
        ("{type: word-count, value: {min: 1, max: 3}}", 'word-count:{"min": 1, "max": 3}'),
        ("{type: word-count, value: 3}", "word-count:3"),
        ("{type: levenshtein, value: a, threshold: 2}", "levenshtein(2):a"),
        ("{type: contains-any, value: ['{{x}}', b]}", 'contains-any:"{{x}}","b"'),
        ("icontains:x", "icontains:x"),
        ("{type: assert-set, assert: [{type: contains, value: x}]}", "contains:x"),
    ],
)
def test_an_assertion_is_a_line(assertion: str, line: str) -> None:
    imported = read_text(f"tests:\n  - vars: {{x: 'a, b'}}\n    assert: [{assertion}]\n", "a.yaml")
    assert imported.inputs[0].checks == Check.of(line), left_out(imported)


@pytest.mark.parametrize(
    "assertion",
    [
        "{type: python, value: 'True'}",
        "{type: is-json, value: file://schema.json}",
        "{type: equals, value: {a: 1}}",
        "{type: contains, value: x, transform: output}",
        "{type: contains, value: x, weight: heavy}",
        "{type: assert-set, threshold: 0.5, assert: [{type: contains, value: x}]}",
        "{type: similar, value: x}",
        "{type: nonsense}",
        "{value: x}",
        "3",
    ],
)
def test_an_assertion_that_means_nothing_here_is_listed(assertion: str) -> None:
    imported = read_text(f"tests:\n  - vars: {{x: a}}\n    assert:\n      - {assertion}\n", "a.yaml")
    assert imported.inputs[0].checks == ()
    assert [entry.where for entry in imported.left_out] == ["Line 4, test 1, assert 1"]


def test_a_test_without_the_defaults_has_the_checks_in_every_other_row() -> None:
    text = (
        "defaultTest: {assert: [{type: contains, value: x}]}\n"
        "tests: [{vars: {a: 1}}, {vars: {a: 2}, options: {disableDefaultAsserts: true}}]\n"
    )
    imported = read_text(text)
    assert imported.checks == ()
    assert [row.checks for row in imported.inputs] == [Check.of("contains:x"), ()]


def test_scenarios_are_every_configuration_with_every_test() -> None:
    text = "scenarios:\n  - config: [{vars: {a: 1}}, {vars: {a: 2}}]\n    tests: [{vars: {b: x}}, {vars: {b: y}}]\n"
    rows = [{"a": "1", "b": "x"}, {"a": "1", "b": "y"}, {"a": "2", "b": "x"}, {"a": "2", "b": "y"}]
    assert values(read_text(text)) == rows


def test_scalars_are_those_of_promptfoos_reader() -> None:
    text = "tests:\n  - vars: {a: no, b: 2024-01-01, c: 1.50, d: true, e: null, f: 0x10, g: 1e3, h: {k: [1]}}\n"
    assert values(read_text(text)) == [
        {"a": "no", "b": "2024-01-01", "c": "1.5", "d": "true", "e": "", "f": "16", "g": "1000", "h": '{"k": [1]}'}
    ]


def test_only_lists_of_texts_make_several_rows() -> None:
    imported = read_text("tests: [{vars: {a: [x, y], b: [1, 2], c: [{d: e}], f: []}}]")
    rest = {"b": "[1, 2]", "c": '[{"d": "e"}]', "f": "[]"}
    assert values(imported) == [{"a": "x", **rest}, {"a": "y", **rest}]
    assert "'b' is a structure" in imported.notes[0]


def test_a_reference_to_an_assertion_of_the_file_is_followed() -> None:
    text = (
        "tests: [{vars: {a: x}, assert: [{$ref: '#/assertionTemplates/short'}, {$ref: '#/assertionTemplates/none'}]}]\n"
        "assertionTemplates: {short: {type: word-count, value: 3}}\n"
    )
    imported = read_text(text)
    assert imported.inputs[0].checks == Check.of("word-count:3")
    assert left_out(imported) == [
        "Line 1, test 1, assert 2: The reference '#/assertionTemplates/none' names nothing in this file."
    ]


def test_more_prompts_than_variants_are_listed() -> None:
    imported = read_text(json.dumps({"prompts": [f"{n} {{{{a}}}}" for n in range(MAX_VARIANTS + 2)]}))
    assert len(imported.variants) == MAX_VARIANTS
    assert [entry.where for entry in imported.left_out] == ["Prompt 7", "Prompt 8"]


def test_a_prompt_that_cannot_be_read_is_taken_over_with_a_note() -> None:
    imported = read_text("prompts: ['{{ a.b }} and {{c}}']\n")
    assert imported.variants[0].user == "{{ a.b }} and {{c}}"
    assert "'{{ a.b }}'" in imported.notes[0]


# Other kinds.

ROWS = [{"question": "1;5?", "__expected": "contains:1,5", "n": 3}, {"question": "x", "__expected": ""}]
TABLE = [{"question": "1;5?", "n": "3"}, {"question": "x", "n": ""}]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps(ROWS), "a.json"),
        (json.dumps({"inputs": ROWS}), ""),
        (json.dumps({"tests": ROWS}), ""),
        ("\n\n".join(map(json.dumps, ROWS)), "a.jsonl"),
        ("\n".join(map(json.dumps, ROWS)), "a.json"),
        ("\n".join(map(json.dumps, ROWS)), ""),
        (yaml.safe_dump(ROWS), "a.yaml"),
        ('question;__expected;n\n"1;5?";contains:1,5;3\nx;;\n', "a.csv"),
        ('question\t__expected\tn\n"1;5?"\tcontains:1,5\t3\nx\t\t\n', "a.tsv"),
        ('question;__expected;n\n"1;5?";contains:1,5;3\nx;;\n', ""),
    ],
)
def test_a_table_is_the_same_in_every_kind_of_file(text: str, name: str) -> None:
    imported = read(text.encode(), name)
    assert values(imported) == TABLE
    assert [row.checks for row in imported.inputs] == [Check.of("contains:1,5"), ()]


def test_tests_of_promptfoos_are_found_in_json_lines() -> None:
    text = (
        '{"vars": {"a": "1"}, "assert": [{"type": "equals", "value": "1"}]}\n{"vars": {"a": "2"}, "assert": ["fn:x"]}'
    )
    imported = read_text(text, "tests.jsonl")
    assert imported.kind == "promptfoo tests"
    assert [row.checks for row in imported.inputs] == [Check.of("equals:1"), ()]
    assert imported.left_out[0].where == "Line 2, row 2, assert 1"


def test_diptychs_own_experiment_comes_back() -> None:
    rows = (Input(id="r1", values={"a": "1"}, checks=(Check("is-json", weight=2.0),), group="g", threshold=0.5),)
    variants = (Variant(name="A", user="{{a}}"), Variant(name="B", user="{{a", literal=True))
    shared = Check.of("max-words:3", "nonsense:1")
    experiment = Experiment(page="playground", variants=variants, models=("m",), inputs=rows, checks=shared)
    imported = read_text(json.dumps(to_dict(experiment)))
    assert (imported.inputs, imported.variants, imported.checks) == (rows, variants, shared[:1])
    assert [entry.where for entry in imported.left_out] == ["Checks for all rows"]
    own_rows = json.dumps({"inputs": to_dict(experiment)["inputs"]})
    assert read_text(own_rows).inputs == rows


def test_a_file_that_is_not_utf_8_is_read_with_a_note() -> None:
    imported = read("a;b\nä;é\n".encode("cp1252"), "a.csv")
    assert values(imported) == [{"a": "ä", "b": "é"}]
    assert "Windows-1252" in imported.notes[0]
    assert values(read("a;b\nä;é\n".encode("utf-16"), "a.csv")) == [{"a": "ä", "b": "é"}]


# Excel workbooks.


def workbook(*rows: list[object], sheets: tuple[str, ...] = ()) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name in sheets:
        book.create_sheet(name)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_is_a_table() -> None:
    data = workbook(
        ["q", "__expected", "n", None],
        ["x", "contains:1,5", 3.0, None],
        [],
        [None, None, True, None],
        [datetime(2026, 1, 2), "llm-rubric:x", 0.5, None],
        ["y", None, "=1+1", None],
        sheets=("Notes",),
    )
    imported = read(data, "a.xlsx")
    rows = [("x", "3"), ("", "TRUE"), ("2026-01-02", "0.5"), ("y", "")]
    assert values(imported) == [{"q": q, "n": n} for q, n in rows]
    assert imported.inputs[0].checks == Check.of("contains:1,5")
    assert [entry.where for entry in imported.left_out] == ["Sheet Notes", "Line 5, __expected", "Line 6"]


def test_a_workbook_of_too_many_rows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="more than 2,000 rows"):
        read(workbook(["a"], *([n] for n in range(MAX_ROWS + 1))))
    with pytest.raises(InvalidInput, match="Line 2 has text in a column without a heading"):
        read(workbook(["a"], ["1", "2"]))


def changed(data: bytes, name: str, change: bytes | None, text: bytes = b"") -> bytes:
    """A workbook with one part replaced, or with `text` put into it before `change`."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part)
            if part == name:
                content = text if change is None else content.replace(change, text + change)
            new.writestr(part, content)
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = changed(workbook(["a"], ["1"]), SHEET, None, b"0" * 300_000_000)
    assert len(bomb) < MAX_BYTES
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(InvalidInput, match=r"unpacks to 300 MB .* at most 20 MB"):
        read(bomb, "a.xlsx")


@pytest.mark.parametrize(
    ("before", "text", "words"),
    [
        (b"</sheetData>", b'<row r="2000000000"><c r="A2000000000"><v>1</v></c></row>', "2,000,000 cells"),
        (
            b"</sheetData>",
            b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (n, n) for n in range(3, 9000)),
            "2,000,000 cells",
        ),
        (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]>', "declares entities"),
        (b"</sheetData>", b"<row><c", "cannot be read"),
    ],
)
def test_a_hostile_sheet_is_refused(before: bytes, text: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read(changed(workbook(["a"], ["1"]), SHEET, before, text), "a.xlsx")


# What is broken or too large.

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(97 + n)}: &{chr(97 + n)} [{', '.join([f'*{chr(96 + n)}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "", "nothing in it"),
        (" \n", "a.csv", "nothing in it"),
        ("[1, 2", "a.json", "Line 1, character 6 is not JSON"),
        ("{" * 100_000, "", "not JSON"),
        ("[" * 100_000, "", "not JSON|nested"),
        ('{"a": NaN}', "", "not JSON"),
        ("9" * 5_000, "a.json", "not JSON"),
        ('{"a": 1}\n{"a": ', "a.jsonl", "Line 2 is not JSON"),
        ("1\n" * (MAX_ROWS + 1), "a.jsonl", "more than 2,000 rows"),
        ("[1]", "", "row 1 is no object"),
        ('{"a": 1}', "", "neither a list of rows"),
        ("3", "a.json", "no list of rows"),
        ('{"format": "other", "version": 1}', "", "not a Diptych run"),
        ('{"variants": 1, "models": [], "page": "playground"}', "", "'variants' must be a list"),
        ("tests: [", "", "Line 1 cannot be read as YAML|Line 2 cannot be read as YAML"),
        ("tests:\n  a: 1\n a: 2\n", "", "Line 3 cannot be read as YAML"),
        ("tests: 1\ntests: 2\n", "", "Line 2 has the key 'tests' a second time"),
        ("tests: !!python/object:os.system x\n", "", "Line 1 has the tag"),
        ("? [a]\n: 1\n", "a.yaml", "Line 1 has a key"),
        ("<<: 1\n", "a.yaml", "Line 1: << merges"),
        (BOMB, "a.yaml", f"more than {MAX_VALUES:,} values"),
        ("a: &a [*a]\n", "a.yaml", "with its aliases"),
        ("[" * 100_000, "a.yaml", "nest"),
        ("[" * 50, "a.yaml", "Line 1 is nested over 40 levels"),
        ("- 1\n--- \n- 2\n", "a.yaml", "cannot be read as YAML"),
        ("a: 1\n" * 300_000, "a.yaml", "larger than 1 MB"),
        ("tests:\n  - vars: {a: [" + "x," * 50 + "], b: [" + "x," * 50 + "]}\n", "", "more than 2,000 rows"),
        (json.dumps([{"a": n} for n in range(MAX_ROWS + 1)]), "", "more than 2,000 rows"),
        (json.dumps([{f"a{n}": n} for n in range(200)]), "", "more than 100 different fields"),
        (json.dumps([{"a" * 300: 1}]), "", "over 200 characters"),
    ],
    ids=range(30),
)
def test_what_cannot_be_read_is_said(text: str, name: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read(text.encode(), name)


def test_other_files_are_refused_by_kind() -> None:
    for data in (b"\xd0\xcf\x11\xe0rest", b"%PDF-1.7", b"\x89PNG\x00\x00", b"PK\x03\x04broken"):
        with pytest.raises(InvalidInput, match=r"CSV"):
            read(data, "a.csv")
    with pytest.raises(InvalidInput, match="larger than 5 MB"):
        read(b"x" * (MAX_BYTES + 1))


def usable(imported: Imported) -> bool:
    """Whether the history would take what was imported, and give it back."""
    experiment = Experiment(
        page="playground",
        variants=imported.variants,
        models=("m",),
        inputs=imported.inputs,
        checks=imported.checks,
        threshold=imported.threshold,
    )
    return from_dict(json.loads(json.dumps(to_dict(experiment)).encode())) == experiment


def outcome(data: bytes, name: str) -> str:
    try:
        imported = read(data, name)
    except InvalidInput as error:
        return str(error)
    assert usable(imported)
    return "Read."


NAMES = st.sampled_from(["", "a.csv", "a.json", "a.jsonl", "a.yaml", "a.xlsx", "a.tsv"])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("file://x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELD = st.sampled_from(
    [
        *("vars", "assert", "prompts", "tests", "defaultTest", "scenarios", "config", "type", "value", "threshold"),
        *(
            "weight",
            "metric",
            "options",
            "inputs",
            "values",
            "checks",
            "__expected",
            "__threshold",
            "raw",
            "label",
            "id",
        ),
    ]
)
SHAPED = st.recursive(
    PLAIN | st.sampled_from(["contains", "is-json", "levenshtein", "contains-any", "assert-set", 0.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELD, inner, max_size=4),
    max_leaves=20,
)


@given(
    st.binary(max_size=80) | st.text(alphabet="a,;:'\"\n-{}[]&*!<>|%@?~ \t\x00é\ufeff", max_size=80).map(str.encode),
    NAMES,
)
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    assert outcome(data, name).endswith(".")


@given(SHAPED)
@settings(max_examples=300)
def test_any_values_are_read_or_refused(value: object) -> None:
    assert outcome(json.dumps(value).encode(), "a.json").endswith(".")
    assert outcome(yaml.safe_dump(value).encode("utf-8", "replace"), "a.yaml").endswith(".")


@given(st.integers(0, 5000), st.binary(min_size=1, max_size=4), st.integers(0, 6000))
@settings(deadline=None)
def test_any_damaged_workbook_is_read_or_refused(position: int, noise: bytes, length: int) -> None:
    whole = workbook(["a", "__expected"], ["1", "contains:1"])
    damaged = (whole[:position] + noise + whole[position + len(noise) :])[: max(4, length)]
    assert outcome(damaged, "a.xlsx").endswith(".")


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=9), min_size=1), min_size=1, max_size=4))
def test_a_table_comes_back_from_every_kind_of_file(rows: list[dict[str, str]]) -> None:
    imported = read_text(json.dumps(rows))
    assert read_text("\n".join(map(json.dumps, rows)), "a.jsonl").inputs == imported.inputs
    assert read_text(yaml.safe_dump(rows, default_style='"'), "a.yaml").inputs == imported.inputs


# What Diptych exports.


@pytest.mark.parametrize("experiment", EXAMPLES, ids=lambda experiment: experiment.title)
def test_an_example_comes_back_from_promptfoos_form_and_from_its_own_file(experiment: Experiment) -> None:
    own = read_text(experiment_file(experiment), "a.yaml")
    assert (own.inputs, own.variants, own.checks) == (experiment.inputs, experiment.variants, experiment.checks)
    theirs = read_text(promptfoo_config(experiment), "a.yaml")
    prompts = [(variant.name, variant.system.strip(), variant.user) for variant in theirs.variants]
    assert prompts == [(variant.name, variant.system.strip(), variant.user) for variant in experiment.variants]
    assert values(theirs) == values(own)


CHECKS = st.sampled_from(["number:5", "not-max-words:3", 'contains-any:"a,b",c', "upper", "ends-with:x"])
VALUES = {
    "a": st.text(max_size=12).map(clean) | st.sampled_from(["1e3", "0o7", "yes", "010"]),
    "b": st.sampled_from(["", "{{a}}", "x"]),
}
OWN_ROWS = st.builds(
    Input,
    values=st.fixed_dictionaries(VALUES),
    checks=st.lists(CHECKS, max_size=2).map(lambda lines: Check.of(*lines)),
    group=st.sampled_from(["", "g"]),
    threshold=st.none() | st.just(0.5),
)


@given(st.lists(OWN_ROWS, min_size=1, max_size=3))
def test_any_rows_come_back_from_promptfoos_form(rows: list[Input]) -> None:
    experiment = Experiment(
        page="playground", variants=(Variant(name="P", user="{{a}}{{b}}"),), models=("m",), inputs=tuple(rows)
    )
    imported = read_text(promptfoo_config(experiment), "a.yaml")
    assert values(imported) == [dict(row.values) for row in rows]
    assert [(row.group, row.threshold) for row in imported.inputs] == [(row.group, row.threshold) for row in rows]
    meant = [[parse(check.line) for check in row.checks] for row in rows]
    assert [[parse(check.line) for check in row.checks] for row in imported.inputs] == meant


def test_values_name_each_other_as_in_promptfoo() -> None:
    imported = read_text("tests: [{vars: {a: x, b: 'say {{a}}', c: '{{ d }}', e: '{% raw %}{{a}}{% endraw %}'}}]")
    assert values(imported) == [{"a": "x", "b": "say x", "c": "{{ d }}", "e": "{{a}}"}]
    assert "taken as it is" in imported.notes[0]
