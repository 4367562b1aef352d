"""Everything that was ever run: kept as it happens, found again, opened, starred, deleted and brought back.

The engine hands over cells as they finish, and each is committed at once, so that a killed server loses none. Every
read and every change is by owner; a run of somebody else's looks exactly like one that never was. Safe to use from
several threads, and from several servers at once. Knows nothing of how answers are made or shown, nor who an owner is.

This file is one class, every method of which is a transaction; what a transaction consists of is in its neighbours.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import and_, func, select, update

from core.errors import HistoryUnavailable, InvalidInput, NotFound
from core.experiment.grid import GridCell
from core.experiment.growth import carried, extends
from core.experiment.plan import plan, title_of
from core.experiment.plan import run as run_of
from core.experiment.serialize import from_dict
from core.experiment.ungraded import Ungraded
from core.history import artifacts, leaders, queries, saved, servers, storage
from core.history.database import Database
from core.history.saved import RunRow, SavedRun
from core.history.schema import RUNS
from core.history.search import folded
from core.history.servers import Server
from core.history.thumbnails import Thumbnails
from core.text import clean
from core.types import MAX_TITLE, Cell, CellResult, Experiment, Run, State

__all__ = ["History", "RunRow", "SavedRun"]

MAX_PAGE = 500
MAX_DRAFT = 1_000_000


class History:
    """The database behind `url` (SQLAlchemy's form, such as sqlite:///data/history.db).

    Opening it makes or migrates its tables, marks runs that a dead server left unfinished as interrupted, and removes
    for good what was deleted over a day ago; both happen again from time to time while it is open. Several servers may
    share a database, and many threads a History.

    Args:
        clock: seconds since 1970; a test's own.
        busy_seconds: how long to wait for another program that writes to the same SQLite file.
        max_stored_bytes: how much is kept for one owner; 0: no limit. A run that has begun is kept whole.
        beat_seconds: how often this server says that it is alive, while it has runs under way.

    Raises:
        HistoryUnavailable: the database cannot be opened, read or written; here and in every method.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.time,
        busy_seconds: float = 5.0,
        max_stored_bytes: int = 0,
        beat_seconds: float = servers.BEAT_SECONDS,
    ) -> None:
        self._database = Database(url, busy_seconds)
        self._write, self._read = self._database.write, self._database.read
        self._server = Server(self._database.file)
        self._clock = clock
        self._max_stored_bytes = max_stored_bytes
        self._beat_seconds = beat_seconds
        self._thumbnails = Thumbnails()
        self._running: set[str] = set()
        self._closed = threading.Event()
        try:
            self._recover()
        except BaseException:
            self._database.close()
            raise
        self._heart = threading.Thread(target=self._beat, name="history-heartbeat", daemon=True)
        self._heart.start()

    @property
    def read_only(self) -> str:
        """Why nothing can be written at present, as a sentence; "" where it can."""
        return self._database.read_only

    def close(self) -> None:
        """Let go of the database. Runs that have not ended are interrupted once somebody opens it again."""
        self._closed.set()
        if self._heart is not threading.current_thread():
            self._heart.join(1.0)
        left = False
        with suppress(HistoryUnavailable), self._write() as connection:
            self._server.leave(connection)
            left = True
        self._server.release(left)
        self._database.close()

    # The engine's sink.

    def begin(self, owner: str, run: Run) -> None:
        """Keep a run that starts, with its cells waiting. A run of this owner that is known already goes on, with the
        cells that it has more of now (see `grown`).

        Raises:
            NotFound: the id is another owner's.
            HistoryFull: the owner's history holds as much as is kept here.
            InvalidInput: another server runs it; or it has cells that this run lacks.
        """
        waiting = [saved.cell_values(run, cell, CellResult(index=cell.index)) for cell in run.cells]
        values = saved.run_values(owner, run, self._clock(), self._server.id)
        own = storage.text_bytes(values["experiment"], values["prompts"]) + storage.attached_bytes(run.cells)
        values["bytes"] = own + sum(cell["bytes"] for cell in waiting)
        with self._write() as connection:
            storage.make_room(connection, values["owner"], self._max_stored_bytes)
            self._server.announce(connection, self._clock())
            alive = self._server.alive(connection, self._clock())
            _require(queries.begin(connection, values, waiting, alive))
            artifacts.keep_prompts(connection, values["id"], run.cells)
        self._running.add(run.id)

    def finish(self, run: Run, cell: Cell, result: CellResult) -> None:
        """Keep what became of a cell, in one transaction; the same again changes nothing. `graded` follows where the
        cell has checks.

        Raises:
            NotFound: the run was never begun, or is gone.
        """
        values = saved.cell_values(run, cell, result)
        with self._write() as connection:
            _require(queries.finish(connection, values))
            artifacts.keep_answer(connection, values["run_id"], cell.index, result.output)

    def graded(self, run_id: str, cell: Cell | GridCell, passed: bool | None) -> None:
        """Keep whether a finished cell passes its checks (None: nothing counts)."""
        with self._write() as connection:
            queries.graded(connection, clean(run_id), cell, passed)

    def ungraded(self, limit: int) -> tuple[Ungraded, ...]:
        """Finished cells that wait to be graded, oldest first; those that a stopped server left are among them."""
        with self._read() as connection:
            rows = queries.ungraded(connection, limit)
            files = {run_id: artifacts.of_run(connection, run_id) for run_id in {row["run_id"] for row in rows}}
        return tuple(saved.ungraded(row, files[row["run_id"]]) for row in rows)

    def end(self, run_id: str, state: State) -> None:
        """Keep how a run ended; cells that never became final are cancelled with it, or interrupted.

        Raises:
            NotFound: the run was never begun, or is gone.
        """
        left = State.CANCELLED if state is State.CANCELLED else State.INTERRUPTED
        with self._write() as connection:
            _require(queries.end(connection, clean(run_id), state, left))
        self._running.discard(run_id)

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
        """The owner's runs, newest first: those whose title, prompts or answers hold `text`, in any case and any
        normalisation of Unicode.

        Args:
            page: only runs of this page.
            starred: only starred runs.
            limit: at most 500.

        Raises:
            InvalidInput: the text is longer than 200 characters.
        """
        chosen = select(RUNS).where(*queries.chosen(owner, text, page, starred))
        chosen = chosen.order_by(RUNS.c.created.desc(), RUNS.c.id).offset(max(0, offset))
        with self._read() as connection:
            rows = connection.execute(chosen.limit(min(max(1, limit), MAX_PAGE))).mappings().all()
            totals = queries.totals(connection, [row["id"] for row in rows])
            leading = leaders.of_runs(connection, {row["id"]: json.loads(row["models"]) for row in rows})
        return tuple(saved.run_row(dict(row), totals.get(row["id"], {}), leading.get(row["id"])) for row in rows)

    def count(self, owner: str, text: str = "", page: str | None = None, starred: bool = False) -> int:
        """How many runs `search` would find without its limit."""
        with self._read() as connection:
            number = select(func.count(RUNS.c.id)).where(*queries.chosen(owner, text, page, starred))
            return connection.scalar(number) or 0

    def open(self, owner: str, run_id: str) -> SavedRun:
        """A run with all its answers.

        Raises:
            NotFound: never there, deleted, or another owner's.
            InvalidInput: what was kept is not an experiment that this Diptych reads.
        """
        with self._read() as connection:
            run = queries.run(connection, owner, clean(run_id))
            _require(bool(run))
            rows = queries.cells(connection, run["id"])
            totals = queries.totals(connection, [run["id"]])
            leading = leaders.of_runs(connection, {run["id"]: json.loads(run["models"])})
            files = artifacts.of_run(connection, run["id"])
        return SavedRun(
            row=saved.run_row(run, totals.get(run["id"], {}), leading.get(run["id"])),
            experiment=from_dict(json.loads(run["experiment"])),
            results=tuple(saved.result_of(row, files) for row in rows),
            provenances=tuple(json.loads(row["provenance"]) for row in rows),
            identities=tuple(saved.identity_of(row) for row in rows),
        )

    def planned(self, owner: str, run_id: str) -> tuple[Run, dict[int, CellResult]]:
        """A run as it was submitted, and what became of its cells, so that an engine can go on with it.

        Raises:
            NotFound: never there, deleted, or another owner's.
            InvalidInput: this Diptych would not ask the same any more; the run must be run anew.
        """
        run = self.open(owner, run_id)
        pictures = self.attached(owner, run_id)
        cells = plan(run.experiment, max_cells=len(run.results), max_prompt_chars=MAX_DRAFT, pictures=pictures)
        if [saved.identity(cell) for cell in cells] != list(run.identities):
            raise InvalidInput("This version of Diptych would ask something else by now. Run the experiment anew.")
        title, page = run.row.title, run.row.page
        again = Run(id=run.row.id, page=page, title=title, cells=cells, experiment=run.experiment)
        return again, run.by_index

    def grown(
        self, owner: str, run_id: str, experiment: Experiment, *, max_cells: int, max_prompt_chars: int
    ) -> tuple[Run, dict[int, CellResult]]:
        """A run with the inputs and samples that `experiment` has more of, and what became of its cells so far.

        The results are by the indices that their cells have now. A title that a person gave stays.

        Raises:
            NotFound: as for `planned`.
            InvalidInput: as for `planned` and `plan`; or the experiment differs in more than added inputs and samples.
        """
        before, results = self.planned(owner, run_id)
        if not extends(before.experiment, experiment):
            raise InvalidInput("Only inputs behind the others, and samples, can be added to a run. Run this anew.")
        again = run_of(
            replace(experiment, title=before.experiment.title),
            run_id,
            max_cells=max_cells,
            max_prompt_chars=max_prompt_chars,
            pictures=self.attached(owner, run_id),
        )
        title = again.title if before.title == title_of(before.experiment) else before.title
        return replace(again, title=title), carried(before.experiment, experiment, results)

    def looks(self, owner: str, run_id: str) -> tuple[int, ...]:
        """Answers per column at each end of a run or of an extension of it, oldest first; () where there is none."""
        with self._read() as connection:
            run = queries.run(connection, owner, clean(run_id))
        return tuple(json.loads(run["looks"])) if run else ()

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
        self._change(owner, [run_id], title=title, folded_title=folded(title))

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
        """Keep what was typed on a page (serialize.to_dict) in place of what was kept before.

        Raises:
            InvalidInput: it is over a million characters.
        """
        draft = saved.dump(experiment)
        if len(draft) > MAX_DRAFT:
            raise InvalidInput(f"What was typed here has over {MAX_DRAFT} characters, too many to keep.")
        with self._write() as connection:
            queries.keep_draft(connection, owner, page, draft, self._clock())

    def draft(self, owner: str, page: str) -> dict[str, object] | None:
        """What `keep_draft` kept of the page, None where there is nothing. It may be of another version."""
        with self._read() as connection:
            kept = queries.draft(connection, owner, page)
        return None if kept is None else dict(json.loads(kept))

    def change_owner(self, owner: str, to: str) -> None:
        """Give all runs and drafts of an owner to another; of two drafts of a page the newer is kept."""
        with self._write() as connection:
            queries.change_owner(connection, owner, to)

    def stored_bytes(self, owner: str) -> int:
        """How much is kept for the owner; what is deleted counts as long as it can be brought back."""
        with self._read() as connection:
            return storage.stored(connection, clean(owner))

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
            _require(connection.execute(changed).rowcount == len(ids))

    def _recover(self) -> None:
        """Mark what dead servers left, where that can be written; else later."""
        now = self._clock()
        with self._read() as connection:
            alive = self._server.alive(connection, now)
            if not queries.left_over(connection, alive, now):
                return
        with suppress(HistoryUnavailable), self._write() as connection:
            alive = self._server.alive(connection, now)
            queries.recover(connection, alive, now)
            self._server.bury(connection, alive)

    def _beat(self) -> None:
        """Say that this server is alive while it runs something, and look for dead ones from time to time."""
        looked = time.monotonic()
        while not self._closed.wait(self._beat_seconds):
            with suppress(HistoryUnavailable):
                if self._running:
                    with self._write() as connection:
                        self._server.announce(connection, self._clock())
                if time.monotonic() - looked >= servers.STALE_SECONDS:
                    looked = time.monotonic()
                    self._recover()


def _require(yes: bool | int) -> None:
    if not yes:
        raise NotFound("There is no such run in this history. It may have been deleted.")
