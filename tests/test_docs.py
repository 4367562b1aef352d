"""What the docs point at exists, and the worked changes of docs/adding.md apply and work."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = [
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "training/README.md",
]
MADE = {".streamlit/secrets.toml", "training/runs/"}
"""What a person or a command makes."""

TOPS = ("core/", "pages/", "tests/", "training/", "benchmarks/", "models/", "docs/", ".streamlit/")
DIFFS = re.findall(r"```diff\n(.*?)```", (ROOT / "docs/adding.md").read_text("utf-8"), re.DOTALL)

USES = """
import sys
from core import catalog, checks
from core.providers import open_model
from core.settings import settings
from core.types import Message, Modality, ModelSpec, Request
from core.ui.session.pages import PAGES

assert catalog.spec("distilgpt2").provider == "local_text"
assert catalog.spec("jan:any-model").server == "jan"
assert checks.check("sentences:2", "One. Two!").passed
assert not checks.check("not-sentences:2", "One. Two!").passed
assert "tokens" in [page.key for page in PAGES]
row = ModelSpec(
    id="r", name="R", modality=Modality.TEXT, provider="repeat", source="r", summary="", licence="", parameters=()
)
request = Request(messages=(Message("user", "Hi"),), parameters={}, seed=0)
*_, finished = open_model(row, settings()).generate([request], lambda i: False)
assert finished.output.text == "Hi"
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("Home.py", default_timeout=60).run()
app.switch_page("pages/learn/tokens.py").run()
assert not app.exception, app.exception
assert app.metric[0].label == "Tokens for tiny-text"
"""


def code_spans(path: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    return re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_modules_that_the_docs_name_exist(path: Path) -> None:
    spans = code_spans(path)
    assert spans
    named = [span.split("::")[0] for span in spans if span.startswith(TOPS) and not set(span) & set("<*$ ")]
    missing = [name for name in named if not (ROOT / name).exists() and name not in MADE]
    modules = [span for span in spans if re.fullmatch(r"core(\.\w+)+", span)]
    assert not missing
    assert not [name for name in modules if not module_exists(name)]


def module_exists(name: str) -> bool:
    """A module, or a name that the module before the last dot has."""
    parts = name.split(".")
    files = [ROOT.joinpath(*parts).with_suffix(".py"), ROOT.joinpath(*parts) / "__init__.py"]
    above = [ROOT.joinpath(*parts[:-1]).with_suffix(".py"), ROOT.joinpath(*parts[:-1]) / "__init__.py"]
    has_name = re.compile(rf"\b{re.escape(parts[-1])}\b")
    return any(file.exists() for file in files) or any(
        file.exists() and has_name.search(file.read_text("utf-8")) for file in above
    )


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_the_docs_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_name_in_a_file_is_in_that_file(path: Path) -> None:
    """`Name` in `path`, as the docs write it."""
    text = " ".join(path.read_text("utf-8").split())
    for name, where in re.findall(r"`(\w+)` in `((?:core|tests|pages)/[\w/]+\.py)`", text):
        assert re.search(rf"\b{name}\b", (ROOT / where).read_text("utf-8")), f"{where} has no {name}"


def test_the_worked_changes_apply_and_work(tmp_path: Path) -> None:
    for name in ("core", "pages", "static", ".streamlit", "models", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"))
    shutil.copy(ROOT / "Home.py", tmp_path)
    assert len(DIFFS) == 5
    for number, diff in enumerate(DIFFS):
        patch = tmp_path / f"{number}.diff"
        patch.write_text(diff, "utf-8")
        done = subprocess.run(
            ["git", "apply", "--recount", patch.name], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{diff[:80]}\n{done.stderr}"
    script = tmp_path / "uses.py"
    script.write_text(USES, "utf-8")
    environment = {"PATH": "/usr/bin:/bin", "DIPTYCH_DATA": str(tmp_path / "data"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "uses.py"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
