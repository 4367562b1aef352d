"""The Audio page in a real browser, with a model of random weights: heard, looked at, stopped, saved, found again."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import serving, settled, visiting
from tests.browser.test_flow import await_end, number, open_history, restore, saved, select_first_row, set_number
from tests.browser.test_image import generate
from tests.support import tiny_audio

RATE = 8000
PROMPT = "a calm melody on a guitar"


@pytest.fixture(scope="module")
def studio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose tiny-audio is noise: a second of it is there soon, three leave time for a stop."""
    models = tmp_path_factory.mktemp("models")
    tiny_audio.musicgen(models / "tiny-audio", rate=RATE, layers=40)
    with serving(tmp_path_factory.mktemp("studio"), models=models) as url:
        yield url


@pytest.fixture
def view(browser: Browser, studio_server: str) -> Iterator[Page]:
    with visiting(browser, studio_server) as page:
        page.goto("/audio")
        settled(page)
        prompt(page).fill(PROMPT)
        yield page


def prompt(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Prompt", exact=True)


def seconds(file: bytes) -> float:
    """How long a WAV file plays, which is mono, of 16 bits and of the model's rate."""
    with wave.open(io.BytesIO(file)) as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getframerate()) == (1, 2, RATE)
        assert any(opened.readframes(opened.getnframes())), "not silence"
        return opened.getnframes() / RATE


def expect_a_sound(page: Page, length: float) -> None:
    """One player, whose file the browser reads, and both charts drawn."""
    player = page.locator("audio")
    expect(player).to_have_count(1)
    expect(player).to_have_js_property("readyState", 4)
    assert player.evaluate("audio => audio.duration") == pytest.approx(length, abs=0.01)
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg.marks")).to_have_count(2)


def test_a_sound_is_made_heard_and_found_again_and_the_same_seed_gives_the_same_bytes(view: Page) -> None:
    page = view
    set_number(page, "Duration", 1)
    set_number(page, "Seed", 5)
    generate(page)
    expect_a_sound(page, 1.0)
    expect(page.get_by_text(re.compile(r"^seed 5 · 1\.0 s of sound in "))).to_be_visible()
    name, first = saved(page, "Download WAV")
    assert name == "01-seed-5.wav"
    assert seconds(first) == 1.0

    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.get_by_text("2 versions")).to_be_visible()
    await_end(page)
    assert saved(page, "Download WAV") == (name, first), "the same prompt and seed give the same file"

    prompt(page).fill("something else")
    set_number(page, "Duration", 2)
    set_number(page, "Seed", 7)
    open_history(page)
    select_first_row(page)
    expect(page.locator("audio")).to_have_count(1)
    restore(page, "Audio")
    expect(prompt(page)).to_have_value(PROMPT)
    expect(number(page, "Duration")).to_have_value("1.00")
    expect(number(page, "Seed")).to_have_value("5")
    expect_a_sound(page, 1.0)
    assert saved(page, "Download WAV") == (name, first)


def test_a_stop_keeps_the_sound_so_far(view: Page) -> None:
    page = view
    set_number(page, "Duration", 3)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.get_by_text(re.compile(r"^[01]\.\d of 3\.0 s of sound")).first).to_be_visible(timeout=240_000)
    page.get_by_role("button", name=re.compile("^Stop")).click()
    await_end(page)
    expect(page.get_by_text(re.compile(r"Stopped at .* of 3\.0 s of sound: this is the sound so far"))).to_be_visible()
    length = seconds(saved(page, "Download WAV")[1])
    assert 0 < length < 3
    expect_a_sound(page, length)
