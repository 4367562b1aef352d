"""Widgets drawn from a model's own parameters: presets, numbers, stop strings, and the choice of models."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

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
from core.ui.session.state import Bound, Draft, session

_LOCAL_LENGTH = next(row.default for row in TEXT_PARAMETERS if row.name == "max_new_tokens")
_KINDS = {Modality.CODE: " · code", Modality.IMAGE: " · images", Modality.AUDIO: " · sound"}
_INSTRUCTION, _BEGINNING = "Instruction", "Beginning of a text"
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
    label_of = _model_label if len(makes) == 1 else _kind_label
    _take_models(draft, [model for model in draft.models if model in rows][:most])
    st.multiselect(
        label,
        rows,
        default=draft.models,
        max_selections=most,
        format_func=label_of,
        **draft.bind(lambda chosen: _take_models(draft, chosen), "models", _labels(rows, label_of)),
    )
    if clash := limits.modality_clash(draft.models):
        st.warning(escape(clash, 300), icon=":material/compare:")
    _notes(draft)
    _about(draft.models)


@slotted
def model(draft: Draft, makes: Modality = Modality.TEXT) -> None:
    """Choose exactly one model that makes text, or something else: servers' models are offered for text only."""
    rows = _options(draft, makes)
    _take_models(draft, [model for model in draft.models[:1] if model in rows] or rows[:1])
    st.selectbox(
        "Model",
        rows,
        index=rows.index(draft.models[0]),
        format_func=_model_label,
        **draft.bind(lambda chosen: _take_models(draft, [chosen]), "model", _labels(rows, _model_label)),
    )
    _notes(draft)
    _about(draft.models)


def presets(draft: Draft) -> None:
    """Precise, balanced, creative; none is marked while the parameters match none."""
    fitting = [name for name, values in PRESETS.items() if all(draft.parameters.get(k) == v for k, v in values.items())]
    current = fitting[0] if fitting else None
    key = draft.key("preset")
    session().show(key, current)
    st.segmented_control(
        "Preset", list(PRESETS), key=key, help=_PRESET_HELP, on_change=_apply_preset, args=(draft, key)
    )


def parameters(draft: Draft, *, advanced: bool, long: bool = False) -> None:
    """One widget for each parameter that is (not) advanced and that any chosen model takes; `long` ones, such as a
    negative prompt, get a line of their own."""
    for row in _rows(draft):
        if row.advanced == advanced and (advanced or long == (row.kind == "text")):
            _widget(draft, row)


def chat(draft: Draft) -> None:
    """Instruction or plain continuation."""
    st.segmented_control(
        "Prompt is",
        [_INSTRUCTION, _BEGINNING],
        default=_INSTRUCTION if draft.chat else _BEGINNING,
        required=True,
        **draft.bind(lambda mode: setattr(draft, "chat", mode == _INSTRUCTION), "chat"),
        help="An instruction is framed by the model's chat template, where it has one. "
        "The beginning of a text is continued as it stands.",
    )


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


def _take_models(draft: Draft, chosen: Sequence[str]) -> None:
    draft.models = list(chosen)
    _follow(draft)


def _labels(rows: Sequence[str], label: Callable[[str], str]) -> str:
    """A name for these options as they read: the browser sends labels, and one that has changed names no model."""
    return hashlib.sha256("\n".join(map(label, rows)).encode()).hexdigest()[:12]


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


def _follow(draft: Draft) -> None:
    """Let the parameters fit the chosen models: what nobody touched follows their defaults, the rest their bounds."""
    for row in _rows(draft):
        draft.parameters[row.name] = _fitting(draft, row)
        draft.defaults[row.name] = row.default


def _rows(draft: Draft) -> Sequence[Parameter]:
    return common([spec(model_id) for model_id in draft.models]) or TEXT_PARAMETERS


def _fitting(draft: Draft, row: Parameter) -> Value:
    """The draft's value of a parameter as these models take it."""
    value = draft.parameters.get(row.name, row.default)
    before = draft.defaults.get(row.name)
    if row.name in draft.defaults and value == before:
        value = row.default
    if row.kind == "choice":
        return str(value if value in row.choices else row.default)
    if row.kind == "text":
        return str(value or "")
    if row.kind == "lines":
        return tuple(map(str, value)) if isinstance(value, tuple | list) else ()
    assert row.low is not None
    assert row.high is not None
    number = value if isinstance(value, int | float) else row.low
    if row.name == "max_new_tokens" and number == _LOCAL_LENGTH and row.default not in (before, _LOCAL_LENGTH):
        number = row.default if isinstance(row.default, int) else number  # a small model's length is too short
    return _cast(row)(min(max(number, row.low), row.high))


def _cast(row: Parameter) -> type[int] | type[float]:
    return int if row.kind == "int" else float


def _widget(draft: Draft, row: Parameter) -> None:
    """A parameter's control; other bounds make another widget."""
    value = draft.parameters[row.name]
    name = f"parameter.{row.name}"

    def take(new: Value) -> None:
        draft.parameters[row.name] = new

    bound = draft.bind(take, name, row.default, row.high)
    if row.kind == "choice":
        st.selectbox(row.label, row.choices, index=row.choices.index(str(value)), help=row.help, **bound)
    elif row.kind == "text":
        st.text_area(row.label, str(value), help=row.help, height=68, **bound)
    elif row.kind == "lines":
        texts = value if isinstance(value, tuple) else ()
        bound = draft.bind(lambda lines: take(_texts_from(lines)), name, row.default, row.high)
        st.text_area(row.label, _lines_from(texts), help=row.help, height=68, **bound)
    else:
        _number(row, value, bound)


def _number(row: Parameter, value: Value, bound: Bound) -> None:
    cast = _cast(row)
    assert row.low is not None
    assert row.high is not None
    assert row.step is not None
    assert isinstance(value, int | float)
    st.number_input(row.label, cast(row.low), cast(row.high), cast(value), step=cast(row.step), help=row.help, **bound)


def _lines_from(texts: Iterable[str]) -> str:
    """Texts one a line, with \\n for a line end within one."""
    return "\n".join(map(escaped, texts))


def _texts_from(lines: str) -> tuple[str, ...]:
    return tuple(unescaped(line) for line in lines.split("\n") if line)


def _apply_preset(draft: Draft, key: str) -> None:
    chosen = session().widget(key)
    if chosen in PRESETS:
        draft.read()
        draft.parameters |= PRESETS[chosen]
        draft.renew(*(f"parameter.{name}" for name in PRESETS[chosen]))
