"""Saved runs as values, made without a database."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from core.experiment import Experiment, Input, Variant, plan
from core.history import RunRow, SavedRun
from core.types import CellResult, Check, Output, State, Token


def saved_run(answer: str = "4", tokens: int = 1, repeat: int = 1, **changes: Any) -> SavedRun:
    given: dict[str, Any] = {
        "page": "playground",
        "variants": (Variant(name="A", user="{{sum}}?"), Variant(name="B", user="What is {{sum}}?")),
        "models": ("tiny-text",),
        "inputs": (Input(values={"sum": "2+2", "answer": "-4"}, checks=Check.of("contains:4", "max-words:1")),),
        "samples": repeat,
        "seed": 7,
    }
    experiment = Experiment(**(given | changes))
    output = Output(
        text=answer,
        finish="stop",
        prompt_tokens=3,
        output_tokens=2,
        seconds=0.12345,
        tokens=(Token("4", -0.5), Token("", -math.inf)) * tokens,
        provenance={"rendered_prompt": "2+2?" * repeat},
    )
    cells = plan(experiment)
    results = [CellResult(index=cell.index, state=State.DONE, text=answer, tokens=2, output=output) for cell in cells]
    results[-1] = CellResult(index=cells[-1].index, state=State.FAILED, error="The model went away.")
    row = RunRow(
        id="r1",
        page="playground",
        title="T",
        created=datetime(2026, 11, 22, tzinfo=UTC),
        state=State.DONE,
        starred=False,
        variants=2,
        models=("tiny-text",),
        inputs=1,
        samples=repeat,
        cells=len(cells),
        done=len(cells) - 1,
        passed=0,
        judged=0,
        tokens=2,
        seconds=0.1,
        looks=(1,),
    )
    recipes = tuple({"seed": cell.request.seed, "rendered_prompt": "2+2?" * repeat, "messages": []} for cell in cells)
    return SavedRun(row=row, experiment=experiment, results=tuple(results), provenances=recipes)
