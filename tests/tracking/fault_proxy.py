"""An HTTP proxy in front of a server that spoils a share of the requests. Stands for a bad network, not for a bad MLflow.

A spoiled request fails before it reaches the server (503), after it took effect (500), or the connection is cut after
it took effect. Each is a third of the spoiled ones.
"""

from __future__ import annotations

import http.client
import random
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FaultProxy:
    """Listens on 127.0.0.1 while used as a context; `uri` is its address, `count` what it did."""

    def __init__(self, port: int, *, share: float, seed: int) -> None:
        self.count: Counter[str] = Counter()
        self._port = port
        self._share = share
        self._random = random.Random(seed)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a killed carrier cuts its connection
        self.uri = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _fate(self) -> str:
        spoiled = self._random.random() < self._share
        fate = self._random.choice(("before", "after", "cut")) if spoiled else "passed"
        self.count[fate] += 1
        return fate

    def _forward(self, request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        headers = {**request.headers, "Host": f"127.0.0.1:{self._port}"}
        server = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            server.request(request.command, request.path, body, headers)
            answer = server.getresponse()
            return answer.status, answer.read()
        finally:
            server.close()

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def _handle(self) -> None:
                fate = proxy._fate()
                if fate == "before":
                    return self._answer(503, b"")
                status, body = proxy._forward(self)
                if fate == "passed":
                    return self._answer(status, body)
                if fate == "after":
                    return self._answer(500, b"")
                self.close_connection = True
                return None

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
