"""A visitor's key, a remote model and a chat, in a real browser, against a server on loopback."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import open_list, serving, settled, visiting
from tests.browser.test_flow import (
    await_end,
    exported,
    number,
    open_history,
    restore,
    saved,
    select_first_row,
    set_number,
)
from tests.support.fake_openai import (
    Asked,
    Conversation,
    Plan,
    Server,
    answers,
    chunk,
    event,
    refuses,
    running,
    says,
    stalls,
)

KEY = "sk-visitor-0123456789abcdef"
MODELS = {"object": "list", "data": [{"id": name, "created": 1} for name in ("gpt-4o-mini", "gpt-4.1-mini")]}


@dataclass
class Site:
    """A Diptych whose OpenAI is a fake one; `fake.plans` are its answers, its list of models aside."""

    url: str
    fake: Server
    data: Path

    def answer(self, plan: Plan) -> None:
        models = answers(MODELS)

        def chosen(on: Conversation, asked: Asked) -> None:
            (models if asked.path.endswith("/models") else plan)(on, asked)

        self.fake.plans = [chosen]

    def told(self) -> list[dict[str, object]]:
        """The bodies of all requests for an answer."""
        return [asked.body for asked in self.fake.requests if asked.path.endswith("/chat/completions")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("remote")
    with running() as fake:
        secrets = data / "secrets.toml"
        secrets.write_text(f'[providers.openai]\nbase_url = "{fake.url}"\n')
        with serving(data, "--secrets.files", str(secrets)) as url:
            yield Site(url, fake, data)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    site.answer(says("The moon ", "is a rock."))
    site.fake.requests.clear()
    with visiting(browser, site.url) as view:
        yield view


def key_dialog(page: Page, path: str) -> Locator:
    page.goto(path)
    settled(page)
    page.get_by_role("button", name="Remote models").click()
    dialog = page.get_by_role("dialog")
    open_list(dialog.get_by_role("combobox").first)
    page.get_by_role("option", name=re.compile("^OpenAI")).click()
    return dialog


def connect(page: Page, path: str, *models: str) -> None:
    """Give the key, offer the models; the first is chosen on the page."""
    dialog = key_dialog(page, path)
    dialog.get_by_role("textbox", name="Your key for OpenAI").fill(KEY)
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog.get_by_text("Your key for OpenAI is set")).to_be_visible()
    for model in models or ("gpt-4o-mini",):
        open_list(dialog.get_by_role("combobox").nth(1))
        page.get_by_role("option", name=model).click()
        page.keyboard.press("Escape")
        expect(dialog.get_by_test_id("stMultiSelect").first.get_by_text(model)).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)
    settled(page)


def say(page: Page, text: str) -> None:
    page.get_by_test_id("stChatInput").locator("textarea").fill(text)
    page.keyboard.press("Enter")


def answered(page: Page, text: str, count: int = 1) -> None:
    expect(page.get_by_test_id("stCode").filter(has_text=text)).to_have_count(count)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    settled(page)


def test_a_chat_with_a_remote_model_streams_keeps_versions_and_survives_a_refresh(page: Page, site: Site) -> None:
    connect(page, "/chat")
    say(page, "What is the {{ moon }}?")
    answered(page, "The moon is a rock.")
    site.answer(says("Another ", "answer."))
    page.get_by_role("button", name="Regenerate").click()
    answered(page, "Another answer.")
    say(page, "And the sun?")
    answered(page, "Another answer.", 2)
    bodies = site.told()
    assert [message["content"] for message in bodies[2]["messages"]] == [  # type: ignore[attr-defined]
        "What is the {{ moon }}?",
        "Another answer.",
        "And the sun?",
    ]
    assert bodies[0]["seed"] != bodies[1]["seed"]
    page.reload()
    answered(page, "Another answer.", 2)
    expect(page.get_by_text("What is the {{ moon }}?")).to_be_visible()


def test_a_chat_is_saved_and_a_run_of_it_restored(page: Page, site: Site) -> None:
    connect(page, "/chat")
    system = page.get_by_role("textbox", name="System")
    system.fill("Be brief.")
    say(page, "What is the moon?")
    answered(page, "The moon is a rock.")
    site.answer(says("It is ", "a star."))
    say(page, "And the sun?")
    answered(page, "It is a star.")
    page.get_by_role("button", name="Export").click()
    talk = saved(page, "chat.md")[1].decode("utf-8")
    parts = ("Be brief.", "What is the moon?", "The moon is a rock.", "And the sun?", "It is a star.")
    assert [part for part in parts if part in talk] == list(parts)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_text("Say something below.")).to_be_visible()
    settled(page)
    system.fill("Be long.")
    open_history(page)
    select_first_row(page)
    restore(page, "Chat")
    answered(page, "The moon is a rock.")
    answered(page, "It is a star.")
    expect(page.get_by_text("And the sun?")).to_be_visible()
    page.get_by_text("Models and settings").click()
    expect(system).to_have_value("Be brief.")


def test_an_edited_message_is_sent_again_without_what_came_after(page: Page, site: Site) -> None:
    connect(page, "/chat")
    say(page, "first")
    answered(page, "The moon is a rock.")
    say(page, "second")
    answered(page, "The moon is a rock.", 2)
    page.get_by_role("button", name="Edit").first.click()
    page.get_by_role("textbox", name="Rewritten message").fill("first, but better")
    page.get_by_role("button", name="Send again").click()
    answered(page, "The moon is a rock.", 1)
    assert site.told()[-1]["messages"] == [{"role": "user", "content": "first, but better"}]


def test_two_models_answer_the_same_message_and_the_message_goes_to_the_playground(page: Page, site: Site) -> None:
    connect(page, "/chat")
    open_list(page.get_by_role("combobox", name=re.compile("Model, or two")))
    page.get_by_role("option", name=re.compile("tiny-text")).click()
    expect(page.get_by_test_id("stMultiSelect").get_by_text(re.compile("tiny-text"))).to_be_visible()
    page.keyboard.press("Escape")
    settled(page)
    say(page, "What is the moon?")
    expect(page.get_by_role("button", name="Regenerate")).to_have_count(2)
    settled(page)
    expect(page.get_by_text("gpt-4o-mini · OpenAI", exact=True).last).to_be_visible()
    page.get_by_role("button", name="To playground").click()
    expect(page.get_by_role("heading", name="Playground")).to_be_visible()
    settled(page)
    assert page.get_by_role("textbox", name="Prompt A").input_value() == "What is the moon?"


def test_an_answer_that_stalls_is_stopped_and_keeps_what_it_has(page: Page, site: Site) -> None:
    site.answer(stalls(event(chunk("Half an "))))
    connect(page, "/chat")
    say(page, "What is the moon?")
    expect(page.get_by_test_id("stCode").filter(has_text="Half an")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()


def test_a_text_that_is_stopped_keeps_what_it_has_and_is_restored(page: Page, site: Site) -> None:
    site.answer(stalls(event(chunk("Half an "))))
    connect(page, "/text")
    set_number(page, "Max new tokens", 300)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    expect(page.get_by_test_id("stCode").filter(has_text="Half an")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Stop")).click()
    await_end(page)
    expect(page.get_by_text("stopped")).to_be_visible()
    assert saved(page, "Download")[1] == b"Half an "

    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    asked = prompt.input_value()
    prompt.fill("Something else")
    set_number(page, "Max new tokens", 8)
    open_history(page)
    select_first_row(page)
    restore(page, "Text")
    expect(prompt).to_have_value(asked)
    expect(number(page, "Max new tokens")).to_have_value("300")
    expect(page.get_by_text("stopped")).to_be_visible()
    expect(page.get_by_test_id("stCode").filter(has_text="Half an")).to_have_count(1)


def test_a_key_that_is_refused_is_said_so_and_is_not_kept(page: Page, site: Site) -> None:
    site.fake.plans = [refuses(401)]
    dialog = key_dialog(page, "/text")
    dialog.get_by_role("textbox", name="Your key for OpenAI").fill(KEY)
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog.get_by_text("does not take this key")).to_be_visible()
    expect(dialog.get_by_text("Your key for OpenAI is set")).to_have_count(0)
    assert KEY not in page.locator("body").inner_text()


def test_a_key_is_nowhere_but_in_the_request(page: Page, site: Site) -> None:
    """Playground, a failing cell beside good ones, history, exports: the key is in none of them."""
    site.answer(refuses(500, {"error": {"message": "It broke with KEY."}}))
    connect(page, "/playground")
    page.get_by_role("button", name="Run", exact=False).first.click()
    expect(page.get_by_text("OpenAI failed (500)").first).to_be_visible(timeout=120_000)
    expect(page.get_by_role("button", name=re.compile("^Stop"))).to_have_count(0, timeout=120_000)
    settled(page)
    assert KEY not in page.content()
    open_history(page)
    select_first_row(page)
    assert KEY not in exported(page, "JSON receipt")[1].decode("utf-8")
    assert any(asked.key == KEY for asked in site.fake.requests)
    for file in site.data.rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file.name
    with sqlite3.connect(site.data / "history.db") as connection:
        kept = connection.execute("SELECT provenance, error FROM cells WHERE model LIKE 'openai:%'").fetchall()
    assert kept
    assert KEY not in json.dumps(kept)
