"""`python -m core`: experiments without a browser. Reads the files that the pages write, and writes the same."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets as random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from core import __version__, catalog, exchange, repository
from core import experiment as experiments
from core.catalog.servers import CUSTOM, SERVERS
from core.engine import Engine
from core.errors import DiptychError, InvalidInput, NotFound
from core.exchange.experiment_file import experiment_file, experiment_in
from core.exchange.inputs import Imported, experiment_of, read_text
from core.exchange.report import Report, report
from core.experiment import to_dict
from core.history import History, SavedRun
from core.settings import Secret, Settings, settings
from core.types import Experiment, Run, State
from core.worker import Worker, opener

OWNER = "command"
"""Whose runs these are in a history; a browser's owners are hashes."""

DONE, FAILED, INVALID, STOPPED = 0, 1, 2, 130
"""Exit codes: all is well; a threshold failed or answers are missing; bad input; stopped by Ctrl+C."""

_FORMATS = {kind.key: kind for kind in exchange.FORMATS}
_POLL_SECONDS = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; sentences on what is wrong go to standard error."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.command(asked))
    except DiptychError as error:
        print(f"diptych: {error}", file=sys.stderr)
        return INVALID
    except KeyboardInterrupt:
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Experiments without a browser.")
    parser.add_argument("--version", action="version", version=f"Diptych {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run an experiment and print its verdict")
    run.add_argument(
        "file", type=Path, help="an experiment (YAML or JSON), the receipt of a run, or promptfoo's configuration"
    )
    run.add_argument("--model", action="append", default=[], metavar="ID", help="in place of the file's; repeatable")
    run.add_argument("--samples", type=int, help="in place of the file's")
    _out_option(run)
    _format_option(run, ["json", "html"])
    run.add_argument("--fail-under", type=_share, metavar="SHARE", help="exit 1 if a column passes less, as in 0.9")
    run.add_argument("--key", action="append", default=[], metavar="SERVER=VARIABLE", help=_KEY_HELP)
    run.add_argument("--again", action="store_true", help="ask everything anew, though it was run before")
    run.set_defaults(command=_run)

    export = commands.add_parser("export", help="write the files of a run that was made by `run`")
    _run_argument(export)
    _format_option(export, ["html"])
    export.set_defaults(command=_export)

    convert = commands.add_parser("import", help="read an experiment's or promptfoo's file and print it as YAML")
    convert.add_argument("file", type=Path)
    convert.set_defaults(command=_import)

    decide = commands.add_parser("verdict", help="print the verdict of a run that was made by `run`")
    _run_argument(decide)
    decide.set_defaults(command=_verdict)

    models = commands.add_parser("models", help="list the models that can be named, and what this machine has")
    models.set_defaults(command=_models)
    return parser


_KEY_HELP = "the environment variable that holds a server's key: openai=NAME, or https://host/v1=NAME; repeatable"


def _out_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("diptych-out"), help="folder of the results (%(default)s)")


def _run_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", help="the id of the run; without it the last one")
    _out_option(parser)


def _format_option(parser: argparse.ArgumentParser, default: list[str]) -> None:
    parser.add_argument(
        "--format",
        action="append",
        choices=list(_FORMATS),
        help=f"what to write; repeatable (default: {', '.join(default)})",
    )
    parser.set_defaults(formats=default)


def _run(asked: argparse.Namespace) -> int:
    experiment = _changed(_experiment(asked.file), asked.model, asked.samples)
    keys = dict(map(_key, asked.key))
    asked.out.mkdir(parents=True, exist_ok=True)
    with _opened(asked.out) as (history, config):
        run_id = _run_id(experiment) + (f"-{random.token_hex(4)}" if asked.again else "")
        finished = _generate(experiment, run_id, history, config, {**config.secrets, **keys})
        saved = history.open(OWNER, run_id)
    _write(saved, asked)
    run_report = report(saved)
    _print(run_report)
    if not finished:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return STOPPED
    return _exit_code(run_report, saved, asked.fail_under)


def _changed(experiment: Experiment, models: Sequence[str], samples: int | None) -> Experiment:
    chosen = replace(experiment, models=tuple(models)) if models else experiment
    return chosen if samples is None else replace(chosen, samples=samples, seeds=())


def _generate(
    experiment: Experiment, run_id: str, history: History, config: Settings, keys: Mapping[str, Secret]
) -> bool:
    """Run what has no answer yet. False where it was stopped by Ctrl+C."""
    try:
        run, results = history.planned(OWNER, run_id)
    except NotFound:
        run, results = _planned(experiment, run_id, config), {}
    if results and all(result.state is State.DONE for result in results.values()):
        print("Run before: these are its answers. --again asks anew.", file=sys.stderr)
        return True
    worker = Worker(config)
    engine = Engine(opener(worker, config), history, config)
    try:
        engine.resume(OWNER, run, results, keys) if results else engine.submit(OWNER, run, keys)
        return _watch(engine, run_id)
    finally:
        engine.close()
        worker.close()


def _planned(experiment: Experiment, run_id: str, config: Settings) -> Run:
    for model in experiment.models:
        catalog.spec(model)  # raises where there is no such model, before anything is kept
    return experiments.run(
        experiment, run_id, max_cells=config.max_cells, max_prompt_chars=config.max_prompt_chars, pictures={}
    )


