"""What a person does, in a real browser: compare, stop, find again, restore, come back."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.exchange import FORMATS
from tests.browser.conftest import open_list, serving, settled, visiting

PAGES = {
    "/": "Which prompt is better?",
    "/playground": "Playground",
    "/text": "Text",
    "/chat": "Chat",
    "/image": "Image",
    "/audio": "Audio",
    "/code": "Code",
    "/history": "History",
}


def run_example(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.get_by_role("button", name="Compare three prompts").click()
    expect(page.get_by_role("heading", name="Playground")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Run", exact=False).first.click()


def await_end(page: Page) -> None:
    """Until no run is under way: Stop has turned back into Run."""
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_have_count(0, timeout=120_000)
    settled(page)


def await_answers(page: Page) -> None:
    """Until the run is over and its answers are drawn."""
    await_end(page)
    expect(page.locator("[data-testid='stCode']").first).to_be_visible()


def answers(page: Page) -> list[str]:
    """All answers that the grid shows, in order."""
    return page.locator("[data-testid='stCode']").all_inner_texts()


def open_history(page: Page) -> None:
    link = page.get_by_role("link", name="History")
    link.click(delay=200)  # as a finger does: a field that is left is told to the server before the page changes
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    settled(page)


def select_first_row(page: Page) -> None:
    select_row(page, 0)


def select_row(page: Page, number: int) -> None:
    """The table is a canvas: its checkbox column is pressed where the row is."""
    box = page.locator("[data-testid='stDataFrame'] canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 35 + 17 + 35 * number)
    settled(page)


def restore(page: Page, title: str) -> None:
    """Bring the run that is selected in the history back to its page."""
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    settled(page)


def number(page: Page, name: str) -> Locator:
    return page.get_by_role("spinbutton", name=name, exact=True)


def set_number(page: Page, name: str, value: int) -> None:
    field = number(page, name)
    field.fill(str(value))
    field.press("Enter")
    settled(page)


def saved(page: Page, button: str, place: int = 0) -> tuple[str, bytes]:
    """The name and bytes of what a button downloads."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).nth(place).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def exported(page: Page, label: str) -> tuple[str, bytes]:
    """The name and bytes of a file from the list of formats."""
    page.get_by_role("button", name="Export").click()
    file = saved(page, label)
    page.keyboard.press("Escape")
    return file


def test_first_visit_to_restored_answers(page: Page) -> None:
    """First visit, one button, Run, answers, history, restore, the same answers again."""
    run_example(page)
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
    await_answers(page)
    expect(page.get_by_text("C · Step by step is better than A · Plain by")).to_be_visible()
    expect(page.get_by_text("From 16 inputs.")).to_be_visible()
    page.get_by_text("How was this decided?").click()
    expect(page.get_by_text("samples of one input are averaged first")).to_be_visible()
    first = answers(page)
    assert len(first) >= 12
    asked = page.get_by_label("Prompt A").input_value()
    page.get_by_label("Prompt A").fill("Something else: {{numbers}}")
    set_number(page, "Seed", 7)
    open_history(page)
    select_first_row(page)
    table = exported(page, "CSV")[1].decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(table)))) == 48, "a line for each answer"
    restore(page, "Playground")
    expect(page.get_by_label("Prompt A")).to_have_value(asked)
    expect(number(page, "Seed")).to_have_value("42")
    assert answers(page) == first
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
    await_answers(page)
    assert answers(page) == first, "the same seed and the same batches give the same bytes"


def test_a_few_inputs_crown_nobody(page: Page) -> None:
    page.goto("/playground")
    settled(page)
    page.get_by_role("button", name="Load an example").click()
    page.get_by_text("Which words make the colour?").click()
    settled(page)
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
    await_end(page)
    expect(page.get_by_text(re.compile("^Too few inputs to crown anyone: ")).first).to_be_visible()
    expect(page.get_by_text("is better than")).to_have_count(0)


