"""What a carrier needs from a view of the ledger, and the two ways in which a record can stay out of it. Not the views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from automl.errors import StorageError

Record = dict[str, Any]
"""One outbox row, plain JSON: `id` and `topic`, and by topic

- `search`: started_ms, params, tags, dataset {name, source, digest, rows, features}
- `slot`: slot, attempt, family, state (complete, pruned, failed), lost, params, seed, value, values,
  curve [[step, {name: value}, ms]], started_ms, ended_ms, reason, seconds, git_commit, data_hash; for Optuna also
  distributions (name -> Optuna's JSON form), direction, intermediate [[step, value]]
- `end`: status (MLflow's), ended_ms, metrics, tags, note (Markdown)
- `export` (MLflow only): bundle and report (paths), digest, ended_ms, tags, metrics, champion_was (a version or None), moves

and one question, which is no row: id 0, topic `champion`, into (a folder for a bundle that has to be fetched).

All times are milliseconds since 1970 and are stored: a second sending carries the same ones.
"""

Say = Callable[[str], None]
"""Tells the coordinator something that a person should know."""


class Unreachable(StorageError):
    """The other side cannot take anything now: the record is kept and tried again."""


class Misplaced(Unreachable):
    """MLflow would have our files written where they do not belong: until a person mends that, no waiting helps."""


class Refused(StorageError):
    """The other side will never take this record, or the record is broken: it is set aside, and that is said."""


class View(Protocol):
    """A copy of the ledger in another program's store.

    The carrier calls `open` until it succeeds, then `send` once per record; after Unreachable the same record comes
    again. A record may also come again after it was taken: what it writes must not depend on how often that happens.
    `close` comes last, unless the process is killed.
    """

    def open(self) -> None:
        """Connect and read what is already there; raises Unreachable."""

    def send(self, record: Record) -> Any:
        """Bring the store into step with one record; returns what it answers, plain JSON or None. Raises Unreachable or Refused."""

    def close(self) -> None:
        """Let go of the store, also where `open` never succeeded."""