def _watch(engine: Engine, run_id: str) -> bool:
    """A bar until the run has ended."""
    from tqdm import tqdm

    with tqdm(total=len(engine.snapshot(run_id, OWNER).cells), unit="answer", file=sys.stderr, disable=None) as bar:
        try:
            while True:
                snapshot = engine.wait(run_id, OWNER, _POLL_SECONDS)
                bar.set_postfix_str(snapshot.note[:60])
                bar.update(sum(cell.state.final for cell in snapshot.cells) - bar.n)
                if snapshot.state.final:
                    return True
        except KeyboardInterrupt:
            return False


def _export(asked: argparse.Namespace) -> int:
    _write(_saved(asked), asked)
    return DONE


def _verdict(asked: argparse.Namespace) -> int:
    _print(report(_saved(asked)))
    return DONE


def _import(asked: argparse.Namespace) -> int:
    print(experiment_file(_experiment(asked.file)), end="")
    return DONE


def _models(asked: argparse.Namespace) -> int:
    config = settings()
    for row in catalog.CATALOG:
        where = "ready" if repository.present(row, config) else "downloaded at first use"
        print(f"{row.id:<45} {row.modality.value:<6} {where}")
    for server in SERVERS:
        for name in server.models:
            print(f"{f'{server.id}:{name}':<45} remote {server.name}")
    return DONE


def _saved(asked: argparse.Namespace) -> SavedRun:
    """The run that was named, or the last one.

    Raises:
        NotFound: there is none.
    """
    if not (asked.out / "history.db").is_file():
        raise NotFound(f"There is no run in {asked.out}; make one by `python -m core run FILE --out {asked.out}`.")
    with _opened(asked.out) as (history, _):
        rows = history.search(OWNER)
        if not rows:
            raise NotFound(f"There is no run in {asked.out}.")
        return history.open(OWNER, asked.run or rows[0].id)


def _write(saved: SavedRun, asked: argparse.Namespace) -> None:
    for key in asked.format or asked.formats:
        kind = _FORMATS[key]
        path = asked.out / f"{saved.row.id}.{kind.ending}"
        content = kind.write([saved])
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        print(f"wrote {path}", file=sys.stderr)


def _print(run_report: Report) -> None:
    """The verdict and its table, on standard output."""
    print(run_report.sentence)
    for note in run_report.notes:
        print(f"* {note}")
    if not run_report.table:
        return
    widths = [max(map(len, column)) for column in zip(*run_report.table, strict=True)]
    print()
    for line in run_report.table:
        print("  ".join(field.ljust(width) for field, width in zip(line, widths, strict=True)).rstrip())


def _exit_code(run_report: Report, saved: SavedRun, least: float | None) -> int:
    missing = [result for result in saved.results if result.state is not State.DONE]
    if missing:
        print(f"{len(missing)} of {len(saved.results)} answers are missing or failed.", file=sys.stderr)
    for why, count in Counter(result.error or str(result.state) for result in missing).most_common(5):
        print(f"{count} times: {why}", file=sys.stderr)
    low = [
        name
        for name, column in zip(run_report.names, run_report.verdict.columns, strict=True)
        if least is not None and column.rate.mean < least
    ]
    for name in low:
        print(f"{name} passes less than {least:.0%}.", file=sys.stderr)
    return FAILED if missing or low else DONE


def _experiment(path: Path) -> Experiment:
    """The experiment of a file; of a promptfoo configuration, without models, with what is left out on standard error.

    Raises:
        InvalidInput: it is neither, or cannot be read.
    """
    text = _text(path)
    try:
        return experiment_in(text)
    except InvalidInput:
        imported = _configuration(text, path.name)
        if imported is None:
            raise
    for note in imported.notes:
        print(f"note: {note}", file=sys.stderr)
    for entry in imported.left_out:
        print(f"not taken over: {entry.where}: {entry.reason}", file=sys.stderr)
    return experiment_of(imported)


def _configuration(text: str, name: str) -> Imported | None:
    """What a promptfoo configuration gives; None where the text is none."""
    try:
        imported = read_text(text, name)
    except InvalidInput:
        return None
    return imported if imported.kind.startswith("promptfoo") else None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not text in UTF-8.") from None


def _key(pair: str) -> tuple[str, Secret]:
    server, _, variable = pair.rpartition("=")
    if not server or not os.environ.get(variable):
        raise InvalidInput("--key SERVER=VARIABLE names an environment variable that holds a key; it is not set.")
    return f"{CUSTOM}@{server}" if server.startswith("http") else server, Secret(os.environ[variable])


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a share from 0 to 1, as in 0.9")
    return value


def _run_id(experiment: Experiment) -> str:
    """The same for the same experiment, so that the same command goes on with it."""
    return hashlib.sha256(json.dumps(to_dict(experiment), sort_keys=True).encode()).hexdigest()[:16]


@contextmanager
def _opened(out: Path) -> Iterator[tuple[History, Settings]]:
    """The history of the folder, and settings for a person's own machine."""
    config = replace(settings(), database=f"sqlite:///{out / 'history.db'}", local=True, custom_servers=True)
    history = History(config.database_url, max_stored_bytes=config.max_stored_bytes)
    try:
        yield history, config
    finally:
        history.close()
