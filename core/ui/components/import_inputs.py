"""The dialog that takes inputs, variants and checks from a file or pasted text: what becomes what is shown before
anything is taken over, and one press undoes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.errors import InvalidInput
from core.exchange.inputs import (
    DELIMITERS,
    DESCRIPTION,
    EXTENSIONS,
    MAX_BYTES,
    AmbiguousDelimiter,
    Imported,
    LeftOut,
    applied,
    read,
    read_text,
)
from core.experiment import Experiment, readable_names
from core.experiment.serialize import MAX_TEXT
from core.ui.components import check_fields
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.session.resources import settings
from core.ui.session.state import Draft, VariantDraft, session

_REPLACE, _APPEND = "Replace the rows", "Append to the rows"
_PREVIEW_ROWS = 5
_REASONS = 100
_KINDS = "CSV, Excel, JSON, JSONL, a promptfoo configuration or its tests, or a run that Diptych exported"


@slotted
def buttons(draft: Draft) -> None:
    """The way into the dialog, and back from what it did."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        if draft.replaced is not None:
            st.button(
                "Undo import",
                icon=":material/undo:",
                key=draft.key("undo-import"),
                on_click=undo,
                args=(draft,),
                help="Back to the prompts, rows and settings from before it",
            )
        if st.button("Import", icon=":material/upload_file:", key=draft.key("import"), help=f"Rows from {_KINDS}"):
            _dialog(draft)


def take(draft: Draft, experiment: Experiment) -> None:
    """Put an experiment's rows, variants and checks on the page; the draft that was there is kept for `undo`."""
    draft.read()
    session().drafts[draft.page] = _fresh(
        replace(
            draft,
            basis=replace(draft.basis, threshold=experiment.threshold),
            variants=[
                VariantDraft(session().fresh_key(), v.name, v.user, v.system, v.literal) for v in experiment.variants
            ],
            inputs=list(experiment.inputs),
            checks=list(experiment.checks),
            models=list(draft.models),
            parameters=dict(draft.parameters),
            runs=list(draft.runs),
            replaced=replace(draft, replaced=None),
        )
    )


def undo(draft: Draft) -> None:
    """Put the draft from before the import back."""
    if draft.replaced is not None:
        session().drafts[draft.page] = _fresh(draft.replaced)


def _fresh(draft: Draft) -> Draft:
    """A draft whose widgets all start anew from it."""
    return replace(
        draft,
        generation=session().fresh_key(),
        table_key="",
        table_refusal="",
        defaults=dict(draft.defaults),
        renewed={},
        bound={},
        retired={},
    )


@st.dialog("Import inputs", width="large", on_dismiss="rerun")
def _dialog(draft: Draft) -> None:
    upload = st.file_uploader(
        "File", type=list(EXTENSIONS), key="import.file", help=f"{_KINDS}. At most {MAX_BYTES // 1_000_000} MB."
    )
    text = ""
    if upload is None:
        text = st.text_area(
            "Or paste it here",
            key="import.text",
            height=120,
            placeholder="question,__expected\nWhat is 2 + 2?,number:4",
        )
        st.button("Preview", key="import.preview", icon=":material/preview:")  # a press takes the text out of the field
    if upload is None and not text.strip():
        st.caption("The first line of a table names its columns: each is a variable, `__expected` holds a check.")
        return
    if len(text) > MAX_TEXT:  # what is longer may have been cut on its way
        st.error(f"The text has more than {MAX_TEXT:,} characters. Save it as a file and upload that.")
        return
    imported = _read(text if upload is None else upload.getvalue(), "" if upload is None else upload.name)
    if imported is not None:
        _preview(imported)
        _choices(draft, imported)


def _read(source: bytes | str, name: str) -> Imported | None:
    """What was taken from the source; None where it cannot be read, or its delimiter is to be chosen."""
    chosen = ""
    while True:
        try:
            return read_text(source, name, chosen) if isinstance(source, str) else read(source, name, chosen)
        except AmbiguousDelimiter as error:
            names = {DELIMITERS[candidate]: candidate for candidate in error.candidates}
            picked = st.segmented_control("The columns are separated by", list(names), key="import.delimiter")
            if picked is None:
                return None
            chosen = names[picked]
        except InvalidInput as error:
            st.error(escape(str(error), 600), icon=":material/error:")
            return None


