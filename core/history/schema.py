"""The history's tables. Knows nothing of what a row means, nor of older versions (see `migrations`)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
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

VERSION = 5
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
    Column("server", String(64)),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Column("folded_title", Text, nullable=False, server_default=""),
    Column("looks", Text, nullable=False, server_default="[]"),
    Column("aa_test", Boolean, nullable=False, server_default=text("false")),
    Index("runs_by_owner", "owner", "created"),
    Index("runs_by_time", "created"),
)
"""`created` and `deleted` are seconds since 1970, UTC; `experiment` and `models` are JSON; `prompts` and
`folded_title` are what search reads, folded (see `search`). `server` is the id of the server that runs it or ran it
last; `bytes` are those of the run, its cells and its artifacts, about; `looks` is JSON, the answers per column at
each end of the run or of an extension of it."""

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
    Column("ungraded", Boolean, nullable=False, server_default=text("false")),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Column("folded", Text),
)
"""`finish` is set where there is an output; `passed` where it was graded and something counts,
and false where it failed by an error of its column's own; `ungraded` from when it
is finished until its checks were applied; `provenance` and `logprobs` are JSON; `folded` is what search reads in place
of `text` where that is not ASCII."""

UNGRADED = Index(
    "cells_ungraded",
    CELLS.c.run_id,
    sqlite_where=CELLS.c.ungraded.is_(True),
    postgresql_where=CELLS.c.ungraded.is_(True),
)

SERVERS = Table(
    "servers",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("seen", Float, nullable=False),
)
"""The servers that share this history; `seen` is when each last said that it is alive, in seconds since 1970."""

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
