"""requirements.txt names what the app imports, with bounds, and never pulls a CUDA build of torch; it resolves on every
Python that the project offers itself for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import core

ROOT = Path(__file__).resolve().parent.parent
LINES = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()]
REQUIRED = {re.split(r"[<>=!~\[ ]", line)[0].lower().replace("-", "_"): line for line in LINES if line}
CARD = {"streamlit", "transformers", "diffusers", "torch", "google_generativeai", "pandas", "altair"}
PACKAGES = {"PIL": "pillow", "google": "google_genai", "yaml": "pyyaml"}
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


def needs(name: str, extras: frozenset[str], python: str) -> Iterator[Requirement]:
    """What an installed package needs on a Python of this version."""
    environments = [{"python_version": python, "python_full_version": f"{python}.0", "extra": e} for e in extras | {""}]
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate(one) for one in environments):
            yield requirement


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_versions_in_use_resolve_on_every_python_offered(python: str) -> None:
    """By the packages' own metadata: each takes this Python, and everything that it needs there is here in a version
    that it accepts. Whether each has a wheel for it only an installation there can say."""
    waiting = [Requirement(line) for line in LINES if line]
    seen: set[tuple[str, frozenset[str]]] = set()
    troubles = []
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            troubles.append(f"{wanted} is not installed")
            continue
        if not wanted.specifier.contains(found.version, prereleases=True):
            troubles.append(f"{wanted} is not met by {found.version}")
        if python not in SpecifierSet(found.metadata["Requires-Python"] or ""):
            troubles.append(f"{name} {found.version} does not take Python {python}")
        if (name, extras) not in seen:
            seen.add((name, extras))
            waiting.extend(needs(name, extras, python))
    assert not troubles
    assert len(seen) > len(REQUIRED)


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (project["name"], project["version"]) == ("diptych", core.__version__)
