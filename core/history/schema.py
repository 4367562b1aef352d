"""The history's tables, and how an older file becomes a newer one. Knows nothing of what a row means."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

VERSION = 3
METADATA = MetaData()

SCHEMA = Table("diptych_schema", METADATA, Column("version", Integer, nullable=False))

RUNS = Table(
    "runs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("page", String(40), nullable=False),
    Column("title", String(200), nullable=False),
    Column("created", Float, nullable=False),
    Column("state", String(20), nullable=False),
    Column("starred", Boolean, nullable=False, server_default=text("false")),
    Column("deleted", Float),
    Column("experiment", Text, nullable=False),
    Column("prompts", Text, nullable=False),
    Column("variants", Integer, nullable=False),
    Column("models", Text, nullable=False),
    Column("inputs", Integer, nullable=False),
    Column("samples", Integer, nullable=False),
    Index("runs_by_owner", "owner", "created"),
    Index("runs_by_time", "created"),
)
"""`created` and `deleted` are seconds since 1970, UTC; `experiment` and `models` are JSON; `prompts` is
what search reads."""

CELLS = Table(
    "cells",
    METADATA,
    Column("run_id", String(64), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("variant", Integer, nullable=False),
    Column("model", String(200), nullable=False),
    Column("input", Integer, nullable=False),
    Column("sample", Integer, nullable=False),
    Column("setting", Integer, nullable=False, server_default="0"),
    Column("seed", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("error", Text, nullable=False, server_default=""),
    Column("finish", String(20)),
    Column("prompt_tokens", Integer),
    Column("tokens", Integer, nullable=False, server_default="0"),
    Column("seconds", Float),
    Column("first_token_seconds", Float),
    Column("batch_size", Integer, nullable=False, server_default="1"),
    Column("passed", Boolean),
    Column("provenance", Text, nullable=False, server_default="{}"),
    Column("logprobs", Text),
)
"""`finish` is set where there is an output; `passed` where it was judged; `provenance` and `logprobs` are JSON."""

ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("run_id", String(64), nullable=False),
    Column("cell", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("mime", String(100), nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    ForeignKeyConstraint(["run_id", "cell"], ["cells.run_id", "cells.index"], ondelete="CASCADE"),
    Index("artifacts_by_cell", "run_id", "cell"),
)
"""What a cell made besides text, such as an image or a sound, and what was attached to its prompt."""

DRAFTS = Table(
    "drafts",
    METADATA,
    Column("owner", String(200), primary_key=True),
    Column("page", String(40), primary_key=True),
    Column("changed", Float, nullable=False),
    Column("experiment", Text, nullable=False),
)
"""What an owner last typed on a page, before it is run."""


def _to_2(connection: Connection) -> None:
    """Version 2 deletes softly, knows batches, keeps artifacts and drafts, and finds the latest runs quickly."""
    connection.execute(text("ALTER TABLE runs ADD COLUMN deleted FLOAT"))
    connection.execute(text("ALTER TABLE cells ADD COLUMN batch_size INTEGER NOT NULL DEFAULT 1"))
    METADATA.create_all(connection, tables=[ARTIFACTS, DRAFTS])
    connection.execute(text("CREATE INDEX runs_by_time ON runs (created)"))


def _to_3(connection: Connection) -> None:
    """Version 3 says provenance where it said recipe, and knows a cell's combination of parameter values."""
    connection.execute(text("ALTER TABLE cells RENAME COLUMN recipe TO provenance"))
    connection.execute(text("ALTER TABLE cells ADD COLUMN setting INTEGER NOT NULL DEFAULT 0"))


MIGRATIONS: dict[int, Callable[[Connection], None]] = {2: _to_2, 3: _to_3}
"""How to reach each version from the one before."""
