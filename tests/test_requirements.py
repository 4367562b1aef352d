"""requirements.txt names what the app imports, with bounds, and never pulls a CUDA build of torch."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()]
REQUIRED = {re.split(r"[<>=!~\[ ]", line)[0].lower().replace("-", "_"): line for line in LINES if line}
CARD = {"streamlit", "transformers", "diffusers", "torch", "google_generativeai", "pandas", "altair"}
PACKAGES = {"PIL": "pillow", "google": "google_genai"}
"""Modules that are not called as their package is."""

OURS = {"core", "training", "benchmarks", "tests", "pages"}


def imported() -> set[str]:
    """Third-party modules that the app and the training import, at any depth."""
    found = set()
    for folder in ("core", "pages", "training"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.split(".")[0])
    return {PACKAGES.get(name, name) for name in found - set(sys.stdlib_module_names) - OURS}


def test_torch_is_pinned_exactly() -> None:
    assert REQUIRED["torch"] == "torch==2.13.0"


def test_the_packages_that_the_app_was_ordered_with_are_there() -> None:
    assert set(REQUIRED) >= CARD


def test_everything_imported_is_required() -> None:
    carried = {"numpy", "tqdm"}  # by torch and huggingface_hub, which cannot be without them
    assert imported() - set(REQUIRED) - carried == set()


def test_every_requirement_is_bounded() -> None:
    loose = [line for line in REQUIRED.values() if "==" not in line and "<" not in line]
    assert loose == ["regex>=2026.1"], "regex counts in dates, so no next version says that it breaks"
