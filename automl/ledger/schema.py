"""The tables of a ledger, a SQLite file. Changing them means a new FORMAT."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

FORMAT = 1
"""Version of these tables. A ledger with a newer one is refused; there is no older one yet, so nothing migrates."""

metadata = MetaData()

search = Table(
    "search",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("format", Integer, nullable=False),
    Column("uuid", String(32), nullable=False),
    Column("name", String(100), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("task", JSON, nullable=False),
    Column("config", JSON, nullable=False),
    Column("spaces", JSON, nullable=False),
    Column("data", JSON, nullable=False),
    Column("code", JSON, nullable=False),
    Column("result", JSON(none_as_null=True)),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("family", String(100), nullable=False),
    Column("params", JSON, nullable=False),
    Column("suggestion", JSON, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("final", Boolean, nullable=False),
    Column("reason", String, nullable=False),
    Column("value", Float),
    Column("outcome", JSON(none_as_null=True)),
    Column("marks", JSON, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    UniqueConstraint("kind", "slot", "part", "attempt"),
    # The database itself refuses a second final attempt and a second open one.
    Index("one_final", "kind", "slot", "part", unique=True, sqlite_where=text("final")),
    Index(
        "one_open",
        "kind",
        "slot",
        "part",
        unique=True,
        sqlite_where=text("state = 'open'"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("view", String(16), nullable=False),
    Column("topic", String(16), nullable=False),
    Column("attempt_id", Integer, ForeignKey("attempt.id")),
    Column("sent", Boolean, nullable=False),
    UniqueConstraint("view", "topic", "attempt_id"),
    Index("unsent", "view", "id", sqlite_where=text("NOT sent")),
)
