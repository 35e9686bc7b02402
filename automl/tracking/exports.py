"""What a finished search exported, brought into MLflow: its report as an artifact, its bundle as a registered version.

And the question that comes before: which version is the champion now, with its bundle at hand for the scoring worker.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from automl.errors import AutoMLError, StorageError
from automl.tracking import registry
from automl.tracking.mlflow_store import patient_uploads
from automl.tracking.registering import Entry, register
from automl.tracking.view import Record, Refused, Unreachable

EXPORTS = Path("exports")


def champion(client: Any, name: str, record: Record) -> dict[str, Any]:
    """Return `version` (None where nobody bears the alias), `folder` (of its bundle, below `into`) and `trouble`, one line."""
    found = registry.champion(client, name)
    if found is None:
        return {"version": None, "folder": None, "trouble": ""}
    into = Path(record["into"])
    try:
        folder = registry.fetch(client, found, EXPORTS, into)
    except AutoMLError as error:
        return {"version": found.number, "folder": None, "trouble": str(error)}
    if folder.parent != into:  # a later export may remove it from where it lies
        shutil.copytree(folder, into / folder.name, dirs_exist_ok=True)
    return {"version": found.number, "folder": folder.name, "trouble": ""}


def export(
    client: Any, name: str, record: Record, *, experiment: str, run: str, check: Callable[[str, str], None]
) -> dict[str, Any]:
    """Log the report and register the bundle; returns what the search's document says of it. Raises Refused.

    `check` is asked before files are written: with what they belong to, and where that keeps them.
    """
    report = Path(record["report"] or "")
    if report.is_file():
        check(f"MLflow run {run}", client.get_run(run).info.artifact_uri)
        with patient_uploads():
            client.log_artifact(run, str(report), "report")
    entry = _entry(name, record)
    try:
        version = register(client, entry, experiment=experiment, run=run, check=check)
    except Unreachable:
        raise
    except StorageError as error:
        raise Refused(f"{entry.bundle} is not registered: {error}") from error
    return {"name": name, "version": version.number, "champion": version.champion}


def _entry(name: str, record: Record) -> Entry:
    try:
        return Entry(
            name,
            Path(record["bundle"]),
            record["digest"],
            record["tags"],
            record["metrics"],
            record["ended_ms"],
            record["champion_was"],
            record["moves"],
        )
    except (KeyError, TypeError) as error:
        raise Refused(f"record {record['id']} cannot be registered in MLflow: {error!r}") from error
