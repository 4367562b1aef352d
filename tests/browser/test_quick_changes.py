"""Controls that are changed within a moment, and a press right after: the run has exactly these values.

The changes come from the page itself, a few milliseconds apart, as no test driver is quick enough. What was run is
read from the server's history.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.catalog import PRESETS, TEXT_PARAMETERS, common, spec
from core.experiment.serialize import from_dict
from core.types import Experiment
from tests.browser.conftest import settled, visiting
from tests.browser.test_flow import await_end
from tests.support import tiny_audio, tiny_models
from tests.support.serving import Server, eventually, served

PAUSE = 6
"""Milliseconds between one change and the next: a page with twenty controls is through within 200."""

# Sets every field as typing would (the setter past React's own, then its events), and clicks at the end.
CHANGE = r"""
async ({ pause, leave, presses, press }) => {
  const wait = (least = 0) => new Promise((done) => setTimeout(done, Math.max(pause, least)));
  const button = (begin) => [...document.querySelectorAll("[data-testid=stMain] button")]
    .filter((one) => one.innerText.split("\n").some((line) => line.trim().startsWith(begin))).pop();
  const fields = [...document.querySelectorAll(
    "[data-testid=stNumberInputField], [data-testid=stTextArea] textarea, [data-testid=stTextInput] input"
  )].filter((one) => !one.disabled && !leave.includes(one.ariaLabel));
  const here = async (field) => {  // a press before may have replaced it, as may a redraw
    for (let left = 500; left; left--) {
      const one = field.isConnected ? field
        : [...document.querySelectorAll("input, textarea")].find((other) => other.ariaLabel === field.ariaLabel);
      if (one) return one;
      await wait();
    }
    throw new Error(`${field.ariaLabel} has gone`);
  };
  const values = {};
  const change = async (field) => {
    const one = await here(field);
    const number = one.type === "number";
    const step = Number(one.step) || 1;
    const next = Number(one.value) + step <= Number(one.max) ? Number(one.value) + step : Number(one.value) - step;
    const value = number ? String(Math.round(next * 1e6) / 1e6) : one.value + " more";
    const kind = one.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(one, value);
    one.dispatchEvent(new Event("input", { bubbles: true }));
    await wait();
    one.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
    values[one.ariaLabel] = value;
  };
  const inside = (field) => Boolean(field.closest("[data-testid=stPopoverBody]"));  // which a press closes
  for (const field of fields.filter(inside)) await change(field);
  for (const begin of presses) { button(begin).click(); await wait(60); }
  for (const field of fields.filter((one) => !inside(one))) await change(field);
  if (press) { await wait(); button(press).click(); }
  return values;
}
"""


def experiments(server: Server) -> list[Experiment]:
    """What was run there, oldest first."""
    with sqlite3.connect(server.data / "history.db") as connection:
        rows = connection.execute("SELECT experiment FROM runs ORDER BY created").fetchall()
    return [from_dict(json.loads(row[0])) for row in rows]


@contextmanager
def no_answers(server: Server, start: Callable[[], None]) -> Iterator[None]:
    """Starts a run that does not end in here, however fast the machine is: the worker's process is held up."""
    before = server.workers()
    for worker in before:
        worker.suspend()
    try:
        start()
        if not before:  # it is started by the run
            eventually(lambda: bool(server.workers()))
            server.workers()[0].suspend()
        yield
    finally:
        for worker in server.workers():
            worker.resume()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose models for text, code, images and sounds are small and at hand."""
    models = tmp_path_factory.mktemp("models")
    tiny_models.pipeline(models / "tiny-image")
    tiny_audio.musicgen(models / "tiny-audio")
    for name in ("tiny-text", "tiny-code"):
        (models / name).symlink_to(Path(__file__).resolve().parents[2] / "models" / name)
    with served(tmp_path_factory.mktemp("quick"), models=models) as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with visiting(browser, server.url) as view:
        yield view


@dataclass(frozen=True)
class Form:
    """A page with a button: what is pressed before its controls are in sight, what is pressed quickly, and which
    controls that sets."""

    button: str
    opens: str = ""
    presses: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()


CREATIVE = tuple(row.label for row in TEXT_PARAMETERS if row.name in PRESETS["Creative"])
FORMS = {
    "playground": Form("Run", opens="More parameters", presses=("Add variant",)),
    "text": Form("Generate", presses=("Creative",), sets=CREATIVE),
    "image": Form("Generate", presses=("New seed",), sets=("Seed",)),
    "audio": Form("Generate", opens="More parameters", presses=("New seed",), sets=("Seed",)),
    "code": Form("Generate", presses=("Words", "Creative"), sets=CREATIVE),
}


def open_popover(page: Page, form: Form) -> None:
    if form.opens and not page.get_by_test_id("stPopoverBody").count():
        page.get_by_role("button", name=form.opens).click()
        expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stNumberInputField").first).to_be_visible()


def change(page: Page, form: Form, *, press: bool) -> dict[str, str]:
    """Change all controls at once; returns their new values by label."""
    open_popover(page, form)
    presses, last = list(form.presses), form.button if press else ""
    order = {"pause": PAUSE, "leave": ["Seeds", *form.sets], "presses": presses, "press": last}
    return page.evaluate(CHANGE, order)  # type: ignore[no-any-return]


def fields(experiment: Experiment) -> dict[str, object]:
    """An experiment's values by the labels of the controls that set them."""
    values: dict[str, object] = {"Seed": experiment.seed}
    values |= dict.fromkeys(("Samples", "Images", "Sounds", "Candidates"), experiment.samples)
    only, around = experiment.variants[0], experiment.inputs[0].values  # where words are framed as code
    values |= {"Prompt": around.get("code", only.user) if experiment.page == "code" else only.user}
    values |= {"System": only.system, "Checks for every row": "\n".join(check.line for check in experiment.checks)}
    for letter, variant in zip("ABCDEF", experiment.variants, strict=False):
        values |= {f"Name of variant {letter}": variant.name, f"Prompt {letter}": variant.user}
        values |= {f"System {letter}": variant.system}
    for row in common([spec(model) for model in experiment.models]):
        value = experiment.parameters.get(row.name)
        values[row.label] = "\n".join(map(str, value)) if isinstance(value, tuple | list) else value
    return values


