"""The files that a run can be saved as: one row each. Adding a format is a function and a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.exchange.experiment_file import experiment_file
from core.exchange.html_report import html_report
from core.exchange.markdown import markdown
from core.exchange.promptfoo_config import promptfoo_config
from core.exchange.receipt import receipt
from core.exchange.tables import csv_table, jsonl_table, xlsx_table
from core.history.saved import SavedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file. `write` takes as many runs as are saved together, one where not `several`."""

    key: str
    label: str
    ending: str
    mime: str
    help: str
    write: Callable[[Sequence[SavedRun]], str | bytes]
    several: bool = False


FORMATS: tuple[Format, ...] = (
    Format(
        key="html",
        label="HTML report",
        ending="html",
        mime="text/html",
        help="Verdict, charts, prompts and every answer as one page without a script, for the team",
        write=lambda runs: html_report(runs[0]),
    ),
    Format(
        key="markdown",
        label="Markdown",
        ending="md",
        mime="text/markdown",
        help="Verdict, prompts and the answers' first words, for a pull request or a wiki",
        write=lambda runs: markdown(runs[0]),
    ),
    Format(
        key="json",
        label="JSON receipt",
        ending="json",
        mime="application/json",
        help="Everything a replay needs; Diptych reads it again",
        write=lambda runs: receipt(runs[0]),
    ),
    Format(
        key="csv",
        label="CSV",
        ending="csv",
        mime="text/csv",
        help="One line an answer, safe to open in a spreadsheet",
        write=csv_table,
        several=True,
    ),
    Format(
        key="xlsx",
        label="Excel workbook",
        ending="xlsx",
        mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        help="Answers, verdict and prompts as sheets",
        write=xlsx_table,
        several=True,
    ),
    Format(
        key="jsonl",
        label="JSON lines",
        ending="jsonl",
        mime="application/jsonl",
        help="One JSON object an answer, for a program",
        write=jsonl_table,
        several=True,
    ),
    Format(
        key="experiment",
        label="Experiment file",
        ending="yaml",
        mime="application/yaml",
        help="Prompts, inputs, checks and settings without the answers: `python -m core run` takes it",
        write=lambda runs: experiment_file(runs[0].experiment),
    ),
    Format(
        key="promptfoo",
        label="promptfoo config",
        ending="promptfoo.yaml",
        mime="application/yaml",
        help="The experiment for promptfoo; what it cannot say is listed at the head",
        write=lambda runs: promptfoo_config(runs[0].experiment),
    ),
)
