"""What one visitor has on the screen: one typed Session. Nothing else touches `st.session_state`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import streamlit as st

from core.catalog import TEXT_PARAMETERS
from core.experiment import Experiment, Input, Variant
from core.types import Value

_SLOT = "diptych"


@dataclass
class VariantDraft:
    """A variant as it is being written; `key` stays with it when others come and go."""

    key: int
    name: str
    user: str
    system: str = ""


@dataclass
class Draft:
    """One page's controls. `generation` changes when they are replaced from outside, so that the widgets start anew."""

    page: str
    variants: list[VariantDraft]
    inputs: list[Input]
    models: list[str]
    parameters: dict[str, Value]
    samples: int
    seed: int
    chat: bool
    generation: int
    runs: list[str] = field(default_factory=list)
    table: list[dict[str, object]] = field(default_factory=list)
    table_key: str = ""

    def key(self, *parts: object) -> str:
        """A widget key of this draft."""
        return ".".join(map(str, (self.page, self.generation, *parts)))

    def experiment(self, **changes: object) -> Experiment:
        """The controls as a value, with `changes` to its fields."""
        made = Experiment(
            page=self.page,
            variants=tuple(Variant(name=v.name, user=v.user, system=v.system) for v in self.variants),
            models=tuple(self.models),
            inputs=tuple(self.inputs),
            samples=self.samples,
            parameters=dict(self.parameters),
            seed=self.seed,
            chat=self.chat,
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    @property
    def run_id(self) -> str | None:
        """The run whose answers are shown: the last one started here."""
        return self.runs[-1] if self.runs else None


@dataclass
class Session:
    """Everything kept for one visitor between two runs of the script."""

    token: str = ""
    drafts: dict[str, Draft] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    kept: dict[str, object] = field(default_factory=dict)
    refusal: str = ""
    deleted: tuple[str, ...] = ()
    _keys: Iterable[int] = field(default_factory=count)

    def widget(self, key: str) -> object:
        """What a widget holds, for callbacks, which run before the page does."""
        return st.session_state.get(key)

    def fresh_key(self) -> int:
        """A number that no widget of this visitor has had."""
        return next(iter(self._keys))

    def adopt(self, experiment: Experiment, runs: Sequence[str] = ()) -> Draft:
        """Put an experiment on its page's controls, in place of what is there; the last of its runs is shown."""
        draft = Draft(
            page=experiment.page,
            variants=[VariantDraft(self.fresh_key(), v.name, v.user, v.system) for v in experiment.variants],
            inputs=list(experiment.inputs),
            models=list(experiment.models),
            parameters={row.name: row.default for row in TEXT_PARAMETERS} | dict(experiment.parameters),
            samples=experiment.samples,
            seed=experiment.seed,
            chat=experiment.chat,
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
