"""Each search's files: its lock, its ledger and Optuna's copy of it. Reads only; a file that is damaged stays as it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from automl.doctor.finding import Finding
from automl.errors import ConfigError
from automl.ledger import Home, SearchFolder, how_to_begin, schema
from automl.ledger.reading import address_to_read, connect_to_read, holder

_RESTORE = "Restore a copy of it"


@dataclass(frozen=True, slots=True)
class Soundness:
    """What a ledger says when it can be read."""

    finals: int
    """Trial slots with a final attempt."""
    unsent: int
    """Messages that MLflow has not acknowledged."""
    is_tracked: bool
    is_finished: bool


class Damaged(Exception):
    """A file cannot be relied on; the text says why, `hint` what to do."""

    def __init__(self, text: str, *, hint: str = _RESTORE) -> None:
        super().__init__(text)
        self.hint = hint


def search_findings(home: Home) -> Iterator[Finding]:
    """Yield findings for each folder under `searches`, by name."""
    folders = sorted(path for path in (home.root / "searches").glob("*") if path.is_dir())
    if not folders:
        yield Finding("searches", "searches", "ok", "none yet. Begin with: automl search digits")
    for path in folders:
        try:
            yield from _findings_of(home.search(path.name))
        except ConfigError as error:
            yield Finding("searches", path.name, "note", f"not a search: {error}")


def _findings_of(folder: SearchFolder) -> Iterator[Finding]:
    name, who = folder.name, holder(folder)
    held = f", held by {who}" if who else ""
    try:
        ledger = read_ledger(folder, is_held=bool(who))
    except Damaged as damage:
        if who:  # it may just be being made
            yield Finding("searches", f"{name} ledger", "note", f"{damage}{held}", "Look again when it has ended.")
        else:
            yield Finding("searches", f"{name} ledger", "problem", str(damage), f"{damage.hint}: {folder.ledger}")
            yield optuna_finding(folder, None)
        return
    if ledger is None:
        found, hint = f"sound, never begun{held}", "" if who else how_to_begin(name)
        yield Finding("searches", f"{name} ledger", "note" if hint else "ok", found, hint)
        return
    done = f"format {schema.FORMAT}, {ledger.finals} slots final{held}"
    if ledger.is_finished or who:
        yield Finding("searches", f"{name} ledger", "ok", f"sound, {done}")
    else:
        go_on = f"Go on: automl searches resume {name}"
        yield Finding("searches", f"{name} ledger", "note", f"sound, unfinished, {done}", go_on)
    yield optuna_finding(folder, ledger.finals, is_held=bool(who))
    if ledger.is_tracked and ledger.unsent and not who:
        behind = f"{ledger.unsent} message{'s' * (ledger.unsent != 1)} not yet in MLflow"
        catch_up = f"Send them: automl searches sync {name}"
        yield Finding("searches", f"{name} mlflow", "note", behind, catch_up)


def read_ledger(folder: SearchFolder, *, is_held: bool = False) -> Soundness | None:
    """Check a ledger to its last page and read what it says; None where the search was never begun. Raises Damaged."""
    if not folder.ledger.is_file():
        raise Damaged("not there", hint="Restore a copy of it, or delete its folder")
    if folder.ledger.stat().st_size == 0 and not is_held:
        raise Damaged("empty")
    try:
        with closing(connect_to_read(folder.ledger, is_held=is_held)) as database:
            _require_sound(database)
            _require_tables(database)
            _require_json(database)
            return _read(database)
    except (sqlite3.Error, ValueError) as error:
        raise Damaged(f"damaged ({error})") from error


def _require_sound(database: sqlite3.Connection) -> None:
    (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise Damaged(f"damaged ({' '.join(verdict.split())})")
    dangling = database.execute("PRAGMA foreign_key_check").fetchone()
    if dangling:
        raise Damaged(f"damaged (row {dangling[1]} of table {dangling[0]} refers to nothing)")


def _require_tables(database: sqlite3.Connection) -> None:
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    missing = sorted(set(schema.metadata.tables) - there)
    if missing:
        raise Damaged(f"not a search ledger (no table {', '.join(missing)})")


def _require_json(database: sqlite3.Connection) -> None:
    """SQLite keeps no checksum of what a row says: a flipped byte shows only where a document does not read any more."""
    for table in schema.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, schema.JSON):
                query = f"SELECT id FROM {table.name} WHERE {column.name} IS NOT NULL AND NOT json_valid({column.name})"
                if row := database.execute(query).fetchone():
                    raise Damaged(f"damaged (row {row[0]} of table {table.name} has no readable '{column.name}')")


def _read(database: sqlite3.Connection) -> Soundness | None:
    header = database.execute("SELECT format, config, result IS NOT NULL FROM search").fetchone()
    if header is None:
        return None
    number, config, finished = header
    if number != schema.FORMAT:
        raise Damaged(f"of format {number}, this version reads {schema.FORMAT}", hint="Use the version that wrote it")

    def count(query: str) -> int:
        return int(database.execute(f"SELECT count(*) FROM {query}").fetchone()[0])

    return Soundness(
        finals=count("attempt WHERE final AND kind = 'trial'"),
        unsent=count("outbox WHERE view = 'mlflow' AND NOT sent"),
        is_tracked=bool(json.loads(config).get("tracking", True)),
        is_finished=bool(finished),
    )


def optuna_finding(folder: SearchFolder, finals: int | None, *, is_held: bool = False) -> Finding:
    """Say whether Optuna's tools can open the copy, and whether it has all final slots (None: their ledger cannot be read)."""
    name = f"{folder.name} optuna"
    rebuild = "Rebuild it: automl doctor --repair"
    try:
        trials = read_optuna(folder.optuna, is_held=is_held)
    except Damaged as damage:
        hint = f"Restore the ledger, then: {rebuild.partition(': ')[2]}" if finals is None else rebuild
        return Finding("searches", name, "problem", str(damage), hint)
    of = "" if finals is None else f" of {finals}"
    if is_held or trials == finals or finals is None:
        found = "not made yet" if trials is None else f"opens, {trials}{of} slots"
        return Finding("searches", name, "ok", found)
    if trials is None:
        return Finding("searches", name, "note" if finals else "ok", "not made yet", rebuild if finals else "")
    catch_up = f"Bring it into step: automl searches sync {folder.name}"
    return Finding("searches", name, "note", f"opens, {trials}{of} slots", catch_up)


