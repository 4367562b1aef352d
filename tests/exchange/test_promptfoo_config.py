"""Experiments as promptfoo reads them."""

from __future__ import annotations

import json

import pytest
import yaml

from core.examples import EXAMPLES
from core.exchange.promptfoo_config import promptfoo_config
from core.experiment import Experiment, Input, Variant
from core.types import Check, EarlierMessage


def config(experiment: Experiment) -> dict[str, object]:
    return yaml.safe_load(promptfoo_config(experiment))  # type: ignore[no-any-return]


def with_checks(*lines: str, **changes: object) -> Experiment:
    given: dict[str, object] = {
        "page": "playground",
        "variants": (Variant(name="Plain", user="{{q}}"),),
        "models": ("openai:gpt-5.4-mini",),
        "inputs": (Input(values={"q": "Hi"}, checks=Check.of(*lines)),),
    }
    return Experiment(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "assertion"),
    [
        ("Paris", {"type": "equals", "value": "Paris"}),
        ("contains:a: b", {"type": "contains", "value": "a: b"}),
        ("not-icontains:x", {"type": "not-icontains", "value": "x"}),
        ('contains-any:a,"b,c"', {"type": "contains-any", "value": ["a", "b,c"]}),
        ("is-json", {"type": "is-json"}),
        ("is-json:name,age", {"type": "is-json", "value": {"type": "object", "required": ["name", "age"]}}),
        ("regex:^\\d+$", {"type": "regex", "value": "^\\d+$"}),
        ("levenshtein(5):abc", {"type": "levenshtein", "value": "abc", "threshold": 5.0}),
        ("word-count:3-5", {"type": "word-count", "value": {"min": 3, "max": 5}}),
        ("word-count:3", {"type": "word-count", "value": 3}),
        ("contains:{{q}}", {"type": "contains", "value": "Hi"}),
    ],
)
def test_a_check_becomes_an_assertion(line: str, assertion: dict[str, object]) -> None:
    (test,) = config(with_checks(line))["tests"]  # type: ignore[misc]
    assert test["assert"] == [assertion]


def test_a_check_of_our_own_becomes_javascript() -> None:
    (test,) = config(with_checks("not-max-words:3", 'ends-with:"quoted"'))["tests"]  # type: ignore[misc]
    assert test["assert"] == [
        {"type": "javascript", "value": "!((output.trim().match(/\\S+/g) || []).length <= 3)"},
        {"type": "javascript", "value": 'output.trim().endsWith("\\"quoted\\"")'},
    ]


def test_weights_metrics_and_thresholds_go_along() -> None:
    row = Input(values={"q": "Hi"}, checks=(Check("Paris", 2, "geo"),), threshold=0.5, group="g")
    (test,) = config(with_checks(inputs=(row,)))["tests"]  # type: ignore[misc]
    assert test["assert"] == [{"type": "equals", "value": "Paris", "metric": "geo", "weight": 2}]
    assert (test["threshold"], test["metadata"]) == (0.5, {"group": "g"})


def test_what_promptfoo_cannot_say_is_listed_at_the_head() -> None:
    text = promptfoo_config(with_checks("python-parses", images=("x",)))
    assert text.startswith(
        "# Not taken over: the check 'python-parses' of input 1\n# Not taken over: attached images\n"
    )
    assert "assert" not in text.split("\n", 2)[2]


def test_checks_for_all_rows_are_the_default_test_and_their_templates_stand_with_each_row() -> None:
    made = config(with_checks(checks=Check.of("max-words:9", "contains:{{q}}"), threshold=0.5, samples=3))
    assert made["defaultTest"]["threshold"] == 0.5  # type: ignore[index]
    assert [one["type"] for one in made["defaultTest"]["assert"]] == ["javascript"]  # type: ignore[index]
    assert made["tests"][0]["assert"] == [{"type": "contains", "value": "Hi"}]  # type: ignore[index]
    assert made["evaluateOptions"] == {"repeat": 3}


def test_a_system_part_and_earlier_messages_become_a_chat() -> None:
    earlier = (EarlierMessage(role="assistant", text="{{not a variable}}"),)
    (prompt,) = config(  # type: ignore[misc]
        with_checks(variants=(Variant(name="Plain", user='Say "{{q}}"', system="Be brief."),), earlier=earlier)
    )["prompts"]
    assert prompt["label"] == "A · Plain"
    assert json.loads(prompt["raw"]) == [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "{% raw %}{{not a variable}}{% endraw %}"},
        {"role": "user", "content": 'Say "{{q}}"'},
    ]


def test_braces_that_are_text_stay_text() -> None:
    made = config(
        with_checks(variants=(Variant(name="L", user="{{x}}", literal=True),), inputs=(Input(values={"q": "{{y}}"}),))
    )
    assert made["prompts"][0]["raw"] == "{% raw %}{{x}}{% endraw %}"  # type: ignore[index]
    assert made["tests"][0]["vars"]["q"] == "{% raw %}{{y}}{% endraw %}"  # type: ignore[index]


def test_a_provider_for_each_model_and_value_of_an_axis() -> None:
    made = config(
        with_checks(
            models=("openai:gpt-5.4-mini", "gemini:gemini-3.8-flash", "tiny-text"),
            axes={"temperature": (0.0, 1.0)},
            parameters={"max_new_tokens": 50},
        )
    )
    providers = made["providers"]
    assert [one["id"] for one in providers] == [  # type: ignore[index]
        *["openai:chat:gpt-5.4-mini"] * 2,
        *["google:gemini-3.8-flash"] * 2,
        *["echo"] * 2,
    ]
    assert providers[1]["label"] == "openai:gpt-5.4-mini, temperature 1.0"  # type: ignore[index]
    assert providers[1]["config"] == {  # type: ignore[index]
        "apiBaseUrl": "https://api.openai.com/v1",
        "seed": 0,
        "temperature": 1.0,
        "max_tokens": 50,
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_every_example_can_be_written(example: Experiment) -> None:
    made = config(example)
    assert len(made["prompts"]) == len(example.variants)  # type: ignore[arg-type]
    assert len(made["tests"]) == len(example.inputs)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["1e3", "0E0", "0o17", "0x1f", "yes", "null", "1_000", "12:30"])
def test_a_text_that_looks_like_a_number_stays_a_text(text: str) -> None:
    assert f"q: '{text}'" in promptfoo_config(with_checks(inputs=(Input(values={"q": text}),)))
