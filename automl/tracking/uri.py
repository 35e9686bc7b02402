"""Where MLflow is: its address, whether anyone answers there, and how both are shown without passwords. Does not import mlflow."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

_CREDENTIALS = re.compile(r"://(?:[^\s/:@]*:(?!\d*(?:[/?#\s'\"]|$))\S*@|[^/\s'\"]*@)")
"""A name and password in any address: up to the last `@` of the word, whatever the password holds; `host:5000/a@b` has none."""
_NAMES = "password|passwd|pwd|token|secret|key"
_SECRET_SETTINGS = re.compile(rf"((?:{_NAMES})=)[^&\s]*", re.IGNORECASE)
_SHORTEST_WORD = 3
"""Characters of a part of a password that is looked for in texts; a shorter one would be found in words that are none."""
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


def artifact_folder(cwd: Path) -> Path:
    """Return the only folder of this machine that takes artifacts."""
    return cwd / "mlruns"


def artifact_location(uri: str, cwd: Path, experiment: str) -> str | None:
    """Return the folder for a local store's artifacts as a URI; None where a server decides."""
    return (artifact_folder(cwd) / experiment).as_uri() if uri.startswith("sqlite:") else None


def database_path(uri: str) -> Path | None:
    """Return the file behind a SQLite address, or None for any other address and for a database in memory."""
    path = unquote(uri.removeprefix(_SQLITE).partition("?")[0]) if uri.startswith(_SQLITE) else ""
    return Path(path) if path and path != ":memory:" and not path.startswith("file:") else None


def redact(text: str, uri: str | None = None) -> str:
    """Return a text without the names and passwords of addresses in it.

    Of `uri`, the environment's `MLFLOW_TRACKING_URI` where none is given, no part of a password shows, whatever it holds: a blank
    or a `/` ends an address for whoever does not know it, and a library that misreads it complains of a piece of it.
    """
    known = os.environ.get("MLFLOW_TRACKING_URI", "").strip() if uri is None else uri
    scheme, credentials, rest = _parts(known)
    if credentials:
        text = text.replace(known, f"{scheme}://***@{rest}")
    for word in sorted(_secrets(known, credentials), key=len, reverse=True):
        escaped = re.escape(word)
        is_long = len(word) >= _SHORTEST_WORD
        text = re.sub(rf"(?<!\w){escaped}(?!\w)" if is_long else rf"(?<=['\"]){escaped}(?=['\"])", "***", text)
    return _SECRET_SETTINGS.sub(r"\1***", _CREDENTIALS.sub("://***@", text))


def without_credentials(uri: str) -> str:
    """Return the link to a server: no name, no password, no settings, no slash at its end."""
    scheme, credentials, rest = _parts(uri)
    address = f"{scheme}://{rest}" if credentials else uri
    return re.split(r"[?#]", address)[0].rstrip("/")


def _parts(uri: str) -> tuple[str, str, str]:
    """Return scheme, credentials and the rest; all empty but the rest where there are none, as before a file's path."""
    before, at, after = uri.rpartition("@")
    scheme, slashes, credentials = before.partition("://")
    if not at or not slashes or credentials.startswith("/"):
        return "", "", uri
    return scheme, credentials, after


def _secrets(uri: str, credentials: str) -> Iterator[str]:
    """Yield the password and its parts, as written, unquoted and quoted; without a password the name is taken for a key."""
    settings = re.findall(rf"(?:{_NAMES})=([^&]*)", uri, re.IGNORECASE)
    for secret in (credentials.partition(":")[2] or credentials, *settings):
        for part in {secret, *re.split(r"[\s:/?#@&='\"\\]", secret)} - {""}:
            yield from {part, unquote(part), quote(part, safe=""), repr(part)[1:-1]}


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
        return redact(str(error) or type(error).__name__, uri)
    return None


def _try_database(path: Path) -> None:
    if not path.exists():
        if not path.parent.is_dir():
            raise FileNotFoundError(f"folder {path.parent} not found")
        return
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=1.0)) as database:
        database.execute("PRAGMA schema_version").fetchone()


def _try_host(uri: str, timeout: float) -> None:
    parts = _host(uri)
    port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
    if parts.hostname and port:
        socket.create_connection((parts.hostname, port), timeout=timeout).close()


def _host(uri: str) -> SplitResult:
    """Split an address as its own library does; SQLAlchemy takes a password with a bare `/`."""
    parts, (scheme, credentials, rest) = urlsplit(uri), _parts(uri)
    if not credentials or "@" in parts.netloc:
        return parts
    if parts.scheme not in ("http", "https"):
        return urlsplit(f"{scheme}://{rest}")
    if not re.search(r":\d*$", parts.netloc) and ":" in parts.netloc:
        raise ValueError("a name or password in an address must have '/', '?' and '#' written as %2F, %3F and %23")
    return parts


def _is_proxied(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")
