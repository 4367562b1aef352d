"""Today's run against yesterday's, from the history, and its report for the team."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import open_list, settled
from tests.browser.test_flow import await_answers, exported, open_history, run_example, select_row


def test_what_failed_is_found_and_read(page: Page) -> None:
    run_example(page)
    await_answers(page)
    open_list(page.get_by_role("combobox", name=re.compile("Show")))
    page.get_by_role("option", name="Columns disagree").click()
    expect(page.get_by_text("15 of 16 inputs")).to_be_visible()
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_text("Choose a cell to read its answer")).to_be_visible()
    settled(page)
    table = page.locator("[data-testid='stDataFrame'] canvas").last
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 240, box["y"] + 35 + 17)
    expect(page.get_by_text("The answer is 101.", exact=True)).to_be_visible()
    expect(page.get_by_text("Prompt as the model got it")).to_be_visible()


def test_a_changed_prompt_is_compared_with_the_run_before(page: Page, tmp_path: Path) -> None:
    run_example(page)
    await_answers(page)
    prompt = page.get_by_label("Prompt C")
    prompt.fill("What is {{numbers}}? Be quick.")
    prompt.blur()
    settled(page)
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
    await_answers(page)
    report = exported(page, "HTML report")[1].decode("utf-8")
    assert "Be quick." in report
    assert "<script" not in report

    open_history(page)
    select_row(page, 0)
    select_row(page, 1)
    expect(page.get_by_role("heading", name="Earlier run against later run")).to_be_visible()
    expect(page.get_by_text("16 inputs in both")).to_be_visible()
    expect(page.get_by_text("A · Before (Step by step)").first).to_be_visible()
    page.get_by_text("How the prompts differ").click()
    expect(page.locator(".diptych-diff")).to_be_visible()
    assert exported(page, "CSV")[0].endswith(".csv")
