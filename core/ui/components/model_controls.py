"""Widgets drawn from a model's own parameters: presets, numbers, stop strings, and the choice of models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from core import repository
from core.catalog import CATALOG, PRESETS, TEXT_PARAMETERS, common, servers, spec
from core.experiment import limits
from core.text import escaped, unescaped
from core.types import Modality, ModelSpec, Parameter, Value
from core.ui.components import remote_models
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.session.resources import settings
from core.ui.session.state import Draft, session

_LOCAL_LENGTH = next(row.default for row in TEXT_PARAMETERS if row.name == "max_new_tokens")
_KINDS = {Modality.CODE: " · code", Modality.IMAGE: " · images", Modality.AUDIO: " · sound"}
_PRESET_HELP = "Precise is greedy: always the likeliest token. Creative samples widely."


def availability(row: ModelSpec) -> str:
    """'ready, 8 MB', or what a first use costs: 'downloads 548 MB on first use'."""
    if repository.present(row, settings()):
        return f"ready, {repository.size(repository.folder(row, settings())) / 1e6:.0f} MB"
    if row.bundled:
        return "not in this installation"
    return f"downloads {row.download_bytes / 1e6:.0f} MB on first use"


@slotted
def models(
    draft: Draft, label: str = "Models", most: int | None = None, makes: Sequence[Modality] = (Modality.TEXT,)
) -> None:
    """Choose one or more models that make text, or what else is named, at most `most`."""
    rows = [row for kind in makes for row in _options(draft, kind)]
    chosen = st.multiselect(
        label,
        rows,
        default=[m for m in draft.models if m in rows][:most],
        max_selections=most,
        format_func=_model_label if len(makes) == 1 else _kind_label,
        key=draft.key("models"),
    )
    drew_before, draft.models = draft.draws, list(chosen)
    if draft.draws is not drew_before:
        st.rerun()  # what stands above this choice follows it
    if clash := limits.unlike(draft.models):
        st.warning(escape(clash, 300), icon=":material/compare:")
    _notes(draft)
    _about(draft.models)


@slotted
def model(draft: Draft, makes: Modality = Modality.TEXT) -> None:
    """Choose exactly one model that makes text, or something else: servers' models are offered for text only."""
    rows = _options(draft, makes)
    index = rows.index(draft.models[0]) if draft.models and draft.models[0] in rows else 0
    draft.models = [st.selectbox("Model", rows, index=index, format_func=_model_label, key=draft.key("model"))]
    _notes(draft)
    _about(draft.models)


def presets(draft: Draft) -> None:
    """Precise, balanced, creative; none is marked while the parameters match none."""
    fitting = [name for name, values in PRESETS.items() if all(draft.parameters.get(k) == v for k, v in values.items())]
    current = fitting[0] if fitting else None
    key = draft.key("preset", current)
    st.segmented_control(
        "Preset", list(PRESETS), default=current, key=key, help=_PRESET_HELP, on_change=_apply_preset, args=(draft, key)
    )


def parameters(draft: Draft, *, advanced: bool, long: bool = False) -> None:
    """One widget for each parameter that is (not) advanced and that any chosen model takes; `long` ones, such as a
    negative prompt, get a line of their own."""
    for row in common([spec(model_id) for model_id in draft.models]) or TEXT_PARAMETERS:
        if row.advanced == advanced and (advanced or long == (row.kind == "text")):
            draft.parameters[row.name] = _widget(draft, row)
            draft.defaults[row.name] = row.default


def chat(draft: Draft) -> None:
    """Instruction or plain continuation."""
    mode = st.segmented_control(
        "Prompt is",
        ["Instruction", "Beginning of a text"],
        default="Instruction" if draft.chat else "Beginning of a text",
        required=True,
        key=draft.key("chat"),
        help="An instruction is framed by the model's chat template, where it has one. "
        "The beginning of a text is continued as it stands.",
    )
    draft.chat = mode == "Instruction"


