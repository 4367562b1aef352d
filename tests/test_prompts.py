"""Templates: what they need, what they become, and what they must never do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import TemplateError
from core.prompts import MAX_LINES, MAX_TEMPLATE, MAX_VALUES, render, variables
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


def test_a_syntax_error_names_the_line_and_the_way_to_write_braces() -> None:
    with pytest.raises(TemplateError, match=r'^Line 3 .*\{\{ "\{\{" \}\}\.$'):
        variables("one\ntwo\n{{ three")


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
    with pytest.raises(TemplateError, match="over 40000 characters"):
        render("{{ x }}", {"x": "a" * (MAX_VALUES + 1)})
    with pytest.raises(TemplateError, match="over 200000 characters"):
        render("{{ x }}" * 6, {"x": "a" * MAX_VALUES})
    assert render("{% for a in x|lines %}.{% endfor %}", {"x": "a\n" * MAX_LINES}) == "." * MAX_LINES
    with pytest.raises(TemplateError, match="at most 100"):
        render("{% for a in x|lines %}.{% endfor %}", {"x": "a\n" * (MAX_LINES + 1)})


def test_the_slowest_template_is_quick_enough() -> None:
    template = "{% for a in x|lines %}" + "{% if y|upper == z %}1{% endif %}" * 9 + "{% endfor %}"
    began = time.perf_counter()
    render(template, {"x": "a\n" * 100, "y": "ß" * 39_700, "z": "q"})
    assert time.perf_counter() - began < 10


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
