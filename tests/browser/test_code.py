"""The Code page in a real browser: candidates of the model that ships, ranked, judged, saved, found again."""

from __future__ import annotations

import ast
import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import settled
from tests.browser.test_flow import (
    answers,
    await_answers,
    await_end,
    number,
    open_history,
    restore,
    saved,
    select_first_row,
    set_number,
)


def generate(page: Page) -> None:
    page.goto("/code")
    settled(page)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.get_by_text(re.compile(r"^5 candidates"))).to_be_visible(timeout=200_000)
    await_answers(page)


def likelihoods(page: Page) -> list[float]:
    said = page.get_by_text(re.compile("^mean log-probability")).all_inner_texts()
    return [float(text.split()[-1].replace("\N{MINUS SIGN}", "-")) for text in said]


def test_candidates_come_ranked_with_badges_and_are_found_again(page: Page) -> None:
    generate(page)
    shown = answers(page)
    assert 1 <= len(shown) <= 5
    likely = likelihoods(page)
    assert likely == sorted(likely, reverse=True)
    badges = page.get_by_text(re.compile("^(check|close)? *(parses|does not parse)$"))
    expect(badges).to_have_count(len(shown))
    name, file = saved(page, "Download .py")
    code = file.decode("utf-8")
    assert code.startswith("def sum_of_squares(numbers):\n")
    assert name == "candidate-1.py"
    assert not re.search(r"^does not parse$", badges.first.inner_text()) or not _parses(code)
    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    asked = prompt.input_value()
    prompt.fill("def other():\n")
    set_number(page, "Candidates", 2)
    open_history(page)
    select_first_row(page)
    restore(page, "Code")
    expect(prompt).to_have_value(asked)
    expect(number(page, "Candidates")).to_have_value("5")
    assert answers(page) == shown
    assert likelihoods(page) == likely
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2 versions")).to_be_visible()
    await_answers(page)


def test_candidates_that_are_stopped_keep_what_they_have(page: Page) -> None:
    page.goto("/code")
    settled(page)
    set_number(page, "Candidates", 20)
    for name, value in (("Max new tokens", 256), ("Temperature", 2), ("Top-k", 0)):  # what is that wild goes on long
        set_number(page, name, value)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.locator("[data-testid='stCode']").first).to_be_visible(timeout=120_000)
    page.get_by_role("button", name=re.compile("^Stop")).click()
    await_end(page)
    expect(page.get_by_text("stopped", exact=False).first).to_be_visible()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    assert saved(page, "Download .py")[1].startswith(b"def sum_of_squares(numbers):\n")


def test_a_gap_is_refused_by_a_model_that_only_continues(page: Page) -> None:
    page.goto("/code")
    settled(page)
    page.get_by_role("textbox", name="Prompt").fill("def f(a):\n    <FILL_HERE>\n    return b\n")
    expect(page.get_by_text("tiny-code continues code and cannot fill a gap")).to_be_visible()


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True
