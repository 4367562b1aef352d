"""An engine with a real worker process, for tests that follow one cell through both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.engine import Engine
from core.settings import Settings
from core.types import Cell, CellResult, ModelSpec, Request, Run
from core.worker import Worker, opener
from tests.support.fakes import Memory, asked, until


class Studio:
    """Runs of one cell each, all of the same model."""

    def __init__(self, settings: Settings, row: ModelSpec) -> None:
        self.row, self.worker, self.sink = row, Worker(settings), Memory()
        self.engine = Engine(opener(self.worker, settings), self.sink, settings, lookup=lambda model: row)

    def submit(self, name: str, one: Request) -> None:
        cell = Cell(index=0, variant=0, model=self.row.id, input=0, sample=0, request=one)
        page = self.row.modality.value
        experiment = asked(page, cell.model)
        self.engine.submit("ann", Run(id=name, page=page, title=name, cells=(cell,), experiment=experiment), {})

    def cell(self, name: str) -> CellResult:
        return self.engine.snapshot(name, "ann").cells[0]

    def ended(self, name: str) -> CellResult:
        until(lambda: self.engine.snapshot(name, "ann").state.final)
        return self.cell(name)


@contextmanager
def hired(settings: Settings, row: ModelSpec) -> Iterator[Studio]:
    """A studio that is closed in the end, its process too."""
    made = Studio(settings, row)
    try:
        yield made
    finally:
        made.engine.close()
        made.worker.close()
