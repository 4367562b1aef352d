"""Experiments as YAML and JSON files: what is written is read, and a stranger's file is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.examples import EXAMPLES
from core.exchange import receipt
from core.exchange.experiment_file import experiment_file, experiment_in
from core.experiment import Experiment, Input, Variant, to_dict
from core.types import Check, EarlierMessage
from tests.support.saved_runs import saved_run

ROOT = Path(__file__).resolve().parents[2]
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30) | st.text(
    "\r\n\x85\u2028 \t'\"#:-{}a", max_size=9
)


@given(
    st.builds(
        Experiment,
        page=st.just("playground"),
        variants=st.lists(
            st.builds(Variant, name=TEXTS, user=TEXTS, system=TEXTS, literal=st.booleans()), min_size=1, max_size=3
        ).map(tuple),
        models=st.just(("tiny-text",)),
        inputs=st.lists(
            st.builds(
                Input,
                id=TEXTS,
                values=st.dictionaries(TEXTS, TEXTS, max_size=2),
                checks=st.lists(st.builds(Check, TEXTS, weight=st.floats(0, 9), metric=TEXTS), max_size=2).map(tuple),
                group=TEXTS,
                threshold=st.none() | st.floats(0, 1),
            ),
            max_size=3,
        ).map(tuple),
        samples=st.integers(1, 50),
        axes=st.just({}) | st.just({"temperature": (0.0, 0.5)}),
        seed=st.integers(0, 2**62),
        title=TEXTS,
        earlier=st.just(()) | st.just((EarlierMessage(role="user", text="a\nb"),)),
        margin=st.floats(0, 1),
    )
)
def test_what_is_written_is_read(experiment: Experiment) -> None:
    assert experiment_in(experiment_file(experiment)) == experiment


def test_prompts_of_several_lines_stand_as_lines() -> None:
    variant = Variant(name="A", user="First line\n  indented {{x}}\nlast: yes")
    text = experiment_file(Experiment(page="playground", variants=(variant,), models=("tiny-text",)))
    assert "  user: |-\n    First line\n      indented {{x}}\n    last: yes\n" in text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_the_examples_are_files_as_they_would_be_written(example: Experiment) -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "examples").glob("*.yaml")]
    assert len(texts) == len(EXAMPLES)
    assert experiment_file(example) in texts


def test_json_and_receipts_are_read_too() -> None:
    run = saved_run()
    assert experiment_in(receipt(run)) == run.experiment
    assert experiment_in("\ufeff" + json.dumps(to_dict(run.experiment))) == run.experiment


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'experiment' must be a table"),
        ("- 1", "'experiment' must be a table"),
        ("a: [1", "cannot be read as YAML: did not find expected"),
        ("!!python/object/apply:os.system ['true']", "Line 1 has the tag tag:yaml.org,2002:python/object"),
        ("a: 2026-13-45", "fields that are not known here: 'a'"),
        ("? [a]\n: 1", "Line 1 has a key that is no plain text"),
        ("page: x\nvariants: []\nmodels: []\nextra: 1", "fields that are not known here: 'extra'"),
        ("[" * 200 + "]" * 200, "nested over 40 levels"),
        ("&a [*a]", "with its aliases the file has more than"),
        ("x" * 5_000_001, "larger than 1 MB"),
    ],
)
def test_a_strangers_file_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        experiment_in(text)
    assert sentence in str(caught.value)


def test_what_is_long_for_yaml_is_written_as_json() -> None:
    variant = Variant(name="A", user="x" * 1_000_001)
    long = Experiment(page="playground", variants=(variant,), models=("tiny-text",))
    with pytest.raises(InvalidInput, match="characters; at most 1000000 are read"):
        experiment_in(experiment_file(long))
    rows = tuple(Input(values={"n": "y" * 1_000}) for _ in range(1_500))
    many = Experiment(page="playground", variants=(Variant(name="A", user="{{n}}"),), models=("m",), inputs=rows)
    assert experiment_file(many).startswith("{")
    assert experiment_in(experiment_file(many)) == many
