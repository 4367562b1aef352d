"""Every page through Streamlit's own test harness: it opens, it draws, its controls do what they say."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.examples import EXAMPLES
from core.experiment import plan
from core.ui.session import pages, resources
from tests.support import tiny_models
from tests.support.visits import (
    CHAT,
    CODE,
    HISTORY,
    PLAYGROUND,
    TEXT,
    Visit,
    by_label,
    fill,
    on_page,
    runs,
    said,
    settle,
)

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(row.path for row in pages.PAGES)


@pytest.mark.parametrize("path", PAGES)
def test_opens_without_an_error(path: str, visit: Visit) -> None:
    app = visit(path)
    assert not app.exception
    assert not app.error
    assert app.title


def test_home_says_what_can_run_here(visit: Visit) -> None:
    text = said(visit())
    assert "ready" in text
    assert "downloads 548 MB on first use" in text
    assert "demo model" in text


def test_homes_one_button_opens_a_filled_playground(visit: Visit) -> None:
    app = visit()
    by_label(app.button, "Compare three prompts").click()
    app.run()
    assert [area.value for area in app.text_area if area.label.startswith("Prompt")] == [
        variant.user for variant in EXAMPLES[0].variants
    ]
    assert "Run 48 generations" in said(app)


def test_add_duplicates_the_last_variant_up_to_six(visit: Visit) -> None:
    app = visit(PLAYGROUND)
    for _ in range(3):
        by_label(app.button, "Add variant").click()
        app.run()
    prompts = [area.value for area in app.text_area if area.label.startswith("Prompt")]
    names = [field.value for field in app.text_input if field.label.startswith("Name of variant")]
    assert prompts[3:] == [prompts[2]] * 3
    assert len(set(names)) == 6
    assert by_label(app.button, "Add variant").disabled


def test_a_new_variable_becomes_a_column(visit: Visit) -> None:
    app = visit(PLAYGROUND)
    by_label(app.text_area, "Prompt A").set_value("Say {{word}} and {{numbers}}")
    app.run()
    assert list(app.dataframe[0].value.columns)[:2] == ["word", "numbers"]
    assert "**word** is empty in rows 1, 2, 3, 4" in said(app), "what is missing is named before the run"


def test_a_broken_template_is_said_before_the_run(visit: Visit) -> None:
    app = visit(PLAYGROUND)
    by_label(app.text_area, "Prompt A").set_value("What is {{numbers")
    app.run()
    assert not app.exception
    assert "Plain" in "".join(str(error.value) for error in app.error)


@pytest.mark.parametrize(("page", "label"), [(PLAYGROUND, "Prompt A"), (PLAYGROUND, "System B"), (TEXT, "Prompt")])
def test_a_variable_that_may_not_be_meant_is_said_beside_its_prompt(page: str, label: str, visit: Visit) -> None:
    app = visit(page)
    next(area for area in app.text_area if area.label == label).set_value(r"Is $\frac{{a}}{2}$ a half?")
    app.run()
    notes = [note.value for note in app.caption if "holds the variable" in note.value]
    assert len(notes) == 1
    assert r"\\frac\{\{a\}\}" in notes[0]
    assert "raw" in notes[0]
    next(area for area in app.text_area if area.label == label).set_value("Is {{a}} a half?")
    app.run()
    assert "holds the variable" not in said(app)


def test_precise_sets_greedy_and_says_that_samples_are_copies(visit: Visit) -> None:
    app = visit(PLAYGROUND)
    by_label(app.number_input, "Samples").set_value(3).run()
    by_label(app.button_group, "Preset").set_value("Precise")
    app.run()
    assert by_label(app.number_input, "Temperature").value == 0
    text = said(app)
    assert "all samples would be the same" in text
    assert "Run 48 generations" in text


def test_stop_strings_with_line_ends_survive_their_field(visit: Visit) -> None:
    stop = ("\nUser:", "\n", "a\nb", r"\d", r"\n")
    fill(replace(EXAMPLES[0], parameters={"stop": stop}))
    app = visit(PLAYGROUND)
    field = by_label(app.text_area, "Stop strings")
    assert field.value == "\n".join([r"\nUser:", r"\n", r"a\nb", r"\d", r"\\n"])
    field.set_value(field.value + "\n" + r"\tEnd").run()
    assert on_page("playground").parameters["stop"] == (*stop, "\tEnd")


def test_controls_survive_a_change_of_page(visit: Visit) -> None:
    app = visit(PLAYGROUND)
    by_label(app.text_area, "Prompt B").set_value("Add up {{numbers}}, please.")
    app.run()
    app.switch_page(HISTORY).run()
    app.switch_page(PLAYGROUND).run()
    assert by_label(app.text_area, "Prompt B").value == "Add up {{numbers}}, please."


def test_the_text_page_counts_the_context(visit: Visit) -> None:
    app = visit(TEXT)
    assert "prompt tokens +" in said(app)
    by_label(app.text_area, "Prompt").set_value("word " * 600)
    app.run()
    assert "too many" in said(app)


def test_an_unusable_database_is_a_sentence_on_every_page(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("this is no database " * 100)
    monkeypatch.setenv("DIPTYCH_DATABASE", f"sqlite:///{broken}")
    for path in PAGES:
        app = visit(path)
        assert not app.exception
        assert "damaged" in said(app)


def test_nothing_was_started_by_looking(visit: Visit) -> None:
    for path in PAGES:
        visit(path)
    assert resources.worker().pid is None


def test_a_chat_begins_empty_and_offers_nothing_to_do_with_it(visit: Visit) -> None:
    app = visit(CHAT)
    assert "Say something below" in said(app)
    assert all(by_label(app.button, label).disabled for label in ("New chat", "To playground"))  # type: ignore[attr-defined]


def test_a_chat_answers_and_keeps_its_versions(visit: Visit) -> None:
    app = visit(CHAT)
    app.chat_input[0].set_value("What is the {{ moon }}?").run()
    settle(app)
    assert len(app.code) == 1
    by_label(app.button, "Regenerate").click()
    app.run()
    settle(app)
    assert "What is the {{ moon }}?" in [text.value for text in app.text]
    assert len(app.chat_message) == 2
    by_label(app.button, "New chat").click()
    app.run()
    assert not app.chat_message


def test_a_blank_message_is_refused_and_nothing_is_sent(visit: Visit) -> None:
    app = visit(CHAT)
    app.chat_input[0].set_value("   ").run()
    assert "The message is empty" in said(app)
    assert not app.chat_message


def test_a_deployment_says_what_it_lends_before_it_is_used(visit: Visit) -> None:
    secrets = {"providers": {"openai": {"api_key": "sk-deployment-123"}}, "diptych": {"requests_per_hour": 7}}
    app = visit(TEXT, secrets=secrets)
    assert "lends its key" not in said(app)
    app.selectbox[0].set_value("openai:gpt-4.1-mini").run()
    assert "7 of 7 requests left this hour" in said(app)
    assert "200,000 of 200,000 tokens" in said(app)
    assert "sk-deployment-123" not in str(app.main) + str(app.sidebar)


def test_the_controls_are_those_that_the_chosen_model_takes(visit: Visit) -> None:
    app = visit(TEXT, secrets={"providers": {"gemini": {"api_key": "k"}}})
    app.selectbox[0].set_value("gemini:gemini-4-hydrogen").run()
    labels = [widget.label for widget in (*app.number_input, *app.selectbox, *app.text_area)]
    assert "Thinking" in labels
    assert "JSON schema of the answer" in labels
    assert "Min-p" not in labels
    assert "ignores temperature, top_k, top_p" in said(app)
    assert next(w.value for w in app.number_input if w.label == "Max new tokens") == 1024


def test_a_remote_model_of_an_old_run_stays_chosen_and_says_what_it_lacks(visit: Visit) -> None:
    fill(replace(EXAMPLES[0], models=("tiny-text", "gemini:gemini-2.0-flash")))
    app = visit(PLAYGROUND)
    assert app.multiselect[0].value == ["tiny-text", "gemini:gemini-2.0-flash"]
    assert any("no key yet" in option for option in app.multiselect[0].options)


def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tiny-code as noise: it answers at once, and seldom with Python."""
    (tmp_path / "models").mkdir()
    shutil.copytree(ROOT / "models" / "tiny-text", tmp_path / "models" / "tiny-text")
    tiny_models.build("codegen", tmp_path / "models" / "tiny-code")
    monkeypatch.setenv("DIPTYCH_MODELS", str(tmp_path / "models"))


