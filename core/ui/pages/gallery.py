"""The Image page's lower half: a gallery of one run's images, each with its seed, its time and its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from core import image_files
from core.experiment import unit
from core.experiment.grid import GridCell, grid_cells, seed_of
from core.types import CellResult, Experiment, Output, State
from core.ui.components import amounts, image_view, results, run_bar, seeds
from core.ui.components.markdown import escape
from core.ui.pages import text as text_page
from core.ui.session.state import Draft

_COLUMNS = 4


def draw(draft: Draft, shown: run_bar.Shown) -> None:
    """One version's images, and what can be done with all of them."""
    shown = text_page.chosen(draft, shown)
    found = list(grid_cells(shown.experiment))
    _actions(draft, shown)
    board = st.grid(max(3, min(_COLUMNS, len(found))), min_column_width=240, key=draft.key(shown.run_id, "gallery"))
    for place in found:
        result = shown.results.get(place.index, CellResult(index=place.index))
        with board.container(border=True, height="stretch"):
            _image(draft, shown, place, result)


def save_all(
    experiment: Experiment, results: Mapping[int, CellResult], stem: str, key: str, label: str = "Images (zip)"
) -> None:
    """A button that saves all images of a run in one archive, where there are any."""
    if any(True for _ in image_files.images(experiment, results)):
        st.download_button(
            label,
            partial(image_files.archive, experiment, results),
            f"{stem}.zip",
            "application/zip",
            key=key,
            icon=":material/folder_zip:",
            on_click="ignore",
            help="Every image with its recipe, in one zip file",
        )


def _actions(draft: Draft, shown: run_bar.Shown) -> None:
    if not shown.state.final:
        return
    made = list(image_files.images(shown.experiment, shown.results))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(_sum(shown, made), width="content")
        with st.container(horizontal=True, width="content"):
            text_page.regenerate(draft, shown, draft.key(shown.run_id))
            save_all(shown.experiment, shown.results, "images", draft.key(shown.run_id, "all"), "Download all")


def _image(draft: Draft, shown: run_bar.Shown, place: GridCell, result: CellResult) -> None:
    """One image as far as it has come."""
    key = draft.key(shown.run_id, place.index)
    if result.state not in (State.DONE, State.RUNNING, State.QUEUED):  # whose bar says enough
        st.markdown(results.word(result.state))
    output = result.output
    if output is not None and output.images:
        image_view.picture(output.images[0], key, image_files.image_settings(shown.experiment, place, output).prompt)
    elif not result.state.final:
        image_view.progress(result, key)
    if result.error:
        st.error(escape(result.error, 400))
    seed = seed_of(shown.experiment, place.sample)
    facts = [f"seed {seed}", *([amounts.footer(output, unit(place.model))] if output is not None else [])]
    st.caption(" · ".join(facts))
    results.notes(result)
    if output is not None and output.images:
        _buttons(draft, shown, place, output, key)
    elif result.state.final:
        st.button(
            "Retry",
            icon=":material/refresh:",
            key=f"{key}.retry",
            on_click=run_bar.retry,
            args=(shown.run_id, place.index),
        )


def _buttons(draft: Draft, shown: run_bar.Shown, place: GridCell, output: Output, key: str) -> None:
    with st.container(horizontal=True, gap="small"):
        told = "Put this seed back into its field"
        if st.button("Reuse seed", icon=":material/casino:", key=f"{key}.seed", type="tertiary", help=told):
            seeds.reuse(draft, seed_of(shown.experiment, place.sample))
            st.rerun()
        image_view.download(shown.experiment, place, output, f"{key}.save")
        large = st.button(
            "Full size",
            icon=":material/open_in_full:",
            key=f"{key}.full",
            type="tertiary",
            disabled=not shown.state.final,  # a page that draws itself again would close it
        )
    image_view.provenance(shown.experiment, place, output)
    if large:
        image_view.full(shown.experiment, place, output)


def _sum(shown: run_bar.Shown, made: list[tuple[GridCell, Output]]) -> str:
    planned = len(list(grid_cells(shown.experiment)))
    seconds = sum(output.seconds for _, output in made)
    count = f"{len(made)} image{'' if len(made) == 1 else 's'}"
    told = count if len(made) == planned else f"{len(made)} of {planned} images"
    return f"{told} · {seconds:.1f} s of work" if made else told
