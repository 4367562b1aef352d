"""The report for people: one value, drawn as HTML and as Markdown, in which nothing of a model or a person acts."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.exchange import html_report as pages
from core.exchange.html_report import html_report
from core.exchange.markdown import markdown
from core.exchange.report import report
from core.experiment import Input, Variant
from core.history import SavedRun
from core.types import CellResult, Check, State
from tests.support import fakes
from tests.support.saved_runs import saved_run

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/a.png)",
    "[x](javascript:alert(1))",
    "</pre></details><iframe src='https://evil.example'>",
    "\" style='background:url(https://evil.example)'",
    "{{ 7 * 7 }}{% raw %}",
    "```\n# heading\n<b>",
    "| a | b |\n|---|---|",
    "https://evil.example/?leak",
    "\ud800 half a pair",
)


class Tags(HTMLParser):
    """The tags of a page, and the addresses that it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def check_of(text: str) -> str:
    """A check that holds the text, where it can be written as one."""
    return "contains:x" if "{" in text else f"equals:{text}"


def twenty(**changes: object) -> SavedRun:
    """A finished run of twenty inputs, of which A passes all and B half."""
    inputs = tuple(Input(values={"sum": f"{n}+1"}, checks=Check.of(f"contains:{n + 1}")) for n in range(20))
    run = saved_run(inputs=inputs, **changes)
    output = run.results[0].output
    assert output is not None
    results = []
    for index in range(40):
        number, variant = divmod(index, 2)
        text = f"It is {number + 1}." if variant == 0 or number % 2 else "No idea."
        results.append(CellResult(index=index, state=State.DONE, text=text, output=replace(output, text=text)))
    return replace(run, results=tuple(results))


def test_the_report_says_what_the_verdict_says() -> None:
    made = report(twenty())
    assert made.sentence.startswith("A · A is better than B · B by 50 points")
    assert [column["Verdict"] for column in made.columns] == ["", "worse"]
    assert [answer[0].passed for answer in made.rows[0].answers] == [True, False]
    assert made.rows[0].answers[1][0].reasons == ("contains:1: no '1' in the answer",)
    assert dict(made.method)["Units"].startswith("20")


def test_the_page_needs_nothing_else_and_shows_every_answer() -> None:
    page = html_report(twenty())
    tags = Tags(page)
    assert "script" not in tags.tags
    assert all(address.startswith(("#input-", "data:")) for address in tags.addresses)
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert page.count("No idea.") == 10
    assert "A · A is better than B · B by 50 points" in page
    assert page.count('class="mark pass"') == 30
    assert page.count('class="mark fail"') == 10


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_was_written_acts_in_the_page(text: str) -> None:
    everywhere = {
        "variants": (Variant(name=text, user=text, system=text, literal=True), Variant(name="B", user="x")),
        "inputs": (Input(values={"sum": text}, checks=Check.of(check_of(text))),),
        "title": text[:100],
    }
    run = saved_run(answer=text, **everywhere)
    run = replace(run, row=replace(run.row, title=text))
    plain, hostile = Tags(html_report(saved_run(**(everywhere | {"title": "T"})))), Tags(html_report(run))
    assert {"script", "iframe", "b"} & set(hostile.tags) <= {"b"}
    assert not hostile.handlers
    assert all(address.startswith(("#input-", "data:")) for address in hostile.addresses)
    assert abs(len(hostile.tags) - len(plain.tags)) <= 3
    html_report(run).encode("utf-8")


def test_images_and_sounds_are_inside_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    run = twenty()
    output = run.results[0].output
    assert output is not None
    drew = replace(run.results[0], output=replace(output, text="", images=(fakes.png(), fakes.png())))
    run = replace(run, results=(drew, *run.results[1:]))
    assert html_report(run).count('src="data:image/png;base64,') == 2
    monkeypatch.setattr(pages, "MAX_MEDIA", len(fakes.png()))
    page = html_report(run)
    assert page.count('src="data:image/png;base64,') == 1
    assert "1 images or sounds are left out" in page


def test_markdown_has_verdict_prompts_and_first_words() -> None:
    text = markdown(twenty())
    assert "**A · A is better than B · B by 50 points" in text
    assert "```text\nWhat is {{sum}}?\n```" in text
    assert len(re.findall(r"✗ No idea\.", text)) == 10


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_was_written_acts_in_markdown(text: str) -> None:
    run = saved_run(
        answer=text,
        variants=(Variant(name=text, user=text, literal=True), Variant(name="B", user="x")),
        inputs=(Input(values={"sum": text}, checks=Check.of(check_of(text))),),
    )
    drawn = MarkdownIt("gfm-like", {"linkify": False}).render(markdown(replace(run, row=replace(run.row, title=text))))
    tags = Tags(drawn)
    assert not {"script", "iframe", "img", "a", "b"} & set(tags.tags)
    assert not tags.handlers


@settings(max_examples=40)
@given(st.text(max_size=40))
def test_a_table_of_markdown_keeps_its_columns(text: str) -> None:
    drawn = MarkdownIt("gfm-like", {"linkify": False}).render(markdown(saved_run(answer=text)))
    rows = re.findall(r"<tr>(.*?)</tr>", drawn, re.DOTALL)
    assert [row.count("<td") + row.count("<th") for row in rows][-2:] == [5, 5]