def test_code_comes_as_ranked_candidates_and_every_version_stays(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled(tmp_path, monkeypatch)
    app = visit(CODE)
    typed = 'def f(a):\n    return "{{ a }}{% if %}"\n\nx = '
    by_label(app.text_area, "Prompt").set_value(typed)
    by_label(app.number_input, "Temperature").set_value(2.0)
    app.run()
    by_label(app.button, "Generate").click()
    app.run()
    settle(app)
    assert "5 candidates" in said(app)
    assert all(code.value.startswith(typed) for code in app.code)
    assert 1 <= len(app.code) <= 5
    badges = [text.value for text in app.markdown if "parse" in text.value and "badge" in text.value]
    assert len(badges) == len(app.code)
    likely = [text.value.split()[-1] for text in app.caption if "mean log-probability" in text.value]
    assert likely == sorted(likely), "the likeliest, with the smallest negative number, comes first"
    first = [code.value for code in app.code]
    by_label(app.button, "Regenerate").click()
    app.run()
    settle(app)
    assert "2 versions" in said(app)
    assert [code.value for code in app.code] != first


def test_words_become_the_comment_above_the_code(visit: Visit) -> None:
    app = visit(CODE)
    by_label(app.button_group, "Prompt is").set_value("Words")
    by_label(app.text_area, "Prompt").set_value("adds two numbers\nand doubles them")
    app.run()
    (cell, *_) = plan(on_page("code"))
    assert cell.request.messages[0].text == "# adds two numbers\n# and doubles them\n"
    assert not cell.request.chat


def test_a_gap_is_refused_before_the_run_by_a_model_that_only_continues(visit: Visit) -> None:
    app = visit(CODE)
    by_label(app.text_area, "Prompt").set_value("x = <FILL_HERE>\n")
    app.run()
    sentence = "tiny-code continues code and cannot fill a gap; remove"
    assert sentence in said(app).replace("\\", "")
    by_label(app.button, "Generate").click()
    app.run()
    assert sentence in said(app).replace("\\", "")
    assert runs("code") == []
    app.selectbox[0].set_value("tiny-starcoder-py").run()
    assert sentence not in said(app).replace("\\", "")
    assert "the model fills it in" in said(app)


def test_an_empty_code_prompt_is_refused_before_the_run(visit: Visit) -> None:
    app = visit(CODE)
    by_label(app.text_area, "Prompt").set_value("  \n")
    app.run()
    assert "Write how the code begins" in said(app)


def test_each_page_offers_the_models_that_make_what_it_shows(visit: Visit) -> None:
    assert [option.split(" · ")[0] for option in visit(CODE).selectbox[0].options] == [
        "Diptych tiny-code",
        "CodeGen 350M mono",
        "TinyStarCoderPy",
    ]
    assert not any("code" in option.lower() for option in visit(TEXT).selectbox[0].options)


def test_a_bundled_model_that_is_not_there_is_said(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIPTYCH_MODELS", str(tmp_path))
    assert "Diptych tiny-code · not in this installation" in visit(CODE).selectbox[0].options
