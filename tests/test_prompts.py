"""Templates: what they need, what they become, and what they must never do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import TemplateError
from core.prompts import MAX_LINES, MAX_TEMPLATE, MAX_VALUES, literal, read, render, variables
from core.text import clean


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("", ()),
        ("no variables { } {x} %s {0.__class__}", ()),
        ("{{ b }} {{a}} {{b}}", ("b", "a")),
        ("{{ name | upper }}", ("name",)),
        ("{% if polite %}Please {% endif %}{{ask}}", ("polite", "ask")),
        ("{% for line in rows | lines %}{{ loop.index }} {{ line }} {{ mark }}{% endfor %}", ("rows", "mark")),
        ("{% raw %}{{ not_one }}{% endraw %}{{ one }}", ("one",)),
        ("{# {{ hidden }} #}{{ shown }}", ("shown",)),
        ("{{ range }} {{ dict }} {{ lipsum }}", ("range", "dict", "lipsum")),
        ("{{ größe }} {{ 名前 }}", ("größe", "名前")),
    ],
)
def test_variables_in_order_of_first_appearance(template: str, names: tuple[str, ...]) -> None:
    assert variables(template) == names


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("", {}, ""),
        ("a\n\n", {}, "a\n\n"),
        ("{{ x }}\n", {"x": "1"}, "1\n"),
        ("{{ x }}", {"x": ""}, ""),
        ("{{ x }}", {"x": "{{ y }} {% for %} {# #}"}, "{{ y }} {% for %} {# #}"),
        ("{{ x }}{{ y }}", {"x": "{{ y }}", "y": "z"}, "{{ y }}z"),
        ('{{ "{{" }}name}}', {}, "{{name}}"),
        ('{"a": {"b": 1}}', {}, '{"a": {"b": 1}}'),
        ("<b>{{ x }}</b>", {"x": "<i> & 'q'"}, "<b><i> & 'q'</b>"),
        ("{{ x | trim | upper }} {{ x | length }}", {"x": " ab "}, "AB 4"),
        ("{% if x == 'yes' and not y %}1{% else %}2{% endif %}", {"x": "yes", "y": ""}, "1"),
        ("{{ 'short' if x | length < 3 else 'long' }}", {"x": "ab"}, "short"),
        ("[{{ 'a' if x == 'no' }}]", {"x": "yes"}, "[]"),
        ("{% for r in x | lines %}{{ loop.index }}. {{ r }}\n{% endfor %}", {"x": "a\n\nb\r\n"}, "1. a\n2. b\n"),
        ("{{ range }}", {"range": "an ordinary name"}, "an ordinary name"),
        ("{{ x }}", {"x": "1", "extra": "unused"}, "1"),
    ],
)
def test_render(template: str, values: dict[str, str], text: str) -> None:
    assert render(template, values) == text


@given(st.text(), st.text(alphabet="{}%# \n'\"xyz()|", max_size=60))
def test_a_value_is_never_read_as_a_template(before: str, value: str) -> None:
    assert render("[{{ x }}]", {"x": value}) == f"[{value}]"
    assert render("{{ x }}{{ y }}", {"x": value, "y": before}) == value + before


@given(st.text(alphabet="{}%#|()[]'\"~*+-<>=., \nabrx019_forinif", max_size=80))
def test_any_template_renders_or_says_why(template: str) -> None:
    try:
        names = variables(template)
        told = f"{len(render(template, dict.fromkeys(names, 'v')))} characters."
    except TemplateError as error:
        told = str(error)
    assert told.endswith(".")


def test_missing_variables_are_all_named() -> None:
    with pytest.raises(TemplateError, match=r"No value for \{\{b\}\}, \{\{c\}\}\."):
        render("{{ a }}{{ b }}{{ c }}", {"a": "1"})


@pytest.mark.parametrize(
    ("template", "problem", "remedy"),
    [
        ("{{first name}}", "'{{first name}}' is no variable", "did you mean {{first_name}}?"),
        ("{{user-name}}", "'{{user-name}}' is no variable", "did you mean {{user_name}}?"),
        ("{{ user.name }}", "'{{ user.name }}' is no variable", "did you mean {{user_name}}?"),
        ("{{{x}}}", "'{{{x}}}' is no variable", "did you mean {{x}}?"),
        ("{{}}", "'{{}}' names no variable", "{% raw %}{{}}{% endraw %}"),
        ("{{ 1 + }}", "'{{ 1 + }}' cannot be read", "{% raw %}{{ 1 + }}{% endraw %}"),
        (r"\sum_{{i=1}}^{{n}}", "'{{i=1}}' cannot be read", "{% raw %}{{i=1}}{% endraw %}"),
        ("{% if x %}", "'{% if x %}' is never closed: write {% endif %}", "{% raw %}{% if x %}{% endraw %}"),
        ("{% if x %}a{% else %}b", "'{% if x %}' is never closed", "{% endif %}"),
        ("{% for a in x | lines %}", "is never closed: write {% endfor %}", "{% endraw %}"),
        ("{% endif %}", "'{% endif %}' stands in no block", "{% raw %}{% endif %}{% endraw %}"),
        ("{% set x = 1 %}", "'{% set x = 1 %}' cannot be used; only {{ name }}", "{% endraw %}"),
        ("{{ x | nope }}", "the filter 'nope' is not known here", "use one of capitalize"),
        ("{{", "'{{' opens something that is never closed", 'use {{ "{{" }}.'),
        ("{% if", "'{%' opens something that is never closed", 'use {{ "{%" }}.'),
        ("{# note", "'{#' opens something that is never closed", 'use {{ "{#" }}.'),
    ],
)
@pytest.mark.parametrize("before", ["", "a {{ok}}\n\nb "])
def test_an_error_names_the_characters_their_place_and_the_way_out(
    before: str, template: str, problem: str, remedy: str
) -> None:
    start = template.index("{{") if template.startswith("\\") else 0
    line, character = (3, 3 + start) if before else (1, 1 + start)
    with pytest.raises(TemplateError) as caught:
        variables(before + template)
    assert str(caught.value).startswith(f"Line {line} of the template, character {character}: ")
    assert problem in str(caught.value)
    assert remedy in str(caught.value)
    assert read(before + template).problem == str(caught.value)


def test_a_syntax_error_names_the_line_and_the_way_to_write_braces() -> None:
    with pytest.raises(TemplateError, match=r'^Line 3 .*\{\{ "\{\{" \}\}\.$'):
        variables("one\ntwo\n{{ three")


def test_what_cannot_be_read_hides_no_other_variable() -> None:
    assert read("{{b}} {{first name}} {{a | upper}} {{b}}").variables == ("b", "a")
    assert read("{% if polite %}{{ask}}").variables == ("polite", "ask")
    assert read("{% for row in rows | lines %}{{row}} {{loop.index}} {{mark}}{% endfor %}{{bad one}}").variables == (
        "rows",
        "mark",
    )
    assert read("{{a}} {% raw %}{{b c}}{% endraw %}{# {{d e}} #} {{f}} {{").variables == ("a", "f")


def test_what_the_remedy_says_works() -> None:
    assert render("{% raw %}{{first name}}{% endraw %} {{x}}", {"x": "1"}) == "{{first name}} 1"
    for template in ("{{first name}}", "{% if x %}", "{{", "{%"):
        remedy = read(template).problem.split(", use ")[1].removesuffix(".")
        assert render(remedy, {}) == template


def test_braces_of_latex_are_read_as_variables_and_it_is_said() -> None:
    reading = read(r"\frac{{a}}{{b}} is half")
    assert (reading.variables, reading.problem) == (("a", "b"), "")
    assert reading.note == (
        r"'\frac{{a}}' holds the variable {{a}}. To write it as text, use {% raw %}{{a}}{% endraw %}."
    )
    assert read("{{a}} and {{b}}").note == ""


@pytest.mark.parametrize(
    "template", [r"\sum_{{i}} x", "x_{{i}}", "x^{{i}}", "(a)_{{i}}", "{x}_{{i}}", r"\text{{a}}", "10^{{n}}"]
)
def test_what_looks_like_latex_has_a_note(template: str) -> None:
    assert "holds the variable" in read(template).note


@pytest.mark.parametrize("template", ["file_{{name}}.txt", "user_id_{{n}}", "_{{a}}_", "{{a}}_{{b}}", "é{{a}}"])
def test_what_looks_like_a_name_has_none(template: str) -> None:
    assert read(template).note == ""


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("{}%#\"' rawend"))))
def test_a_literal_text_is_itself(text: str) -> None:
    assert render(literal(text), {}) == text.replace("\r\n", "\n").replace("\r", "\n")
    assert variables(literal(text)) == ()


@pytest.mark.parametrize(
    "text", ["{% endraw %}", "{% raw %}{{x}}{% endraw %}", "{%- endraw %}{{", "{{{x}}}", "{#", "\n{{\n"]
)
def test_a_literal_text_with_the_languages_own_words_is_itself(text: str) -> None:
    assert render(literal(text), {}) == text


@given(st.text(alphabet="{}%#|'\" \nabifor", max_size=80))
def test_any_template_reads_or_names_a_place(template: str) -> None:
    reading = read(template)
    if not reading.problem:
        assert variables(template) == reading.variables
        return
    assert reading.problem.startswith("Line ")
    with pytest.raises(TemplateError) as caught:
        variables(template)
    assert str(caught.value) == reading.problem


def test_a_long_template_that_cannot_be_read_is_refused_at_once() -> None:
    began = time.perf_counter()
    for template in ("{{ 'a }} " * 2_000, "{{ x }} " * 2_400 + "{{", "{% if x %}" * 1_900, "{{'" * 6_000, "{#" * 9_000):
        assert read(template).problem
    assert time.perf_counter() - began < 5


def test_an_error_quotes_no_prompt() -> None:
    with pytest.raises(TemplateError) as caught:
        render("my secret plan {{ and", {})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for a in x %}x{% endfor %}",
        "{% for a in x|lines %}{% for b in x|lines %}x{% endfor %}{% endfor %}",
        "{% for a in x|lines %}{% if a %}{% for b in x|lines %}x{% endfor %}{% endif %}{% endfor %}",
        "{% for a in x|lines %}{% else %}{% for b in x|lines %}x{% endfor %}{% endfor %}",
        "{% for a in x|lines recursive %}{{ loop(x) }}{% endfor %}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ 'a' * 10**10 }}",
        "{{ x * 1000000000 }}",
        "{{ x.__class__.__mro__ }}",
        "{{ x['__class__'] }}",
        "{{ x | attr('__class__') }}",
        "{{ ''.join(x) }}",
        "{{ x.format(x) }}",
        "{{ x | replace('a', x) }}",
        "{{ x | upper('no') }}",
        "{{ [1, 2] }}",
        "{% set y = x %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'core/errors.py' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{% block b %}{% endblock %}",
        "{{ self }}",
        "{{ super() }}",
        "{{ caller }}",
        "{{ lipsum(1000000) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ loop.changed }}",
        "{{ x is defined }}",
        "{{ x ~ x }}",
        "{% filter upper %}x{% endfilter %}",
        "{% endif %}",
        "{{ }}",
        "{{ x | upper" * 3,
        "{{ " + "(" * 5_000 + "x" + ")" * 5_000 + " }}",
        "{{ " + "not " * 4_000 + "x }}",
        "{% if x %}" * 1_500 + "{% endif %}" * 400,
        "{{ " + "9" * 6_000 + " }}",
        "{{ x" + "|upper" * 21 + " }}",
        "x" * (MAX_TEMPLATE + 1),
    ],
)
def test_what_could_run_long_or_reach_outside_is_refused_at_once(template: str) -> None:
    began = time.perf_counter()
    with pytest.raises(TemplateError):
        render(template, {"x": "a\nb", "lipsum": "", "cycler": "", "loop": ""})
    assert time.perf_counter() - began < 2


def test_a_nested_if_chain_is_read_or_refused() -> None:
    template = "{% if x %}" * 90 + "y" + "{% endif %}" * 90
    assert render(template, {"x": "1"}) == "y"
    with pytest.raises(TemplateError):
        render("{% if x %}" * 900 + "y" + "{% endif %}" * 900, {"x": "1"})


def test_values_output_and_loops_have_limits() -> None:
    with pytest.raises(TemplateError, match="over 200000 characters"):
        render("{{ x }}", {"x": "a" * (MAX_VALUES + 1)})
    with pytest.raises(TemplateError, match="over 400000 characters"):
        render("{{ x }}" * 6, {"x": "a" * MAX_VALUES})
    assert render("{% for a in x|lines %}.{% endfor %}", {"x": "a\n" * MAX_LINES}) == "." * MAX_LINES
    with pytest.raises(TemplateError, match="at most 100"):
        render("{% for a in x|lines %}.{% endfor %}", {"x": "a\n" * (MAX_LINES + 1)})


def test_the_slowest_template_is_quick_enough() -> None:
    template = "{% for a in x|lines %}" + "{% if y|upper == z %}1{% endif %}" * 9 + "{% endfor %}"
    began = time.perf_counter()
    render(template, {"x": "a\n" * 100, "y": "ß" * 199_700, "z": "q"})
    assert time.perf_counter() - began < 1.5  # a filter is applied once to one value, whatever the turns of the loop


def test_a_wrong_type_inside_a_template_is_a_sentence() -> None:
    with pytest.raises(TemplateError, match="cannot be filled in"):
        render("{{ x | length < 'a' }}", {"x": "1"})


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x00\x07\x1b[2J\x7f\x85\x9f", "[2J"),
        ("\ud800x\udfff", "?x?"),
        ("\u202e\u2028\u200d😀", "\u202e\u2028\u200d😀"),
    ],
)
def test_clean(raw: str, kept: str) -> None:
    assert clean(raw) == kept


@given(st.text(alphabet=st.characters()))
def test_clean_text_stays_clean_and_encodes(raw: str) -> None:
    assert clean(clean(raw)) == clean(raw)
    clean(raw).encode("utf-8")
