"""Everything that was ever run: kept as it happens, found again, opened, starred, deleted and brought back.

The engine hands over cells as they finish, and each is committed at once, so that a killed server loses none. Every
read and every change is by owner; a run of somebody else's looks exactly like one that never was. Safe to use from
several threads. Knows nothing of how answers are made or shown, nor who an owner is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import and_, func, select, update

from core.errors import InvalidInput, NotFound
from core.experiment.serialize import from_dict
from core.history import artifacts, queries, saved
from core.history.saved import RunRow, SavedRun
from core.history.schema import CELLS, RUNS
from core.history.store import Store
from core.history.thumbnails import Thumbnails
from core.text import clean
from core.types import MAX_TITLE, Cell, CellResult, Run, State

__all__ = ["History", "RunRow", "SavedRun"]

MAX_PAGE = 500
MAX_DRAFT = 1_000_000


class History(Store):
    """The database behind `url` (SQLAlchemy's form, such as sqlite:///data/history.db).

    Opening it makes or migrates its tables, marks runs that a dead server left unfinished as interrupted, and removes
    for good what was deleted over a day ago. So one server at a time opens a database; many threads may share it.

    Args:
        clock: seconds since 1970; a test's own.
        busy_seconds: how long to wait for another program that writes to the same SQLite file.

    Raises:
        HistoryUnavailable: the database cannot be opened, read or written; here and in every method.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time, busy_seconds: float = 5.0) -> None:
        super().__init__(url, busy_seconds)
        self._clock = clock
        self._thumbnails = Thumbnails()
        try:
            with self._write() as connection:
                queries.recover(connection, clock())
        except BaseException:
            self.close()
            raise

    # The engine's sink.

    def begin(self, owner: str, run: Run) -> None:
        """Keep a run that starts, with its cells waiting. A run of this owner that is known already goes on.

        Raises:
            NotFound: the id is another owner's.
        """
        waiting = [saved.cell_values(run, cell, CellResult(index=cell.index)) for cell in run.cells]
        values = saved.run_values(owner, run, self._clock())
        with self._write() as connection:
            _found(queries.begin(connection, values, waiting))
            artifacts.keep_prompts(connection, values["id"], run.cells)

    def finish(self, run: Run, cell: Cell, result: CellResult) -> None:
        """Keep what became of a cell, judged by its checks: one transaction, and the same again changes nothing.

        Raises:
            NotFound: the run was never begun, or is gone.
        """
        values = saved.cell_values(run, cell, result)
        where = and_(CELLS.c.run_id == values["run_id"], CELLS.c.index == cell.index)
        with self._write() as connection:
            _found(connection.execute(update(CELLS).where(where).values(values)).rowcount)
            artifacts.keep_answer(connection, values["run_id"], cell.index, result.output)

    def end(self, run_id: str, state: State) -> None:
        """Keep how a run ended; cells that never became final are cancelled with it, or interrupted.

        Raises:
            NotFound: the run was never begun, or is gone.
        """
        left = State.CANCELLED if state is State.CANCELLED else State.INTERRUPTED
        with self._write() as connection:
            _found(queries.end(connection, clean(run_id), state, left))

    # What an owner sees.

    def search(
        self,
        owner: str,
        text: str = "",
        page: str | None = None,
        starred: bool = False,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[RunRow, ...]:
        """The owner's runs, newest first: those whose title, prompts or answers hold `text`, in any case.

        Args:
            page: only runs of this page.
            starred: only starred runs.
            limit: at most 500.

        Raises:
            InvalidInput: the text is longer than 200 characters.
        """
        wanted = select(RUNS).where(*queries.wanted(owner, text, page, starred))
        wanted = wanted.order_by(RUNS.c.created.desc(), RUNS.c.id).offset(max(0, offset))
        with self._read() as connection:
            rows = connection.execute(wanted.limit(min(max(1, limit), MAX_PAGE))).mappings().all()
            totals = queries.totals(connection, [row["id"] for row in rows])
        return tuple(saved.run_row(dict(row), totals.get(row["id"], {})) for row in rows)

    def count(self, owner: str, text: str = "", page: str | None = None, starred: bool = False) -> int:
        """How many runs `search` would find without its limit."""
        with self._read() as connection:
            found = select(func.count(RUNS.c.id)).where(*queries.wanted(owner, text, page, starred))
            return connection.scalar(found) or 0

    def open(self, owner: str, run_id: str) -> SavedRun:
        """A run with all its answers.

        Raises:
            NotFound: never there, deleted, or another owner's.
            InvalidInput: what was kept is not an experiment that this Diptych reads.
        """
        with self._read() as connection:
            run = queries.run(connection, owner, clean(run_id))
            _found(bool(run))
            rows = queries.cells(connection, run["id"])
            totals = queries.totals(connection, [run["id"]])
            drawn, heard = artifacts.drawn(connection, run["id"]), artifacts.heard(connection, run["id"])
        return SavedRun(
            row=saved.run_row(run, totals.get(run["id"], {})),
            experiment=from_dict(json.loads(run["experiment"])),
            results=tuple(
                saved.result_of(row, drawn.get(row["index"], ()), heard.get(row["index"], b"")) for row in rows
            ),
            provenances=tuple(json.loads(row["provenance"]) for row in rows),
        )

    def attached(self, owner: str, run_id: str) -> dict[str, bytes]:
        """The images of a run's prompts, by reference (core.pictures); none where there is no such run."""
        with self._read() as connection:
            run = queries.run(connection, owner, clean(run_id))
            return artifacts.attached(connection, run["id"]) if run else {}

    def thumbnails(self, owner: str, run_ids: Sequence[str]) -> dict[str, bytes]:
        """A small PNG file of the first image that each run drew, by run; runs without one are left out."""
        with self._read() as connection:
            return self._thumbnails.of(connection, owner, [clean(run_id) for run_id in run_ids])

    def rename(self, owner: str, run_id: str, title: str) -> None:
        """Give a run another title.

        Raises:
            InvalidInput: the title is blank or longer than 200 characters.
            NotFound: never there, deleted, or another owner's.
        """
        title = clean(title).strip()
        if not title or len(title) > MAX_TITLE:
            raise InvalidInput(f"A title has 1 to {MAX_TITLE} characters.")
        self._change(owner, [run_id], title=title)

    def star(self, owner: str, run_id: str, on: bool) -> None:
        """Mark a run, or take the mark away.

        Raises:
            NotFound: never there, deleted, or another owner's.
        """
        self._change(owner, [run_id], starred=on)

    def delete(self, owner: str, run_ids: Sequence[str]) -> None:
        """Hide runs; for a day `undelete` brings them back.

        Raises:
            NotFound: one was never there or is another owner's; then none is deleted.
        """
        self._change(owner, run_ids, hidden=True, deleted=self._clock())

    def undelete(self, owner: str, run_ids: Sequence[str]) -> None:
        """Bring deleted runs back.

        Raises:
            NotFound: one was never there, is gone for good, or is another owner's; then none is brought back.
        """
        self._change(owner, run_ids, hidden=True, deleted=None)

    def keep_draft(self, owner: str, page: str, experiment: Mapping[str, object]) -> None:
        """Keep what was typed on a page (serialize.to_dict) in the place of what was kept before.

        Raises:
            InvalidInput: it is over a million characters.
        """
        told = saved.dump(experiment)
        if len(told) > MAX_DRAFT:
            raise InvalidInput(f"What was typed here has over {MAX_DRAFT} characters, too many to keep.")
        with self._write() as connection:
            queries.keep_draft(connection, owner, page, told, self._clock())

    def draft(self, owner: str, page: str) -> dict[str, object] | None:
        """What `keep_draft` kept of the page, None where there is nothing. It may be of another version."""
        with self._read() as connection:
            kept = queries.draft(connection, owner, page)
        return None if kept is None else dict(json.loads(kept))

    def change_owner(self, owner: str, to: str) -> None:
        """Give all runs and drafts of an owner to another; of two drafts of a page the newer is kept."""
        with self._write() as connection:
            queries.change_owner(connection, owner, to)

    def speeds(self) -> Mapping[str, float]:
        """Tokens (steps of images, frames of sound) per second by model id, measured here: the median over its recent
        runs. A step counts as much as its image's area (core.experiment.estimate.effort).

        A run's speed is its tokens over the sum of seconds / batch size, so that answers made together count the
        time they shared once. Of all owners: a speed is the machine's.
        """
        with self._read() as connection:
            return queries.speeds(connection)

    # Underneath.

    def _change(self, owner: str, run_ids: Sequence[str], hidden: bool = False, **values: object) -> None:
        ids = {clean(run_id) for run_id in run_ids}
        mine = RUNS.c.owner == clean(owner) if hidden else and_(*queries.visible(owner))
        with self._write() as connection:
            changed = update(RUNS).where(RUNS.c.id.in_(ids), mine).values(**values)
            _found(connection.execute(changed).rowcount == len(ids))


def _found(yes: bool | int) -> None:
    if not yes:
        raise NotFound("There is no such run in this history. It may have been deleted.")