def read_optuna(path: Path, *, is_held: bool = False) -> int | None:
    """Return how many slots of the search Optuna itself reads in its copy, or None where none was begun. Raises Damaged."""
    if not path.exists():
        return None
    try:
        with closing(connect_to_read(path, is_held=is_held)) as database:
            has_tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not has_tables and (is_held or path.stat().st_size):
                return None  # it is just being made, or its maker was stopped before it had begun
            _require_sound(database)
    except sqlite3.Error as error:
        raise Damaged(f"damaged ({error})") from error
    return _read_with_optuna(path, is_held=is_held)


def _read_with_optuna(path: Path, *, is_held: bool) -> int:
    """Count by the attribute that we give to a trial: others may add trials and studies of their own."""
    import optuna

    try:
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{address_to_read(path, is_held=is_held)}&uri=true", skip_table_creation=True
        )
        try:
            studies = storage.get_all_studies()
            trials = (trial for study in studies for trial in storage.get_all_trials(study._study_id, deepcopy=False))
            return len({slot for trial in trials if isinstance(slot := trial.user_attrs.get("slot"), int)})
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except Exception as error:  # what a file of another program makes Optuna raise is not listed anywhere
        line = str(error).strip().partition("\n")[0] or type(error).__name__
        raise Damaged(f"Optuna cannot read it ({line})") from error
