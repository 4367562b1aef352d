"""What one visitor has on the screen: one typed Session. Nothing else touches `st.session_state`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypedDict

import streamlit as st

from core.catalog import TEXT_PARAMETERS, common, spec, successor
from core.chat import Conversation
from core.experiment import EarlierMessage, Experiment, Input, Variant
from core.settings import Secret
from core.types import CellResult, Check, Modality, Value

_SLOT = "diptych"


class Bound(TypedDict):
    """What `Draft.bind` gives to a widget."""

    key: str
    on_change: Callable[..., None]
    args: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Retired:
    """A widget that another one has replaced, which the browser may not have heard yet: its last value, None where it
    had none, and what takes a newer one."""

    name: str
    value: object
    take: Callable[[Any], None]


@dataclass
class VariantDraft:
    """A variant as it is being written; `key` stays with it when others come and go."""

    key: int
    name: str
    user: str
    system: str = ""
    literal: bool = False

    def value(self) -> Variant:
        """The variant as it is now written."""
        return Variant(name=self.name, user=self.user, system=self.system, literal=self.literal)


@dataclass
class Draft:
    """One page's controls: what a run is made from.

    A widget starts from the draft, and a change of it is taken into the draft by its callback (`bind`), which runs
    before anything is drawn: a run of the script that is cut off has then lost nothing. Drawing reads the draft and
    does not write to it what widgets returned. What the app changes by itself it renews (`renew`, or `generation` for
    all), so that the widget starts anew.

    `basis` is the experiment that they were filled from: what has no control on the page stays as it is there.

    `defaults` are those of the models whose controls were last drawn, so that what nobody touched follows the model;
    `notes` are sentences about what of a restored run or file could not be taken as it was. `checks` are those for
    every row. `replaced` is the draft in whose place an import put this one.

    `table` holds the inputs that the editor under `table_key` started from, `table_restarts` counts its fresh starts,
    `table_refusal` says why its last change was not taken. `renewed` counts how often a widget started anew, `bound`
    holds the key of each widget and what takes its value, `retired` the keys of replaced ones."""

    page: str
    basis: Experiment
    variants: list[VariantDraft]
    inputs: list[Input]
    models: list[str]
    parameters: dict[str, Value]
    samples: int
    seed: int
    chat: bool
    generation: int
    earlier: tuple[EarlierMessage, ...] = ()
    images: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    checks: list[Check] = field(default_factory=list)
    replaced: Draft | None = None
    defaults: dict[str, Value] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    table: tuple[Input, ...] = ()
    table_key: str = ""
    table_restarts: int = 0
    table_refusal: str = ""
    renewed: dict[str, int] = field(default_factory=dict)
    bound: dict[str, tuple[str, Callable[[Any], None]]] = field(default_factory=dict)
    retired: dict[str, Retired] = field(default_factory=dict)

    def key(self, *parts: object) -> str:
        """A widget key of this draft; the first part names the widget."""
        anew = self.renewed.get(str(parts[0]), 0)
        return ".".join(map(str, (self.page, self.generation, *parts, *([f"anew-{anew}"] if anew else []))))

    def bind(self, take: Callable[[Any], None], *parts: object) -> Bound:
        """The arguments that make a widget tell `take` its value whenever it changes; `parts` are those of its key."""
        name, key = str(parts[0]), self.key(*parts)
        if name in self.bound and self.bound[name][0] != key:
            self._retire(name)
        self.retired.pop(key, None)
        self.bound[name] = (key, take)
        return {"key": key, "on_change": self._change, "args": (name, key, take)}

    def _change(self, name: str, key: str, take: Callable[[Any], None]) -> None:
        if key not in st.session_state:
            return
        value = st.session_state[key]
        if key in self.retired:
            if self.retired[key].value == value:
                return  # the browser has not heard yet that the widget was replaced
            self.renew(name)  # it was changed while it was replaced: the new one shows that too
            self.retired[key] = replace(self.retired[key], value=value)
        take(value)

    def read(self) -> None:
        """Take the values of all widgets as they are now: a press and the changes before it may come at once."""
        for key, take in list(self.bound.values()):
            if key in st.session_state:
                take(st.session_state[key])
        for key, widget in list(self.retired.items()):
            if widget.value is not None:
                self._change(widget.name, key, widget.take)

    def renew(self, *names: str) -> None:
        """Let these widgets start anew from the draft."""
        for name in names:
            self.renewed[name] = self.renewed.get(name, 0) + 1
            if name in self.bound:
                self._retire(name)

    def _retire(self, name: str) -> None:
        key, take = self.bound.pop(name)
        self.retired[key] = Retired(name, st.session_state.get(key), take)

    def experiment(self, **changes: object) -> Experiment:
        """The controls as a value, with `changes` to its fields."""
        experiment = replace(
            self.basis,
            title="",
            aa_test=False,
            answer_prefix="",
            variants=tuple(variant.value() for variant in self.variants),
            models=tuple(self.models),
            inputs=tuple(self.inputs),
            samples=len(self.seeds) or self.samples,
            parameters=_accepted(self.parameters, self.models),
            seed=self.seed,
            chat=self.chat,
            earlier=self.earlier,
            images=self.images,
            seeds=self.seeds,
            checks=tuple(self.checks),
        )
        return replace(experiment, **changes)  # type: ignore[arg-type]

    def select(self, model: str) -> None:
        """Take a model into the selection: beside the others in the playground, in their place elsewhere."""
        self.models = [*self.models, model] if self.page == "playground" else [model]
        self.renew("models", "model")

    @property
    def draws(self) -> bool:
        """Whether a chosen model makes images or sound."""
        return any(spec(model).modality in (Modality.IMAGE, Modality.AUDIO) for model in self.models)

    @property
    def run_id(self) -> str | None:
        """The run whose answers are shown: the last one started here."""
        return self.runs[-1] if self.runs else None


def _accepted(parameters: Mapping[str, Value], models: Sequence[str]) -> dict[str, Value]:
    """The parameters that any of the models takes: what has no control on the page is not sent."""
    names = {row.name for row in common([spec(model) for model in models])}
    return {name: value for name, value in parameters.items() if name in names or not names}


@dataclass(frozen=True, slots=True)
class Listing:
    """When a server was asked for its models, and their names, or why it gave none."""

    when: float
    names: tuple[str, ...] = ()
    error: str = ""


@dataclass
class Session:
    """Everything kept for one visitor between two runs of the script.

    `keys` are the visitor's own, by server id, and are nowhere else; `listings` what servers said of their models;
    `kept` is what the history keeps of each page, `unkept` why it does not; `pictures` are attached images by reference
    (core.pictures). `conversation` is the chat's (None: not looked up yet), `editing` the number of its turn that is
    being rewritten, `finals` its final answers by run. `aa_tests` are runs of a column against itself, by the verdict
    whose design they check ("": only labels are exchanged), and `aa_refusals` why one was not taken.
    """

    token: str = ""
    connection: str = ""
    drafts: dict[str, Draft] = field(default_factory=dict)
    kept: dict[str, object] = field(default_factory=dict)
    unkept: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    deleted: tuple[str, ...] = ()
    keys: dict[str, Secret] = field(default_factory=dict)
    remote_models: list[str] = field(default_factory=list)
    listings: dict[str, Listing] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    conversation: Conversation | None = None
    editing: int | None = None
    finals: dict[str, CellResult] = field(default_factory=dict)
    aa_tests: dict[str, str] = field(default_factory=dict)
    aa_refusals: dict[str, str] = field(default_factory=dict)
    _keys: Iterable[int] = field(default_factory=count)

    def widget(self, key: str) -> object:
        """What a widget holds, for callbacks, which run before the page does."""
        return st.session_state.get(key)

    def show(self, key: str, value: object) -> None:
        """Let the widget that is drawn next under this key show a value."""
        if key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value

    def fresh_key(self) -> int:
        """A number that no widget of this visitor has had."""
        return next(iter(self._keys))

    def adopt(self, experiment: Experiment, runs: Sequence[str] = ()) -> Draft:
        """Put an experiment on its page's controls, in place of what is there; the last of its runs is shown."""
        successors = [successor(model) for model in experiment.models]
        draft = Draft(
            page=experiment.page,
            basis=experiment,
            variants=[VariantDraft(self.fresh_key(), v.name, v.user, v.system, v.literal) for v in experiment.variants],
            inputs=list(experiment.inputs),
            models=list(dict.fromkeys(model for model, _ in successors)),
            notes=tuple(note for _, note in successors if note),
            parameters={row.name: row.default for row in TEXT_PARAMETERS} | dict(experiment.parameters),
            samples=experiment.samples,
            seed=experiment.seed,
            chat=experiment.chat,
            earlier=experiment.earlier,
            images=experiment.images,
            seeds=experiment.seeds,
            checks=list(experiment.checks),
            generation=self.fresh_key(),
            runs=list(runs),
        )
        self.drafts[experiment.page] = draft
        return draft


def session() -> Session:
    """This visitor's session, made at the first call."""
    if _SLOT not in st.session_state:
        st.session_state[_SLOT] = Session()
    return st.session_state[_SLOT]  # type: ignore[no-any-return]
