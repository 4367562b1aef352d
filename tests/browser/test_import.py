"""A table is brought to the playground, looked at, taken over, run and undone; a pasted cell stays one cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.types import Check
from tests.browser.conftest import settled, visiting
from tests.browser.test_flow import await_answers
from tests.browser.test_quick_changes import experiments
from tests.support.serving import Server, served

CSV = """\
numbers;__expected;__description
12 + 30 + 1;number:43;a sum
"1,5; 2";llm-rubric:is polite;
7 + 8 + 9;is-json:name,age;
"""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lets go of a file after a second, unless a widget holds it."""
    with served(tmp_path_factory.mktemp("hasty"), environment={"DIPTYCH_UPLOAD_SECONDS": "1"}) as running:
        yield running


@pytest.fixture
def visitor(browser: Browser, hasty: Server) -> Iterator[Page]:
    with visiting(browser, hasty.url) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/playground")
        settled(page)
        yield page


def test_a_table_with_semicolons_is_previewed_taken_over_run_and_undone(
    visitor: Page, hasty: Server, tmp_path: Path
) -> None:
    expect(visitor.get_by_text("Run 48 generations")).to_be_visible()
    file = tmp_path / "cases.csv"
    file.write_text(CSV)
    visitor.get_by_role("button", name="Import", exact=True).click()
    dialog = visitor.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(file)
    expect(dialog.get_by_text("CSV table: 3 rows, 2 checks.")).to_be_visible()
    expect(dialog.get_by_text("The table is read as separated by semicolons.")).to_be_visible()
    expect(dialog.get_by_text("There is no check 'llm-rubric' here")).to_contain_text("Line 3, __expected")
    visitor.wait_for_timeout(2_500)  # longer than the server holds a file that no widget holds
    dialog.get_by_text("Append to the rows").click()
    expect(dialog.get_by_role("button", name="Append 3 rows")).to_be_visible()
    dialog.get_by_text("Replace the rows").click()
    dialog.get_by_role("button", name="Replace with 3 rows").click()
    expect(dialog).to_have_count(0)
    expect(visitor.get_by_text("Run 9 generations")).to_be_visible()
    settled(visitor)
    visitor.get_by_role("button", name="Run", exact=False).first.click()
    await_answers(visitor)
    ran = experiments(hasty)[-1]
    assert [row.values["numbers"] for row in ran.inputs] == ["12 + 30 + 1", "1,5; 2", "7 + 8 + 9"]
    assert [row.checks for row in ran.inputs] == [Check.of("number:43"), (), Check.of("is-json:name,age")]
    visitor.get_by_role("button", name="Undo import").click()
    expect(visitor.get_by_text("Run 48 generations")).to_be_visible()
    expect(visitor.get_by_role("button", name="Undo import")).to_have_count(0)


def test_a_check_with_commas_that_is_pasted_stays_one(visitor: Page, hasty: Server) -> None:
    table = visitor.locator("[data-testid='stDataFrame']").first
    expect(table.locator("[role=gridcell]").nth(1)).to_have_text("number:88")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    visitor.evaluate("navigator.clipboard.writeText('is-json:name,age')")
    visitor.mouse.click(box["x"] + box["width"] - 60, box["y"] + 35 + 17)
    visitor.wait_for_timeout(500)  # the table is a canvas, which does not show that it has the focus
    visitor.keyboard.press("Control+V")
    visitor.wait_for_timeout(1_500)  # nothing that can be waited for says that it was pasted
    settled(visitor)
    visitor.get_by_role("button", name="Run", exact=False).first.click()
    await_answers(visitor)
    first, second, *_ = experiments(hasty)[-1].inputs
    assert first.checks == Check.of("is-json:name,age")
    assert second.checks == Check.of("number:196")
