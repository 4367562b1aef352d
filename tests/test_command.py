"""`python -m core`: an experiment's file in, the verdict and the files out, without a browser."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core import command
from core.command import main
from core.exchange.experiment_file import experiment_file, experiment_in
from core.experiment import Experiment, Input, Variant
from core.types import Check
from tests.support import fake_openai

SMALL = Experiment(
    page="playground",
    variants=(Variant(name="Plain", user="What is {{n}}?"), Variant(name="Said", user="Say {{n}}.")),
    models=("tiny-text",),
    inputs=tuple(Input(values={"n": f"{n} + 1"}, checks=Check.of("min-chars:1")) for n in range(2)),
    parameters={"max_new_tokens": 4, "temperature": 0.0},
    title="Small",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(experiment_file(SMALL), "utf-8")
    return path


def test_a_run_prints_its_verdict_and_is_not_asked_twice(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(file), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Too few inputs to crown anyone: 2 inputs, and a verdict needs 15.")
    assert "A · Plain  100%" in told.out
    (written,) = out.glob("*.json")
    assert experiment_in(written.read_text("utf-8")) == SMALL
    first = json.loads(written.read_text("utf-8"))["cells"]
    assert main(["run", str(file), "--out", str(out), "--fail-under", "1"]) == 0
    assert "Run before" in capsys.readouterr().err
    assert json.loads(written.read_text("utf-8"))["cells"] == first
    assert main(["verdict", "--out", str(out)]) == 0
    assert capsys.readouterr().out == told.out
    assert main(["export", "--out", str(out), "--format", "csv", "--format", "markdown"]) == 0
    assert {path.suffix for path in out.iterdir()} >= {".json", ".html", ".csv", ".md"}


def test_a_run_that_was_stopped_goes_on(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["run", str(file), "--out", str(tmp_path / "out"), "--format", "json"]
    with monkeypatch.context() as patch:
        patch.setattr(command, "_watch", lambda engine, run_id: False)
        assert main(arguments) == 130
    assert "goes on from here" in capsys.readouterr().err
    assert main(arguments) == 0
    (written,) = (tmp_path / "out").glob("*.json")
    assert {cell["state"] for cell in json.loads(written.read_text("utf-8"))["cells"]} == {"done"}


def test_a_threshold_that_fails_and_an_answer_that_is_missing_are_said_by_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "remote.json"
    with fake_openai.running() as server:
        monkeypatch.setenv("A_KEY", "fakekey")
        row = Input(values={"n": "1"}, checks=Check.of("contains:one"))
        asked = replace(SMALL, variants=SMALL.variants[:1], models=(f"custom:gpt@{server.url}",), inputs=(row,))
        path.write_text(experiment_file(asked))
        server.plans = [fake_openai.says("two")]
        arguments = ["run", str(path), "--out", str(tmp_path / "out"), "--key", f"{server.url}=A_KEY"]
        assert main([*arguments, "--fail-under", "0.5"]) == 1
        assert "A · Plain passes less than 50%." in capsys.readouterr().err
        assert server.requests[-1].key == "fakekey"
    assert main([*arguments, "--again"]) == 1
    assert "1 of 1 answers are missing or failed." in capsys.readouterr().err
    kept = b"".join(file.read_bytes() for file in (tmp_path / "out").iterdir())
    assert b"fakekey" not in kept


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "missing.yaml"], "missing.yaml cannot be read: No such file"),
        (["run", "{file}", "--model", "no-such-model"], "no-such-model"),
        (["run", "{file}", "--samples", "0"], "amples"),
        (["run", "{file}", "--key", "openai=NOT_SET_ANYWHERE"], "it is not set"),
        (["verdict"], "There is no run in diptych-out"),
        (["export", "--out", "elsewhere"], "There is no run in elsewhere"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str],
    sentence: str,
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([argument.format(file=file) for argument in arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert sentence in told.err
    assert told.err.startswith("diptych: ")
    assert told.err.count("\n") == 1


def test_a_file_is_shown_as_yaml_and_models_are_listed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(file)]) == 0
    assert capsys.readouterr().out == experiment_file(SMALL)
    assert main(["models"]) == 0
    listed = capsys.readouterr().out
    assert any(line.split() == ["tiny-text", "text", "ready"] for line in listed.splitlines())
    assert "openai:" in listed


def test_a_promptfoo_configuration_runs_and_says_what_it_leaves_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "promptfooconfig.yaml"
    file.write_text(
        "prompts: ['What is {{n}}?', 'Say {{n}}.']\nproviders: [openai:gpt-4o]\n"
        "tests: [{vars: {n: 1 + 1}, assert: [{type: regex, value: .}, {type: llm-rubric, value: nice}]}]\n"
    )
    out = tmp_path / "out"
    assert main(["run", str(file), "--model", "tiny-text", "--out", str(out), "--format", "json"]) == 0
    told = capsys.readouterr()
    assert "not taken over: Line 2, providers" in told.err
    assert "not taken over: Line 3, test 1, assert 2" in told.err
    assert told.out.startswith("Too few inputs")
    assert main(["run", str(file), "--out", str(out)]) == 2
    assert "add at least one model" in capsys.readouterr().err
    assert main(["import", str(file)]) == 0
    assert "regex:." in capsys.readouterr().out


def test_a_table_alone_is_no_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.csv"
    file.write_text("a,b\n1,2\n")
    assert main(["run", str(file)]) == 2
    assert capsys.readouterr().err.startswith("diptych: ")
