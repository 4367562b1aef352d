"""The Image page: the prompt, a file that gives its settings back, and a gallery of one run's images."""

from __future__ import annotations

import streamlit as st

from core import image_files, png_metadata
from core.catalog import spec
from core.examples import IMAGE_PROMPTS
from core.experiment import unit
from core.experiment.grid import GridCell, grid_cells, seed_of
from core.png_metadata import fitting
from core.types import CellResult, Experiment, Output, State
from core.ui.components import answer_versions, image_view, results, run_bar, seeds, single_prompt, token_counter, usage
from core.ui.components.error_messages import guard
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.components.run_bar import RunView
from core.ui.session.state import Draft, session

MOST = 8
"""Images of one press of the button; a list of seeds may be longer."""

_NEGATIVE = "negative_prompt"
_GALLERY_COLUMNS = 4


def example_menu(draft: Draft) -> None:
    """Prompts of what the model that ships with the app knows; the model and its settings stay."""
    single_prompt.example_menu(draft, {title: (prompt, "") for title, prompt in IMAGE_PROMPTS.items()})


@slotted
def prompt(draft: Draft) -> None:
    """What the image shows, how much of that the model reads, and what it shall not show."""
    text = single_prompt.text(draft)
    single_prompt.write(draft, text)
    st.text_area("Prompt", text, height=170, **single_prompt.bind(draft))
    token_counter.text_encoder(draft, text, "prompt")
    model = spec(draft.models[0])
    takes = next((parameter for parameter in model.parameters if parameter.name == _NEGATIVE), None)
    negative = str(draft.parameters.get(_NEGATIVE) or "")
    st.text_area(
        "Negative prompt",
        negative,
        height=96,
        **draft.bind(lambda text: draft.parameters.update({_NEGATIVE: text}), "negative", takes is None),
        disabled=takes is None,
        placeholder="What the image must not show" if takes else f"{model.name} takes none.",
        help=takes.help if takes else "This model was distilled to do without guidance, which a negative prompt needs.",
    )
    if takes and negative.strip():
        token_counter.text_encoder(draft, negative, "negative prompt")


def experiment(draft: Draft) -> Experiment:
    """What a press of the button makes.

    Raises:
        InvalidInput: there is no prompt.
    """
    return single_prompt.experiment(draft, "Write what the image shall show.")


def restorer(draft: Draft) -> None:
    """A field for an image file, whose settings replace those of the page."""
    with st.popover("From a PNG", icon=":material/restore_page:"):
        upload = st.file_uploader(
            "Drop an image to restore its settings",
            type=["png", "jpg", "jpeg", "webp"],
            key=draft.key("restore"),
            help="An image that Diptych or another tool saved. Only its settings are read; it is not kept.",
        )
        if upload is not None:
            with guard():
                _restore(draft, png_metadata.read(upload.getvalue()))
                st.rerun()


def draw(draft: Draft, view: RunView) -> None:
    """One version's images, and what can be done with all of them."""
    view = answer_versions.chosen(draft, view)
    cells = list(grid_cells(view.experiment))
    _run_actions(draft, view)
    columns = max(3, min(_GALLERY_COLUMNS, len(cells)))
    board = st.grid(columns, min_column_width=240, key=draft.key(view.run_id, "gallery"))
    for cell in cells:
        with board.container(border=True, height="stretch"):
            _image(draft, view, cell, view.results.get(cell.index, CellResult(index=cell.index)))


def _restore(draft: Draft, settings: png_metadata.ImageSettings) -> None:
    """Put a file's settings on the page; what could not be taken is said there."""
    fitted = fitting.fit(settings, draft.models[0])
    if fitted.prompt.strip():
        single_prompt.write(draft, fitted.prompt)
    draft.models = [fitted.model]
    draft.parameters |= fitted.parameters
    draft.defaults = {}
    if fitted.seed is not None:
        draft.samples, draft.seeds = 1, ()
        if fitted.seed < 2**53:
            draft.seed = fitted.seed
        else:  # a browser's field of a number would round it
            draft.seeds = (fitted.seed,)
    draft.notes = ("The settings of the file are restored.", *fitted.notes, *_stays(draft, settings))
    draft.generation = session().fresh_key()


def _stays(draft: Draft, settings: png_metadata.ImageSettings) -> list[str]:
    """Sentences on what was typed and the file does not have."""
    stays = ["The file has no prompt; what was typed stays."] if not settings.prompt.strip() else []
    if settings.negative_prompt is None and str(draft.parameters.get(_NEGATIVE) or "").strip():
        stays.append("The file has no negative prompt; the one that was typed stays.")
    return stays


def _run_actions(draft: Draft, view: RunView) -> None:
    if not view.state.final:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(_run_facts(view), width="content")
        with st.container(horizontal=True, width="content"):
            answer_versions.regenerate(draft, view, draft.key(view.run_id))
            key = draft.key(view.run_id, "all")
            image_view.download_all(view.experiment, view.results, "images", key, "Download all")


def _image(draft: Draft, view: RunView, cell: GridCell, result: CellResult) -> None:
    """One image as far as it has come."""
    key = draft.key(view.run_id, cell.index)
    if result.state not in (State.DONE, State.RUNNING, State.QUEUED):  # whose bar says enough
        st.markdown(results.state_badge(result.state))
    output = result.output
    if output is not None and output.images:
        image_view.picture(output.images[0], key, image_files.image_settings(view.experiment, cell, output).prompt)
    elif not result.state.final:
        image_view.progress(result, key)
    if result.error:
        st.error(escape(result.error, 400))
    seed = seed_of(view.experiment, cell.sample, cell.variant)
    facts = [f"seed {seed}", *([usage.footer(output, unit(cell.model))] if output is not None else [])]
    st.caption(" · ".join(facts))
    results.notes(result)
    if output is not None and output.images:
        _image_actions(draft, view, cell, output, key)
    elif result.state.final:
        again = (view.run_id, cell.index)
        st.button("Retry", icon=":material/refresh:", key=f"{key}.retry", on_click=run_bar.retry, args=again)


def _image_actions(draft: Draft, view: RunView, cell: GridCell, output: Output, key: str) -> None:
    with st.container(horizontal=True, gap="small"):
        seeds.reuse_button(draft, seed_of(view.experiment, cell.sample, cell.variant), f"{key}.seed")
        image_view.download(view.experiment, cell, output, f"{key}.save")
        full_size = st.button(
            "Full size",
            icon=":material/open_in_full:",
            key=f"{key}.full",
            type="tertiary",
            disabled=not view.state.final,  # a page that draws itself again would close it
        )
    image_view.provenance(view.experiment, cell, output)
    if full_size:
        image_view.full(view.experiment, cell, output)


def _run_facts(view: RunView) -> str:
    outputs = [output for _, output in image_files.images(view.experiment, view.results)]
    planned = len(list(grid_cells(view.experiment)))
    count = f"{len(outputs)} image{'' if len(outputs) == 1 else 's'}"
    if len(outputs) != planned:
        count = f"{len(outputs)} of {planned} images"
    return f"{count} · {sum(output.seconds for output in outputs):.1f} s of work" if outputs else count
