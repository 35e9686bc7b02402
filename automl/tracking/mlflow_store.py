"""MLflow's store as we use it: connect, find runs by our key, compare them with the ledger. Knows no records.

Each run is found again by its tag `automl.trial_key`, since a client cannot choose a run's id.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import chdir, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automl.data.durable import new_folder_beside
from automl.tracking.runs import KEY
from automl.tracking.uri import database_path, obstacle

ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # MLflow would repeat a creation whose answer was lost
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",  # it tells of each table it makes and each version it waits for
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # printing it costs a request per run
    "OMP_NUM_THREADS": "1",
}
_PATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "6", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0"}
_REFUSALS = {
    "BAD_REQUEST",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "MALFORMED_REQUEST",
    "NOT_FOUND",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
}
"""Error codes that judge the request; with all others it may succeed later."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How MLflow compares with the ledger."""

    synced: int
    """Keys with one ended run."""
    missing: tuple[str, ...]
    """Keys without one: their records must be sent again."""
    extra: int
    """Runs under our keys that should not be there: duplicates (deleted) and unknown keys."""


def connect(uri: str) -> Any:
    """Return a client; a SQLite file that is not there is made. Raises ConnectionError where nothing can answer."""
    reason = obstacle(uri)
    if reason:
        raise ConnectionError(reason)
    os.environ.update(ENVIRONMENT)
    from mlflow import MlflowClient, set_tracking_uri

    set_tracking_uri(uri)  # MLflow's own registry looks a logged model up through a client of its own making
    path = database_path(uri)
    if path is not None and not path.exists():
        _create_store(uri, path)
    return MlflowClient(tracking_uri=uri)


def _create_store(uri: str, path: Path) -> None:
    """Let MLflow fill a new SQLite file in a folder beside, and move it into place whole.

    A kill between two of its migrations, which take seconds, would leave a file that it never opens again.
    """
    folder = new_folder_beside(path)
    try:
        address, question, options = uri.partition("?")
        parent, slash, name = address.rpartition("/")
        place = f"{parent}{slash}{folder.name}/{name}{question}{options}"
        with closing(sqlite3.connect(folder / path.name)) as database:
            # Half the commit's cost, and `mlflow ui` reads while we write.
            database.execute("PRAGMA journal_mode=WAL")
            _fill(place, database)
        with suppress(FileExistsError):  # somebody else was quicker
            os.link(folder / path.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(uri: str, database: sqlite3.Connection) -> None:
    """Run MLflow's migrations, also in a working folder whose name it cannot put into its own SQL.

    It writes the place of its default experiment with `repr`, which escapes where a name has both kinds of quotes.
    """
    from mlflow import MlflowClient

    here = Path.cwd()
    if not {"'", '"'} <= set(str(here)) or not uri.startswith("sqlite:////"):
        close(MlflowClient(tracking_uri=uri))
        return
    with TemporaryDirectory() as plain, chdir(plain):
        close(MlflowClient(tracking_uri=uri))
    with database:
        place = str(here / "mlruns" / "0")
        database.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = 0", (place,))


@contextmanager
def patient_uploads() -> Iterator[None]:
    """Let MLflow itself repeat requests in the block: a file sent twice is the same file, and many must arrive in a row."""
    before = {name: os.environ.get(name) for name in _PATIENT}
    os.environ.update(_PATIENT)
    try:
        yield
    finally:
        os.environ.update({name: value for name, value in before.items() if value is not None})
        for name in (name for name, value in before.items() if value is None):
            del os.environ[name]


def close(client: Any) -> None:
    """Close the databases behind a client, so that no write-ahead log stays beside them; MLflow has no public way to."""
    tracking = getattr(client, "_tracking_client", None)
    registry = getattr(client, "_registry_client_lazy", None)
    for part in (tracking, registry):
        engine: Any = getattr(getattr(part, "store", None), "engine", None)
        if engine is not None:
            engine.dispose()


def experiments(client: Any) -> Iterator[list[str]]:
    """Return the ids of all active experiments, a page at a time."""
    found = pages(client.search_experiments, _PAGE)
    return ([experiment.experiment_id for experiment in page] for page in found if page)


def find_runs(client: Any, ids: list[str], key_is: str) -> Iterator[Any]:
    """Return the runs in these experiments whose key fits a condition: `= 'uuid/0'`, `LIKE 'uuid%'`."""
    found = pages(client.search_runs, _PAGE, experiment_ids=ids, filter_string=f"tags.`{KEY}` {key_is}")
    return chain.from_iterable(found)


def pages(search: Any, size: int, **what: Any) -> Iterator[Any]:
    """Yield what one of a client's searches finds, page by page, each of at most `size`."""
    token = None
    while True:
        page = search(**what, max_results=size, page_token=token)
        yield page
        token = page.token
        if not token:
            return


def by_key(runs: Iterable[Any]) -> dict[str, list[Any]]:
    """Group runs by their key."""
    found: dict[str, list[Any]] = defaultdict(list)
    for run in runs:
        found[run.data.tags[KEY]].append(run)
    return found


def keep_one(client: Any, runs: list[Any]) -> Any:
    """Delete all but one run of a key: the ended one, then the one with the smallest id, whoever applies the rule."""
    kept, *rest = sorted(runs, key=lambda run: (run.info.status == "RUNNING", run.info.run_id))
    for run in rest:
        client.delete_run(run.info.run_id)
    return kept


def reconcile(client: Any, experiment: str, uuid: str, final: Iterable[str]) -> Reconciled:
    """Compare a search's runs with the keys that are final in the ledger; end what looks alive and is not.

    Duplicates are deleted. A run that is RUNNING is half told: it counts as missing where its key is final, and sending it
    again ends it; ending it here would make it look told, should the sending be cut off. Any other becomes KILLED: nobody
    works on it. Call it when no carrier works on this search.
    """
    runs = by_key(find_runs(client, [experiment], f"LIKE '{uuid}%'"))
    expected = set(final)
    synced, extra = set(), 0
    for key, same in runs.items():
        kept = keep_one(client, same)
        extra += len(same) - 1 + (key not in expected and key != uuid)
        is_running = kept.info.status == "RUNNING"
        if is_running and key not in expected:
            client.set_terminated(kept.info.run_id, "KILLED")
        elif not is_running and key in expected:
            synced.add(key)
    return Reconciled(len(synced), tuple(sorted(expected - synced)), extra)


def is_refusal(error: Exception) -> bool:
    """True where MLflow judged the request: to repeat it unchanged is of no use."""
    return getattr(error, "error_code", None) in _REFUSALS
