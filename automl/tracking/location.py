"""Where MLflow keeps artifacts, and whether we may write there: a server names the place, and it may name any folder of this machine."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from automl.tracking.uri import redact
from automl.tracking.view import Misplaced


def require_ours(what: str, location: str, folder: str, uri: str) -> None:
    """Raise Misplaced where `what` keeps its artifacts on this machine but outside `folder`.

    An own store keeps them below `folder`, and so does a server that was started beside it. Another server takes them itself
    (`mlflow-artifacts:`) or names a store that asks for keys (`s3:`, `gs:`).
    """
    path = local_path(location)
    if path is None or (".." not in path.split("/") and path.startswith(f"{folder}/")):
        return
    at_server = " and let the server take artifacts itself (mlflow server --serve-artifacts)"
    raise Misplaced(
        f"{what} must keep artifacts below {folder} or with its server, but keeps them in {redact(location, uri)}. "
        f"Rename or delete it{at_server if uri.startswith('http') else ''}; recording to the outbox until then"
    )


def local_path(location: str) -> str | None:
    """Return the path of a location on this machine; None where a server or a store of objects has it."""
    parts = urlsplit(location)
    return unquote(parts.path) if parts.scheme == "file" else None if parts.scheme else location
