"""The Image page in a real browser, with a model of random weights: made, watched, stopped, saved, and found again."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from core import png_metadata
from tests.browser.conftest import serving, settled, visiting
from tests.browser.test_flow import await_end, number, open_history, restore, saved, set_number
from tests.support import tiny_models


@pytest.fixture(scope="module")
def gallery_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose tiny-image is noise, but draws at once."""
    models = tmp_path_factory.mktemp("models")
    tiny_models.pipeline(models / "tiny-image")
    with serving(tmp_path_factory.mktemp("gallery"), models=models) as url:
        yield url


@pytest.fixture
def view(browser: Browser, gallery_server: str) -> Iterator[Page]:
    with visiting(browser, gallery_server) as page:
        page.goto("/image")
        settled(page)
        yield page


def generate(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=240_000)
    await_end(page)


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").tobytes()


def test_made_saved_dropped_and_made_again_with_the_same_bytes(view: Page, tmp_path: Path) -> None:
    page = view
    set_number(page, "Images", 2)
    set_number(page, "Steps", 6)
    generate(page)
    expect(page.get_by_text(re.compile(r"^seed 4[23] ·"))).to_have_count(2)
    name, first = saved(page, "Download PNG", 1)
    assert name == "02-seed-43.png"
    assert png_metadata.read(first).parameters["steps"] == 6
    name, packed = saved(page, "Download all")
    assert name == "images.zip"
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["01-seed-42.png", "01-seed-42.json", "02-seed-43.png", "02-seed-43.json"]
        assert archive.read("02-seed-43.png") == first
    page.get_by_role("button", name="Full size").first.click()
    expect(page.get_by_role("dialog").get_by_role("img").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.get_by_role("textbox", name="Prompt", exact=True).fill("something else")
    set_number(page, "Seed", 7)
    (tmp_path / "one.png").write_bytes(first)
    page.get_by_role("button", name="From a PNG").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "one.png")
    expect(page.get_by_text("The settings of the file are restored.")).to_be_visible()
    settled(page)
    expect(number(page, "Seed")).to_have_value("43")
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value(png_metadata.read(first).prompt)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.get_by_text("2 versions")).to_be_visible(timeout=60_000)
    await_end(page)
    name, again = saved(page, "Download PNG")
    assert name == "01-seed-43.png"
    assert pixels(again) == pixels(first), "the same prompt and seed give the same picture"


def test_a_preview_is_seen_and_kept_by_stop_and_the_history_brings_it_back(view: Page) -> None:
    page = view
    set_number(page, "Images", 1)
    set_number(page, "Steps", 50)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.locator("img.diptych-preview")).to_be_visible(timeout=240_000)
    page.get_by_role("button", name=re.compile("^Stop")).click()
    await_end(page)
    expect(page.get_by_text("stopped", exact=False).first).to_be_visible()
    expect(page.get_by_role("button", name="Download PNG")).to_be_visible()
    _, kept = saved(page, "Download PNG")
    assert png_metadata.read(kept).seed == 42

    set_number(page, "Steps", 2)
    open_history(page)
    box = page.locator("[data-testid='stDataFrame'] canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 35 + 26)  # rows with an image are taller
    settled(page)
    expect(page.get_by_role("button", name="Images (zip)")).to_be_visible()
    restore(page, "Image")
    expect(number(page, "Steps")).to_have_value("50")
    _, restored = saved(page, "Download PNG")
    assert restored == kept


def test_a_list_of_seeds_and_a_seed_put_back(view: Page) -> None:
    page = view
    set_number(page, "Steps", 2)
    page.get_by_role("textbox", name="Seeds").fill("9, 3")
    page.get_by_role("textbox", name="Seeds").press("Enter")
    expect(page.get_by_text("Make 2 images")).to_be_visible()
    settled(page)
    generate(page)
    expect(page.get_by_text(re.compile(r"^seed (9|3) ·"))).to_have_count(2)
    page.get_by_role("button", name="Reuse seed").nth(1).click()
    expect(number(page, "Seed")).to_have_value("3")
    expect(page.get_by_role("textbox", name="Seeds")).to_have_value("")
