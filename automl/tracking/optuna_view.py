"""Optuna's own file as a view of the ledger, for `optuna trials` and optuna-dashboard. No study of it steers anything.

One study per family, named `<search>-<family>`; one finished trial per final slot, known again by its attribute `slot`.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from automl.tracking.view import Record, Refused, Unreachable

if TYPE_CHECKING:
    import optuna


class OptunaView:
    """The search's studies in one SQLite file. Settings: `path` of the file and `search`."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._path = Path(settings["path"])
        self._search: str = settings["search"]
        self._storage: optuna.storages.RDBStorage | None = None
        self._studies: dict[str, optuna.Study] = {}
        self._present: dict[str, set[int]] = {}

    def open(self) -> None:
        """Open or create the file; raises Unreachable, and leaves a file alone that is not Optuna's, or of another version of it."""
        try:
            if self._path.exists() and self._path.stat().st_size:
                _require_readable(self._path)
            # The write-ahead log is a property of the file, and Optuna gives no way to ask for it.
            with closing(sqlite3.connect(self._path)) as database:
                database.execute("PRAGMA journal_mode=WAL")
            self._storage = _open_storage(self._path)
        except Exception as error:
            raise self._unreachable(error) from error

    def send(self, record: Record) -> None:
        """Add a final slot as a finished trial; other topics have no place here. Raises Unreachable or Refused."""
        if record["topic"] != "slot":
            return
        try:
            trial = _trial(record)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"slot {record.get('slot')} cannot be shown in Optuna: {error!r}") from error
        try:
            study = self._study(record["family"], record["direction"])
            present = self._present[record["family"]]
            if record["slot"] not in present:
                study.add_trial(trial)
                present.add(record["slot"])
        except Exception as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Close the file, so that no write-ahead log stays beside it."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _study(self, family: str, direction: Literal["minimize", "maximize"]) -> optuna.Study:
        import optuna

        if family not in self._studies:
            name = f"{self._search}-{family}"
            study = optuna.create_study(
                storage=self._storage, study_name=name, direction=direction, load_if_exists=True
            )
            known = (trial.user_attrs.get("slot") for trial in study.get_trials(deepcopy=False))
            self._present[family] = {
                slot for slot in known if isinstance(slot, int)
            }  # others may add trials of their own
            self._studies[family] = study
        return self._studies[family]

    def _unreachable(self, error: Exception) -> Unreachable:
        line = str(error).strip().partition("\n")[0] or type(error).__name__
        return Unreachable(f"Optuna's copy {self._path} cannot be written, the ledger goes on without it: {line}")


def _require_readable(path: Path) -> None:
    """Raise what Optuna says of the file, asked about a copy: it adds tables to a file before it looks at its version."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        with (
            closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as ours,
            closing(sqlite3.connect(copy)) as other,
        ):
            ours.backup(other)
        storage = _open_storage(copy)
        storage.remove_session()
        storage.engine.dispose()


def _open_storage(path: Path) -> optuna.storages.RDBStorage:
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = sqlalchemy.URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)
    return optuna.storages.RDBStorage(url)


def _trial(record: Record) -> optuna.trial.FrozenTrial:
    from optuna.distributions import json_to_distribution
    from optuna.trial import TrialState, create_trial

    state = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}[record["state"]]
    names = ("slot", "attempt", "seed", "reason")
    trial = create_trial(
        state=state,
        value=None if state == TrialState.FAIL else record["value"],
        params=record["params"],
        distributions={name: json_to_distribution(json.dumps(d)) for name, d in record["distributions"].items()},
        user_attrs={name: record[name] for name in names if record[name] != ""},
        intermediate_values={int(step): float(value) for step, value in record["intermediate"]},
    )
    trial.datetime_start = datetime.fromtimestamp(record["started_ms"] / 1000)
    trial.datetime_complete = datetime.fromtimestamp(record["ended_ms"] / 1000)
    return trial
