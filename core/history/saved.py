"""A run as rows of the history, and rows as a run again.

What is kept is cleaned first (see core.text.clean) and holds plain JSON values only. Knows no database: rows are
mappings of column names to values.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from core.experiment.grade import answer, checks_of
from core.experiment.grid import GridCell
from core.experiment.scores import cell_score
from core.experiment.serialize import from_dict, to_dict
from core.experiment.ungraded import Ungraded
from core.history.artifacts import Files
from core.history.leaders import Leader
from core.history.search import folded, folded_answer
from core.history.storage import file_bytes, text_bytes
from core.text import clean
from core.types import MAX_TITLE, Cell, CellResult, Experiment, FinishReason, Message, Output, Run, State, Token

MAX_SEARCHABLE = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One line of the history. `created` is aware, UTC.

    `cells` are planned, `done` have answered, `judged` count for the verdict, `passed` satisfy their checks.
    `tokens` were generated; `seconds` is the time that models worked on them (a batch's time counts once). `looks` are
    the answers per column at each end of the run or of an extension of it, the last look last. `leader` is the
    column that passes most often, None where nothing was judged.
    """

    id: str
    page: str
    title: str
    created: datetime
    state: State
    starred: bool
    variants: int
    models: tuple[str, ...]
    inputs: int
    samples: int
    cells: int
    done: int
    passed: int
    judged: int
    tokens: int
    seconds: float
    looks: tuple[int, ...] = ()
    leader: Leader | None = None
    aa_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """A run as it was: `results` and `provenances` by cell index; a provenance is all that a replay of its cell needs.

    It names variant, template {system, user}, model, input, sample, messages, chat, parameters and seed, and
    where the cell has answered what the provider added: rendered_prompt, source, revision, versions, batch_size,
    device, dtype, and the seconds.
    """

    row: RunRow
    experiment: Experiment
    results: tuple[CellResult, ...]
    provenances: tuple[Mapping[str, object], ...]
    identities: tuple[tuple[object, ...], ...] = ()

    @property
    def by_index(self) -> dict[int, CellResult]:
        """The results by the index of their cell."""
        return {result.index: result for result in self.results}


def run_values(owner: str, run: Run, created: float, server: str) -> dict[str, Any]:
    """The columns of a run that begins now, but for its bytes; what it spans is counted from its cells."""
    models = dict.fromkeys(cell.model for cell in run.cells)
    return {
        "server": server,
        "id": clean(run.id),
        "owner": clean(owner),
        "page": clean(run.page)[:40],
        "title": clean(run.title)[:MAX_TITLE],
        "created": created,
        "state": State.RUNNING.value,
        "experiment": dump(to_dict(run.experiment)),
        "prompts": _searchable(run),
        "folded_title": folded(clean(run.title)[:MAX_TITLE]),
        "variants": len({cell.variant for cell in run.cells}),
        "models": dump(list(models)),
        "inputs": len({cell.input for cell in run.cells}),
        "samples": len({cell.sample for cell in run.cells}),
        "aa_test": run.experiment.aa_test,
    }


def cell_values(run: Run, cell: Cell, result: CellResult) -> dict[str, Any]:
    """The columns of a cell and what is known of it. Whether an answer passes is not known yet; what failed by an
    error of its column's own does not."""
    output = result.output
    values: dict[str, Any] = {
        "run_id": clean(run.id),
        "index": cell.index,
        "variant": cell.variant,
        "model": clean(cell.model),
        "input": cell.input,
        "sample": cell.sample,
        "setting": cell.setting,
        "seed": cell.request.seed,
        "state": result.state.value,
        "text": clean(answer(result)),
        "error": clean(result.error),
        "tokens": result.tokens if output is None else output.output_tokens,
        "passed": _failed_by_itself(run.experiment, cell, result),
        "ungraded": _has_checks(run.experiment, cell, result),
        "provenance": dump(_provenance(cell, output, run.experiment) | _error_kind(result)),
    }
    values |= _output_values(output) if output is not None else dict.fromkeys(_OUTPUT_COLUMNS)
    count = text_bytes(values["text"], values["provenance"], values["logprobs"]) + file_bytes(output)
    return values | {"folded": folded_answer(values["text"]), "bytes": count}


def run_row(run: Mapping[str, Any], totals: Mapping[str, Any], leader: Leader | None = None) -> RunRow:
    """A line of the history from the run's columns, its cells' totals and its leading column."""
    return RunRow(
        id=run["id"],
        page=run["page"],
        title=run["title"],
        created=datetime.fromtimestamp(run["created"], UTC),
        state=State(run["state"]),
        starred=bool(run["starred"]),
        variants=run["variants"],
        models=tuple(json.loads(run["models"])),
        inputs=run["inputs"],
        samples=run["samples"],
        cells=int(totals.get("cells") or 0),
        done=int(totals.get("done") or 0),
        passed=int(totals.get("passed") or 0),
        judged=int(totals.get("judged") or 0),
        tokens=int(totals.get("tokens") or 0),
        seconds=float(totals.get("seconds") or 0.0),
        looks=tuple(json.loads(run["looks"])),
        leader=leader,
        aa_test=bool(run["aa_test"]),
    )