def test_stop_keeps_finished_cells(page: Page) -> None:
    page.goto("/playground")
    settled(page)
    page.get_by_role("spinbutton", name="Samples").fill("20")
    page.get_by_role("spinbutton", name="Max new tokens").fill("256")
    page.get_by_role("spinbutton", name="Max new tokens").press("Enter")
    settled(page)
    expect(page.get_by_text("Run 960 generations")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.get_by_text(re.compile(r"[1-9]\d* of 960"))).to_be_visible(timeout=120_000)
    page.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.get_by_role("button", name=re.compile("^Run")).first).to_be_visible(timeout=30_000)
    settled(page)
    assert len(answers(page)) >= 1
    open_history(page)
    select_first_row(page)
    expect(page.get_by_text(re.compile(r" [1-9]\d* of 960 answers.* cancelled"))).to_be_visible()


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_a_cold_deep_link_opens_its_page_in_the_frame(browser: Browser, tmp_path: Path, path: str, title: str) -> None:
    """The very first visitor of a new server comes straight to the page."""
    with serving(tmp_path) as url, visiting(browser, url) as page:
        page.goto(path)
        settled(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.get_by_role("link", name="Playground")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_refresh_keeps_history_and_controls(page: Page) -> None:
    run_example(page)
    await_answers(page)
    page.get_by_label("Prompt A").fill("Add {{numbers}} for {{person}}")
    expect(page.get_by_text("person is empty in rows")).to_be_visible()
    settled(page)
    page.reload()
    settled(page)
    expect(page.get_by_label("Prompt A")).to_have_value("Add {{numbers}} for {{person}}")
    assert len(answers(page)) >= 12
    open_history(page)
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()


def test_another_visitor_sees_nothing_of_it(page: Page) -> None:
    page.goto("/history")
    settled(page)
    expect(page.get_by_text("0 runs")).to_be_visible()


def test_ctrl_enter_runs_from_inside_a_prompt(page: Page) -> None:
    page.goto("/playground")
    settled(page)
    prompt = page.get_by_label("Prompt A")
    prompt.fill("Add {{numbers}}.")
    prompt.press("Control+Enter")
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
    await_answers(page)
    open_history(page)
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()


def test_variables_appear_while_typing(page: Page) -> None:
    page.goto("/playground")
    settled(page)
    prompt = page.get_by_label("Prompt A")
    prompt.click()
    prompt.press("End")
    prompt.press_sequentially(" Say it to {{person}}.", delay=20)
    expect(page.get_by_text("person is empty in rows")).to_be_visible()
    expect(prompt).to_be_focused()
    expect(prompt).to_have_value("What is {{numbers}}? Say it to {{person}}.")


def test_text_streams_continues_and_downloads(page: Page) -> None:
    page.goto("/text")
    settled(page)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible(timeout=60_000)
    settled(page)
    first = answers(page)[0]
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("2 versions")).to_be_visible()
    await_end(page)
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    expect(page.locator("[data-testid='stCode']").first).to_contain_text(first.strip())
    assert saved(page, "Download")[1].decode("utf-8").strip().startswith(first.strip())
    page.reload()
    settled(page)
    expect(page.get_by_text("2 versions")).to_be_visible()


def write_one_text(page: Page) -> None:
    page.goto("/text")
    settled(page)
    page.get_by_role("button", name=re.compile("^Generate")).dblclick()  # which starts one run, not two
    expect(page.get_by_role("button", name="Continue")).to_be_visible(timeout=60_000)
    settled(page)


def test_a_run_is_renamed_starred_exported_deleted_and_brought_back(page: Page) -> None:
    write_one_text(page)
    open_history(page)
    select_first_row(page)
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New title").fill("Physics, first try")
    page.get_by_role("button", name="Save").click()
    settled(page)
    select_first_row(page)
    expect(page.get_by_role("heading", name="Physics, first try")).to_be_visible()
    page.get_by_role("button", name="Star", exact=False).first.click()
    settled(page)
    files = {kind.label: exported(page, kind.label) for kind in FORMATS}
    for kind in FORMATS:
        assert files[kind.label][0].endswith(f".{kind.ending}")
    begins = {"HTML report": b"<!doctype html>", "JSON receipt": b"{", "CSV": b"\xef\xbb\xbf", "Excel workbook": b"PK"}
    for label, begin in begins.items():
        assert files[label][1].startswith(begin)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("0 runs")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()


def test_a_model_that_cannot_be_had_fails_its_own_cells_only(page: Page) -> None:
    """No network in tests: GPT-2's cells say so and offer a retry, tiny-text's are answered."""
    page.goto("/playground")
    settled(page)
    open_list(page.get_by_role("combobox", name=re.compile("Models")))
    page.get_by_role("option", name=re.compile("GPT-2")).click()
    page.keyboard.press("Escape")
    page.get_by_text("Precise", exact=True).click()
    expect(page.get_by_text("Run 96 generations")).to_be_visible()
    settled(page)
    page.get_by_role("button", name=re.compile("^Run")).first.click()
    expect(page.get_by_role("button", name="Retry").first).to_be_visible(timeout=120_000)
    await_answers(page)
    expect(
        page.get_by_text("48 failed").or_(page.get_by_text("GPT-2 is not on this machine").first).first
    ).to_be_visible()
    assert page.get_by_role("button", name="Retry").count() == 48
    assert len(answers(page)) >= 48
