"""Where MLflow is: its address, whether anyone answers there, and how the address is shown. Does not import mlflow."""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

_CREDENTIALS = re.compile(r"://[^/\s'\"]*@")
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_SQLITE = "sqlite:///"


def tracking_uri(environ: Mapping[str, str], cwd: Path) -> str:
    """Return `MLFLOW_TRACKING_URI`, or MLflow's own default for a working folder: its `mlflow.db`."""
    given = environ.get("MLFLOW_TRACKING_URI", "").strip()
    if given:
        return given
    # SQLAlchemy unquotes the path and cuts it at '?'. Only these two are quoted: MLflow makes the folder of the path
    # as it is written, so that quoting more (as `sqlalchemy.URL.create` does) leaves an odd folder beside ours.
    path = str(cwd / "mlflow.db").replace("%", "%25").replace("?", "%3F")
    return f"{_SQLITE}{path}"


def artifact_location(uri: str, cwd: Path, experiment: str) -> str | None:
    """Return the folder for a local store's artifacts as a URI; None where a server decides."""
    return (cwd / "mlruns" / experiment).as_uri() if uri.startswith("sqlite:") else None


def database_path(uri: str) -> Path | None:
    """Return the file behind a SQLite address, or None for any other address and for a database in memory."""
    path = unquote(uri.removeprefix(_SQLITE).partition("?")[0]) if uri.startswith(_SQLITE) else ""
    return Path(path) if path and path != ":memory:" and not path.startswith("file:") else None


def redact(text: str) -> str:
    """Return a text in which every `://user:password@` has lost its name and password."""
    return _CREDENTIALS.sub("://***@", text)


def obstacle(uri: str, *, timeout: float = 2.0) -> str | None:
    """Say within about `timeout` seconds why nothing can be stored at an address, or None.

    MLflow itself waits 10 s for a silent host and 100 s for a file that is not a database.
    """
    try:
        path = database_path(uri)
        if path is not None:
            _try_database(path)
        elif not _is_proxied(uri):
            _try_host(uri, timeout)
    except (OSError, ValueError, sqlite3.DatabaseError) as error:
        return redact(str(error) or type(error).__name__)
    return None


def _try_database(path: Path) -> None:
    if not path.exists():
        if not path.parent.is_dir():
            raise FileNotFoundError(f"folder {path.parent} not found")
        return
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=1.0)) as database:
        database.execute("PRAGMA schema_version").fetchone()


def _try_host(uri: str, timeout: float) -> None:
    parts = urlsplit(uri)
    port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
    if parts.hostname and port:
        socket.create_connection((parts.hostname, port), timeout=timeout).close()


def _is_proxied(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")
