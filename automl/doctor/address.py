"""Whether MLflow answers where searches would record, within a few seconds and without showing a password."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from automl.doctor.finding import Finding
from automl.tracking.uri import database_path, obstacle, redact, tracking_uri

_PATIENCE = 3.0
_START = "Start it, or correct MLFLOW_TRACKING_URI. Searches go on without it; automl searches sync NAME catches up."


def mlflow_finding(environ: Mapping[str, str], here: Path, *, patience: float = _PATIENCE) -> Finding:
    """Say whether MLflow can take runs; never waits longer than `patience` seconds."""
    uri = tracking_uri(environ, here)
    shown = redact(uri, uri)
    path = database_path(uri)
    if path is not None and not path.exists() and path.parent.is_dir():
        return Finding("tracking", "mlflow", "ok", f"{shown}: not made yet, the first search makes it")
    trouble = _within(lambda: _trouble(uri, path, patience), patience)
    if trouble is None:
        return Finding("tracking", "mlflow", "ok", f"{shown}: answers")
    if "is locked" in trouble:
        return Finding("tracking", "mlflow", "note", f"{shown}: something writes to it", "Look again in a moment.")
    hint = _START
    if path is not None and path.exists():
        hint = (
            "It was left as it is. Move it aside, then: automl searches sync NAME (registered models are in it alone)."
        )
    return Finding("tracking", "mlflow", "problem", f"{shown}: {redact(trouble, uri)}", hint)


def _within(look: Callable[[], str | None], patience: float) -> str | None:
    """Return what `look` returns, or that nothing came in time: a name that nobody resolves blocks without a time limit."""
    said: list[str | None] = []
    thread = threading.Thread(target=lambda: said.append(look()), daemon=True)
    thread.start()
    thread.join(patience)
    return said[0] if said else f"no answer within {patience:g} s"


def _trouble(uri: str, path: Path | None, patience: float) -> str | None:
    try:
        return obstacle(uri, timeout=patience) or (_refused(uri, patience) if path is None else _unsound(path))
    except Exception as error:  # an address can be wrong in more ways than there are to foresee
        return str(error) or type(error).__name__


def _unsound(path: Path) -> str | None:
    """Say what is wrong with MLflow's file; a large one is not read to its end within the patience, and passes."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as database:
        if not database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'experiments'").fetchone()[0]:
            return "not a file of MLflow's"
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    return None if verdict == "ok" else f"damaged ({' '.join(verdict.split())})"


def _refused(uri: str, patience: float) -> str | None:
    """Ask an HTTP server for its version; another address has answered by taking the connection."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return None
    host = parts.netloc.rpartition("@")[2]
    address = f"{parts.scheme}://{host}{parts.path.rstrip('/')}/version"
    try:
        with urlopen(Request(address, headers={"User-Agent": "automl-doctor"}), timeout=patience) as answer:
            said = answer.read(100).decode(errors="replace").strip()
    except HTTPError as error:
        # Somebody guards the door: whether our key fits is for MLflow's client to find out.
        return None if error.code in (401, 403) else f"answers HTTP {error.code}, is not MLflow"
    return None if re.fullmatch(r"\d+\.\d+\S*", said) else "something answers there that is not MLflow"
