"""The Code page in a real browser: candidates of the model that ships, ranked, judged, saved, found again."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import settled
from tests.browser.test_flow import answers, await_answers, open_history, select_first_row


def generate(page: Page) -> None:
    page.goto("/code")
    settled(page)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.get_by_text(re.compile(r"^5 candidates"))).to_be_visible(timeout=200_000)
    await_answers(page)


def likelihoods(page: Page) -> list[float]:
    said = page.get_by_text(re.compile("^mean log-probability")).all_inner_texts()
    return [float(text.split()[-1].replace("\N{MINUS SIGN}", "-")) for text in said]


def test_candidates_come_ranked_with_badges_and_are_found_again(page: Page, tmp_path: Path) -> None:
    generate(page)
    shown = answers(page)
    assert 1 <= len(shown) <= 5
    likely = likelihoods(page)
    assert likely == sorted(likely, reverse=True)
    badges = page.get_by_text(re.compile("^(check|close)? *(parses|does not parse)$"))
    expect(badges).to_have_count(len(shown))
    with page.expect_download() as saving:
        page.get_by_role("button", name="Download .py").first.click()
    saving.value.save_as(tmp_path / "one.py")
    code = (tmp_path / "one.py").read_text("utf-8")
    assert code.startswith("def sum_of_squares(numbers):\n")
    assert saving.value.suggested_filename == "candidate-1.py"
    assert not re.search(r"^does not parse$", badges.first.inner_text()) or not _parses(code)
    open_history(page)
    select_first_row(page)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", name="Code", exact=True)).to_be_visible()
    settled(page)
    assert answers(page) == shown
    assert likelihoods(page) == likely
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2 versions")).to_be_visible()
    await_answers(page)


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