def _preview(imported: Imported) -> None:
    own = sum(len(row.checks) for row in imported.inputs)
    counts = [_count(len(imported.inputs), "row"), _count(len(imported.variants), "variant")]
    counts += [_count(own, "check"), _count(len(imported.checks), "check") + " for every row"]
    found = ", ".join(count for count in counts if not count.startswith("0 ")) or "nothing that can be taken over"
    st.markdown(f"**{escape(imported.kind)}**: {found}.")
    for note in imported.notes[:_REASONS]:
        st.caption(escape(note, 600))
    if imported.left_out:
        _left_out(imported.left_out)
    if imported.columns:
        with st.expander("What becomes what", expanded=len(imported.columns) <= 8):
            st.dataframe(pd.DataFrame(imported.columns, columns=["In the file", "Becomes"]), hide_index=True)
    if imported.inputs:
        with st.expander("The first rows", expanded=False):
            st.dataframe(_first_rows(imported), hide_index=True)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _first_rows(imported: Imported) -> pd.DataFrame:
    rows = imported.inputs[:_PREVIEW_ROWS]
    lines = ["\n".join(check.line for check in row.checks) for row in rows]
    return pd.DataFrame([dict(row.values) for row in rows]).fillna("").assign(**{"Checks": lines})


def _left_out(entries: Sequence[LeftOut]) -> None:
    """What is not taken over, each reason once with all its places."""
    places: Mapping[str, list[str]] = defaultdict(list)
    for entry in entries:
        places[entry.reason].append(entry.where)
    st.markdown(f":orange[:material/warning: **Not taken over: {len(entries):,}**]")
    with st.container(height=260 if len(places) > 4 else "content", border=True):
        for reason, where in list(places.items())[:_REASONS]:
            named = "; ".join(where[:50]) + (f"; and {len(where) - 50:,} more" if len(where) > 50 else "")
            st.markdown(f"**{escape(named, 2000)}** · {escape(reason, 600)}")
        for where in list(places.values())[_REASONS:]:
            st.caption(escape("; ".join(where[:50]), 2000))


def _choices(draft: Draft, imported: Imported) -> None:
    """What is done with the import, and the button that does it."""
    if not imported.inputs and not imported.variants and not imported.checks:
        return
    append = st.radio("What is on the page", [_REPLACE, _APPEND], key="import.mode", horizontal=True) == _APPEND
    variants = bool(imported.variants) and st.checkbox(
        f"Take {_count(len(imported.variants), 'variant')} in place of those on the page", True, key="import.variants"
    )
    try:
        experiment = applied(draft.experiment(), imported, append=append, variants=variants, most=settings().max_cells)
    except InvalidInput as error:
        st.error(escape(str(error), 300), icon=":material/error:")
        return
    _consequences(draft, imported, experiment, append)
    verb = "Append" if append else "Replace with"
    if st.button(f"{verb} {_count(len(imported.inputs), 'row')}", type="primary", key="import.apply"):
        take(draft, experiment)
        st.rerun()


def _consequences(draft: Draft, imported: Imported, experiment: Experiment, append: bool) -> None:
    """Sentences on what an import does that its columns do not show."""
    names, _ = readable_names(experiment)
    unused = [name for row in imported.inputs[:1] for name in row.values if name not in names and name != DESCRIPTION]
    if unused:
        listed = ", ".join(f"{{{{{name}}}}}" for name in unused)
        st.caption(f"No prompt holds {escape(listed, 300)} yet: the table shows a column once a prompt does.")
    if imported.checks and append:
        st.caption("The file's checks for every row are added to each of its own rows.")
    elif draft.checks and experiment.checks != tuple(draft.checks):
        st.caption(f"{_count(len(draft.checks), 'check')} for every row on the page are replaced.")
    _, differences = check_fields.findings(replace(experiment, inputs=imported.inputs))
    if differences:
        with st.expander("Checks that mean something else in promptfoo"):
            check_fields.draw_differences(differences)