def expect_values(experiment: Experiment, form: Form, changed: Mapping[str, str]) -> None:
    known = fields(experiment)
    if "Creative" in form.presses:
        assert PRESETS["Creative"].items() <= experiment.parameters.items()
    if "New seed" in form.presses:
        assert experiment.seed != 42
    assert len(changed) > 4
    for label, value in changed.items():
        now = known[label]
        assert now == (pytest.approx(float(value)) if isinstance(now, int | float) else value), label


def expect_shown(page: Page, form: Form, changed: Mapping[str, str]) -> None:
    open_popover(page, form)
    for label, value in changed.items():
        field = page.locator(f"[aria-label='{label}']:is(input, textarea)")
        shown = re.compile(rf"^{re.escape(value)}0*$") if "." in value else re.compile(rf"^{re.escape(value)}(\.0+)?$")
        expect(field).to_have_value(shown)


def expect_running(page: Page) -> None:
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()


def press_stop(page: Page) -> None:
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Stop")).click()


def await_the_end(page: Page) -> None:
    """Wait for the end of the run, and for the sound of it that the browser reads."""
    await_end(page)
    page.wait_for_function("[...document.querySelectorAll('audio')].every((one) => one.readyState === 4)")


@pytest.mark.parametrize("name", FORMS)
def test_the_run_has_the_values_of_the_moment_of_the_press(page: Page, server: Server, name: str) -> None:
    page.goto(f"/{name}")
    settled(page)
    before = len(experiments(server))
    changed: dict[str, str] = {}

    def start() -> None:
        changed.update(change(page, FORMS[name], press=True))
        expect_running(page)

    with no_answers(server, start):
        assert len(experiments(server)) == before + 1
        expect_values(experiments(server)[-1], FORMS[name], changed)
        expect_shown(page, FORMS[name], changed)
        press_stop(page)
    await_the_end(page)


@pytest.mark.parametrize("name", FORMS)
def test_what_is_changed_while_a_run_is_under_way_is_kept(page: Page, server: Server, name: str) -> None:
    form = FORMS[name]
    page.goto(f"/{name}")
    settled(page)

    def start() -> None:
        page.keyboard.press("Escape")
        page.get_by_role("button", name=re.compile(f"^{form.button}")).first.click()
        expect_running(page)

    with no_answers(server, start):
        changed = change(page, form, press=False)
        expect_shown(page, form, changed)
        press_stop(page)
    await_the_end(page)
    expect_shown(page, form, changed)
    runs = len(experiments(server))
    with no_answers(server, start):
        assert len(experiments(server)) == runs + 1
        expect_values(experiments(server)[-1], FORMS[name], changed)
        press_stop(page)
    await_the_end(page)
