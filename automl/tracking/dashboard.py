"""optuna-dashboard on the loopback for one Optuna file, for the names 127.0.0.1 and localhost only.

It asks nobody who they are and can delete studies. A page of another origin, or a foreign name that was made to point to 127.0.0.1,
must not reach it from the person's browser; optuna-dashboard itself checks neither. Run as
`python -m automl.tracking.dashboard FILE PORT`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

HOST = "127.0.0.1"
_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def for_this_machine_only(app: _App, port: int) -> _App:
    """Wrap a WSGI application: 403 for a Host or an Origin that is not ours, the port included."""
    hosts = {f"{HOST}:{port}", f"localhost:{port}"}
    origins = {f"http://{host}" for host in hosts}

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        if environ.get("HTTP_HOST") in hosts and (origin is None or origin in origins):
            return app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"Invalid Host or Origin header\n"]

    return guarded


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A line per request tells nobody anything."""


def main(path: str, port: int) -> None:
    """Serve until killed."""
    import sqlalchemy
    from optuna_dashboard import wsgi

    url = sqlalchemy.URL.create("sqlite", database=path).render_as_string(hide_password=False)
    app = for_this_machine_only(wsgi(url), port)
    make_server(HOST, port, app, server_class=_Server, handler_class=_Silent).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