@slotted
def earlier(draft: Draft) -> None:
    """Says how much of a chat stands before every prompt, with the button that leaves it out."""
    if not (draft.earlier or draft.images):
        return
    parts = [f"{len(draft.earlier)} earlier messages"] if draft.earlier else []
    parts += [f"{len(draft.images)} image{'s' if len(draft.images) > 1 else ''}"] if draft.images else []
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/forum: Every prompt comes with {' and '.join(parts)} of the chat.", width="content")
        st.button("Leave them out", key=draft.key("earlier"), on_click=_drop_earlier, args=(draft,), type="tertiary")


def _drop_earlier(draft: Draft) -> None:
    draft.earlier, draft.images = (), ()


def _options(draft: Draft, makes: Modality = Modality.TEXT) -> list[str]:
    rows = [row.id for row in CATALOG if row.modality is makes]
    return rows + remote_models.offered(draft.models) if makes is Modality.TEXT else rows


def display_name(model_id: str) -> str:
    """A model's name and, of a remote one, its server's."""
    row = spec(model_id)
    return row.name if row.local else f"{row.name} · {servers.parts(model_id)[0].name}"


def _model_label(model_id: str) -> str:
    row = spec(model_id)
    return f"{row.name} · {availability(row) if row.local else remote_models.state(model_id)}"


def _kind_label(model_id: str) -> str:
    """Where models of several kinds are offered: what makes no texts says so."""
    kind = _KINDS.get(spec(model_id).modality, "")
    return f"{_model_label(model_id)}{kind}"


def _notes(draft: Draft) -> None:
    for note in draft.notes:
        st.info(escape(note, 300), icon=":material/info:")


def _about(chosen: list[str]) -> None:
    """What each model is, and what a setting of it will not do."""
    for model_id in chosen:
        row = spec(model_id)
        idle = f" It ignores {', '.join(row.ignores)}." if row.ignores else ""
        st.caption(f"**{escape(row.name)}** ({escape(row.licence)}): {escape(row.summary, 200)}{idle}")
    remote_models.lending(chosen)


def _widget(draft: Draft, row: Parameter) -> Value:
    value = draft.parameters.get(row.name, row.default)
    if row.name in draft.defaults and value == draft.defaults[row.name]:
        value = row.default  # what nobody touched follows the model
    key = draft.key("parameter", row.name, row.default, row.high)  # another model's bounds make another widget
    if row.kind == "choice":
        index = row.choices.index(str(value if value in row.choices else row.default))
        return st.selectbox(row.label, row.choices, index=index, key=key, help=row.help)
    if row.kind == "text":
        return st.text_area(row.label, str(value or ""), key=key, help=row.help, height=68)
    if row.kind == "lines":
        texts = value if isinstance(value, tuple | list) else ()
        written = st.text_area(row.label, _lines_from(map(str, texts)), key=key, help=row.help, height=68)
        return _texts_from(written)
    cast = int if row.kind == "int" else float
    assert row.low is not None
    assert row.high is not None
    assert row.step is not None
    number = value if isinstance(value, int | float) else row.low
    if row.name == "max_new_tokens" and row.default != _LOCAL_LENGTH and number == _LOCAL_LENGTH:
        number = (
            row.default if isinstance(row.default, int) else number
        )  # what a small model's answer takes is too short
    return cast(
        st.number_input(
            row.label,
            cast(row.low),
            cast(row.high),
            cast(min(max(number, row.low), row.high)),
            step=cast(row.step),
            key=key,
            help=row.help,
        )
    )


def _lines_from(texts: Iterable[str]) -> str:
    """Texts one a line, with \\n for a line end within one."""
    return "\n".join(map(escaped, texts))


def _texts_from(lines: str) -> tuple[str, ...]:
    return tuple(unescaped(line) for line in lines.split("\n") if line)


def _apply_preset(draft: Draft, key: str) -> None:
    chosen = session().widget(key)
    if chosen in PRESETS:
        draft.parameters |= PRESETS[chosen]
    draft.generation = session().fresh_key()