def result_of(row: Mapping[str, Any], files: Files) -> CellResult:
    """What a cell's columns say of it, with what it made; the output only where there was one."""
    return CellResult(
        index=row["index"],
        state=State(row["state"]),
        text=row["text"],
        tokens=row["tokens"],
        output=_output(row, files) if row["finish"] else None,
        error=row["error"],
        error_kind=str(json.loads(row["provenance"]).get("error_kind", "")),
    )


def ungraded(row: Mapping[str, Any], files: Files) -> Ungraded:
    """A cell that waits to be graded, from its columns with its run's owner and experiment."""
    columns = {name: row[name] for name in ("index", "model", "sample", "input", "variant", "setting")}
    return Ungraded(
        owner=row["owner"],
        run_id=row["run_id"],
        experiment=from_dict(json.loads(row["experiment"])),
        cell=GridCell(**columns),
        result=result_of(row, files),
    )


def identity(cell: Cell) -> tuple[object, ...]:
    """What must be the same of a planned cell and of a kept one, so that one can stand for the other."""
    return (cell.index, cell.variant, cell.model, cell.setting, cell.input, cell.sample, cell.request.seed)


def identity_of(row: Mapping[str, Any]) -> tuple[object, ...]:
    """`identity` of a kept cell."""
    return tuple(row[name] for name in ("index", "variant", "model", "setting", "input", "sample", "seed"))


def dump(value: object) -> str:
    """Compact JSON of anything, cleaned."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def plain(value: object) -> Any:
    """The value in JSON's terms: text cleaned, numbers finite (else null), bytes by their hash, the rest as text."""
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {clean(str(key)): plain(entry) for key, entry in value.items()}
    if isinstance(value, bytes):
        return {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Sequence | AbstractSet):
        return [plain(entry) for entry in value]
    return clean(str(value))


def _failed_by_itself(experiment: Experiment, cell: Cell, result: CellResult) -> bool | None:
    """False where the verdict counts the cell as a fail although it has no answer, else None."""
    if result.state is not State.FAILED or not 0 <= cell.input < len(experiment.inputs):
        return None
    return None if cell_score(experiment, cell, result) is None else False


def _has_checks(experiment: Experiment, cell: Cell, result: CellResult) -> bool:
    if result.state is not State.DONE or not 0 <= cell.input < len(experiment.inputs):
        return False
    return bool(checks_of(experiment, experiment.inputs[cell.input]))


def _provenance(cell: Cell, output: Output | None, experiment: Experiment) -> dict[str, object]:
    request = cell.request
    planned: dict[str, object] = {
        "model": cell.model,
        "input": cell.input,
        "sample": cell.sample,
        "messages": [_message(message) for message in request.messages],
        "chat": request.chat,
        "parameters": request.parameters,
        "seed": request.seed,
    }
    if cell.variant < len(experiment.variants):
        variant = experiment.variants[cell.variant]
        planned |= {"variant": variant.name, "template": {"system": variant.system, "user": variant.user}}
    return planned if output is None else {**output.provenance, **_extras(output), "seconds": output.seconds, **planned}


def _error_kind(result: CellResult) -> dict[str, object]:
    return {"error_kind": result.error_kind} if result.error_kind else {}


def _extras(output: Output) -> dict[str, object]:
    """What only some answers have; it is kept with the provenance."""
    extras = {"cost_usd": output.cost, "thought_tokens": output.thought_tokens or None, "notes": output.notes or None}
    return {name: value for name, value in extras.items() if value is not None}


def _message(message: Message) -> dict[str, object]:
    values: dict[str, object] = {"role": message.role, "text": message.text}
    return values | {"images": message.images} if message.images else values


_OUTPUT_COLUMNS = ("finish", "prompt_tokens", "seconds", "first_token_seconds", "logprobs")


def _output_values(output: Output) -> dict[str, Any]:
    batch = output.provenance.get("batch_size")
    return {
        "finish": output.finish,
        "prompt_tokens": output.prompt_tokens,
        "seconds": output.seconds if math.isfinite(output.seconds) else None,
        "first_token_seconds": output.first_token_seconds,
        "batch_size": batch if isinstance(batch, int) and batch > 0 else 1,
        "logprobs": dump([[token.text, _rounded(token.logprob)] for token in output.tokens]) if output.tokens else None,
    }


def _output(row: Mapping[str, Any], files: Files) -> Output:
    pairs, provenance = json.loads(row["logprobs"] or "[]"), json.loads(row["provenance"])
    return Output(
        text=row["text"],
        finish=cast(FinishReason, row["finish"]),
        prompt_tokens=row["prompt_tokens"],
        output_tokens=row["tokens"],
        seconds=row["seconds"] or 0.0,
        first_token_seconds=row["first_token_seconds"],
        tokens=tuple(Token(text, -math.inf if logprob is None else logprob) for text, logprob in pairs),
        thought_tokens=provenance.get("thought_tokens", 0),
        cost=provenance.get("cost_usd"),
        notes=tuple(provenance.get("notes", ())),
        images=files.images.get(row["index"], ()),
        audio=files.sounds.get(row["index"], b""),
        provenance=provenance,
    )


def _rounded(logprob: float) -> float:
    return round(logprob, 4) if math.isfinite(logprob) else logprob


def _searchable(run: Run) -> str:
    experiment = run.experiment
    parts = [part for variant in experiment.variants for part in (variant.system, variant.user)]
    parts += [value for row in experiment.inputs for value in row.values.values()]
    return folded(clean("\n".join(dict.fromkeys(parts))))[:MAX_SEARCHABLE]
