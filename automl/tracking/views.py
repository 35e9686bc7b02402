"""Starting and ending the carriers of one search: MLflow (unless tracking is off) and Optuna's file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from automl.errors import StorageError
from automl.ledger import Header, Home, Ledger, SearchFolder, open_to_read
from automl.tracking.link import CarrierLink
from automl.tracking.postman import Postman
from automl.tracking.uri import artifact_folder, artifact_location, database_path, tracking_uri


@contextmanager
def open_views(
    ledger: Ledger,
    header: Header,
    folder: SearchFolder,
    *,
    mlflow: bool,
    warn: Callable[[str], None],
    lag: Callable[[str, int], None] = lambda view, pending: None,
) -> Iterator[tuple[Postman, ...]]:
    """Yield a postman per view; their carriers end with the block, and what is unsent stays in the outbox."""
    wanted = {"optuna": {"path": str(folder.optuna), "search": header.name}}
    if mlflow:
        wanted["mlflow"] = mlflow_settings(header)
    database = database_path(wanted["mlflow"]["tracking_uri"]) if mlflow else None
    new = {"mlflow": database is not None and not os.path.exists(database)}
    links = []
    patience = 0.0  # after a signal or an error nobody waits for a view
    try:
        for view, settings in wanted.items():
            link = CarrierLink(view, settings={**settings, "log": str(folder.logs / f"{view}.log")})
            links.append(link)
            link.start()
        yield tuple(
            Postman(ledger, view, link, warn, lag, is_new=new.get(view, False))
            for view, link in zip(wanted, links, strict=True)
        )
        patience = 2.0
    finally:
        for link in links:
            link.close(timeout=patience)


def mlflow_settings(header: Header) -> dict[str, Any]:
    """Return where and under which names a search stands in MLflow."""
    uri, experiment = tracking_uri(os.environ, Path.cwd()), header.task["name"]
    return {
        "tracking_uri": uri,
        "experiment": experiment,
        "artifact_location": artifact_location(uri, Path.cwd(), experiment),
        "artifact_folder": str(artifact_folder(Path.cwd())),
        "search": header.name,
        "task": header.task["name"],
        "uuid": header.uuid,
    }


def mlflow_state(ledger: Ledger, header: Header, *, tracking: bool) -> dict[str, Any] | None:
    """Return how far MLflow has followed the ledger; None with tracking off."""
    if not tracking:
        return None
    final = len(ledger.attempts(kind="trial", final=True))
    synced = final - ledger.count_unsent("mlflow", "slot")
    return {"experiment": header.task["name"], "synced": synced, "pending": ledger.count_unsent("mlflow")}


def unregistered(home: Home, model: str | None = None) -> list[str]:
    """Return the searches whose export MLflow has not been told of: of all models, or of one. A ledger that cannot be read is none."""
    found = []
    for name in home.searches():
        with suppress(StorageError), closing(open_to_read(home.search(name))) as ledger:
            header = ledger.header()
            if header is None or model not in (None, header.task["name"]) or not header.config.get("tracking", True):
                continue
            found += [name] if ledger.count_unsent("mlflow", "export") else []
    return found
