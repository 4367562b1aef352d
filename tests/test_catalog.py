"""The catalog's rows are complete, pinned and within their own bounds."""

from __future__ import annotations

import re

import pytest

from core.catalog import CATALOG, PRESETS, spec
from core.errors import UnknownModel
from core.settings import ROOT
from core.types import ModelSpec

rows = pytest.mark.parametrize("row", CATALOG, ids=lambda row: row.id)


def test_ids_are_unique() -> None:
    assert len({row.id for row in CATALOG}) == len(CATALOG)


@rows
def test_a_hub_model_is_pinned_to_a_commit(row: ModelSpec) -> None:
    if not row.bundled:
        assert re.fullmatch(r"[0-9a-f]{40}", row.revision)
        assert row.download_bytes > 0


@rows
def test_a_bundled_model_ships_with_its_card(row: ModelSpec) -> None:
    if row.bundled:
        folder = ROOT / "models" / row.source
        assert (folder / "model.safetensors").is_file()
        assert (folder / "README.md").is_file()


@rows
def test_defaults_lie_within_their_bounds(row: ModelSpec) -> None:
    for parameter in row.parameters:
        if parameter.kind != "lines":
            assert isinstance(parameter.default, int | float)
            assert parameter.low is not None
            assert parameter.high is not None
            assert parameter.low <= parameter.default <= parameter.high


@rows
def test_every_row_says_what_it_is(row: ModelSpec) -> None:
    assert row.summary.endswith(".")
    assert row.licence
    assert row.memory_bytes > 0


def test_presets_set_parameters_that_exist() -> None:
    names = {parameter.name for parameter in CATALOG[0].parameters}
    assert all(set(values) <= names for values in PRESETS.values())


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match="tiny-text"):
        spec("gpt-5")
