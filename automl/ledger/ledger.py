"""Reading and writing a search's ledger. Each method that writes is one transaction; nothing else in the project commits."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from automl.errors import Stopped, StorageError
from automl.ledger import schema
from automl.ledger.attempt import Attempt
from automl.ledger.header import Header
from automl.ledger.stored import Stored, header_document, stored_outcome
from automl.ledger.troubles import storage_error
from automl.messages import Kind, Outcome, to_json

VIEWS = ("mlflow", "optuna")
"""Each has its own outbox rows, so that one being away does not hold up the other."""


class Ledger:
    """The one store that decides. Open it only while holding the search's lock; to look at it there is `open_to_read`."""

    def __init__(self, engine: Engine, place: str, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._place = place
        self._clock = clock
        self._connection: Connection | None = None

    @classmethod
    def open(
        cls, path: Path, *, clock: Callable[[], float] = time.time, connect_args: dict[str, Any] | None = None
    ) -> Ledger:
        """Open the SQLite ledger at `path`, creating its tables where the file is new or empty.

        A file that is not a sound ledger is refused and left as it is.
        """
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            connect_args={"timeout": 30.0, **(connect_args or {})},
            poolclass=sa.pool.StaticPool,
            json_serializer=to_json,
        )
        sa.event.listen(engine, "connect", _set_pragmas)
        ledger = cls(engine, str(path), clock)
        has_tables = ledger.has_tables()
        with ledger._transaction() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # readers never wait for the writer
        if not has_tables:
            os.chmod(path, 0o600)
            with ledger._transaction() as connection:
                schema.metadata.create_all(connection)
        return ledger

    def close(self) -> None:
        """Close the connection; nothing is pending, since every method commits."""
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    # -- the search itself

    def header(self) -> Header | None:
        """Return what the search is, or None before it has begun."""
        with self._transaction() as connection:
            is_made = sa.inspect(connection).has_table(schema.search.name)
            row = connection.execute(sa.select(schema.search)).first() if is_made else None
        if row is None:
            return None
        if row.format > schema.FORMAT:
            raise StorageError(
                f"{self._place} has format {row.format}, this version reads up to {schema.FORMAT}. Upgrade."
            )
        values = row._asdict()
        for key in ("task", "config", "spaces", "data", "code"):
            values[key] = header_document(values[key], key, self._place)
        return Header(**{key: values[key] for key in Header.__slots__})

    def begin(self, header: Header) -> None:
        """Store what the search is, and announce it to the views."""
        row = {key: getattr(header, key) for key in Header.__slots__}
        with self._transaction() as connection:
            connection.execute(sa.insert(schema.search).values(id=1, format=schema.FORMAT, **row))
            _announce(connection, "search", None)

    def reconfigure(self, config: dict[str, Any]) -> None:
        """Store the settings of a resumed search (a raised budget). An earlier result stands until there is another."""
        with self._transaction() as connection:
            connection.execute(sa.update(schema.search).values(config=config))

    def finish(self, result: dict[str, Any]) -> None:
        """Store the JSON document of the finished search, and announce its end and what it exported to the views.

        What an earlier end announced is taken back: a message is made from the result when it is sent, and would tell of this one.
        """
        with self._transaction() as connection:
            connection.execute(sa.update(schema.search).values(result=result))
            connection.execute(sa.delete(schema.outbox).where(schema.outbox.c.topic.in_(("end", "export"))))
            _announce(connection, "end", None)
            _announce(connection, "export", None, ("mlflow",))

    def amend(self, result: dict[str, Any]) -> None:
        """Replace the stored document without announcing it: what is known only after the views are in step."""
        with self._transaction() as connection:
            connection.execute(sa.update(schema.search).values(result=result))

    # -- attempts

    def open_attempt(self, attempt: Attempt) -> Attempt:
        """Commit an attempt before its assignment leaves; returns it with its row id."""
        row = {key: getattr(attempt, key) for key in Attempt.__slots__ if key not in ("id", "outcome")}
        row["opened_ms"] = self._now_ms()
        with self._transaction() as connection:
            result = connection.execute(sa.insert(schema.attempt), row)
            assert result.inserted_primary_key is not None
            return replace(attempt, id=result.inserted_primary_key[0], opened_ms=row["opened_ms"])

    def close_attempt(
        self, attempt: Attempt, outcome: Outcome, *, spent: bool = False, marks: dict[str, Any] | None = None
    ) -> Attempt:
        """Commit how an attempt ended, with its outbox rows where that makes a slot final.

        Complete is final. So are pruned and failed, and lost where it was the last attempt (`spent`), but only where the search
        can go on without a value: a refit, score or export that failed is tried anew when the search is resumed.
        """
        without_value = outcome.state in ("pruned", "failed") or spent
        final = outcome.state == "complete" or (without_value and attempt.kind in ("trial", "confirm"))
        closed = replace(
            attempt,
            state=outcome.state,
            final=final,
            reason=outcome.reason,
            value=outcome.value,
            outcome=outcome,
            marks=marks or {},
            closed_ms=self._now_ms(),
        )
        with self._transaction() as connection:
            done = connection.execute(
                _CLOSE,
                {
                    "row": attempt.id,
                    "state": closed.state,
                    "final": final,
                    "reason": closed.reason,
                    "value": closed.value,
                    "outcome": outcome,
                    "marks": closed.marks,
                    "closed_ms": closed.closed_ms,
                },
            )
            if done.rowcount != 1:
                raise StorageError(
                    f"{self._place}: attempt {attempt.key} is not open any more: something else wrote to the ledger."
                )
            if final and attempt.kind == "trial":
                _announce(connection, "slot", attempt.id)
        return closed

    def attempts(
        self, *, kind: Kind | None = None, final: bool | None = None, state: str | None = None
    ) -> list[Attempt]:
        """Return attempts in the order they were opened."""
        query = sa.select(schema.attempt).order_by(schema.attempt.c.id)
        for column, wanted in (("kind", kind), ("final", final), ("state", state)):
            if wanted is not None:
                query = query.where(schema.attempt.c[column] == wanted)
        with self._transaction() as connection:
            return [self._attempt_from(row) for row in connection.execute(query)]

    def last_closed_ms(self) -> int:
        """Return when the last attempt of all ended; 0 where none has."""
        with self._transaction() as connection:
            return connection.execute(sa.select(sa.func.max(schema.attempt.c.closed_ms))).scalar() or 0

    # -- the outbox

    def unsent(self, view: str, *, after: int = 0, limit: int = 200) -> list[tuple[int, str, Attempt | None]]:
        """Return (row id, topic, attempt) of messages that `view` has not acknowledged, oldest first."""
        box, table = schema.outbox, schema.attempt
        query = (
            sa.select(box.c.id.label("message"), box.c.topic, *table.c)
            .select_from(box.outerjoin(table, box.c.attempt_id == table.c.id))
            .where(box.c.view == view, ~box.c.sent, box.c.id > after)
            .order_by(box.c.id)
            .limit(limit)
        )
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [(row.message, row.topic, self._attempt_from(row) if row.id is not None else None) for row in rows]

    def count_unsent(self, view: str, topic: str | None = None) -> int:
        """Return how many messages (of one topic) `view` has not acknowledged."""
        query = sa.select(sa.func.count()).where(schema.outbox.c.view == view, ~schema.outbox.c.sent)
        if topic is not None:
            query = query.where(schema.outbox.c.topic == topic)
        with self._transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def mark_sent(self, ids: Sequence[int]) -> None:
        """Record that a view has these messages; one transaction for all of them."""
        if ids:
            with self._transaction() as connection:
                connection.execute(_MARK_SENT, [{"message": message} for message in ids])

    # -- below the surface

    def _attempt_from(self, row: Row[Any]) -> Attempt:
        values = {key: getattr(row, key) for key in Attempt.__slots__}
        for key in ("params", "suggestion", "marks"):
            values[key] = self._object_from(values[key], key, row.id)
        try:
            return Attempt(**{**values, "outcome": None if row.outcome is None else stored_outcome(row.outcome)})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StorageError(
                f"{self._place} is damaged (the outcome of attempt {row.id} does not read: {error!r}). It was left as it is."
            ) from error

    def _object_from(self, value: Any, name: str, row: int) -> Stored:
        if not isinstance(value, dict):
            raise StorageError(
                f"{self._place} is damaged (the {name} of attempt {row} is no object). It was left as it is."
            )
        return Stored(value, f"{name} of attempt {row}", self._place)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def has_tables(self) -> bool:
        """Whether a sound ledger is there; False for an empty file. Anything else is refused before it is changed."""
        with self._transaction() as connection:
            verdict = connection.exec_driver_sql("PRAGMA quick_check").scalar()
            if verdict != "ok":
                raise StorageError(f"{self._place} is damaged: {verdict}. Restore a copy; it was left as it is.")
            tables = set(sa.inspect(connection).get_table_names())
        missing = set(schema.metadata.tables) - tables
        if tables and missing:
            raise StorageError(
                f"{self._place} is not a search ledger (no table {', '.join(sorted(missing))}). It was left as it is."
            )
        return bool(tables)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._connection.begin():
                yield self._connection
        except sa.exc.IntegrityError:
            raise
        except json.JSONDecodeError as error:
            raise StorageError(
                f"{self._place} is damaged (a row does not read: {error}). It was left as it is."
            ) from error
        except (sa.exc.StatementError, OSError) as error:
            if isinstance(stopped := getattr(error, "orig", None), Stopped):
                raise stopped from None  # a signal that fell into SQLAlchemy
            raise storage_error(self._place, error) from error


_CLOSE = (
    sa.update(schema.attempt)
    .where(schema.attempt.c.id == sa.bindparam("row"), schema.attempt.c.state == "open")
    .values(
        {name: sa.bindparam(name) for name in ("state", "final", "reason", "value", "outcome", "marks", "closed_ms")}
    )
)

_MARK_SENT = sa.update(schema.outbox).where(schema.outbox.c.id == sa.bindparam("message")).values(sent=True)


def _announce(connection: Connection, topic: str, attempt_id: int | None, views: Sequence[str] = VIEWS) -> None:
    rows = [{"view": view, "topic": topic, "attempt_id": attempt_id, "sent": False} for view in views]
    connection.execute(sa.insert(schema.outbox), rows)


def _set_pragmas(connection: Any, _: Any) -> None:
    """FULL: what is committed survives a power cut."""
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
