"""A process between us and a server that we started: it ends the server with all its children when we end, however we end.

Standard input is a pipe of ours that closes with us, also after a kill; no signal could tell that to a server's own children.
Run as `python -m automl.tracking.guard COMMAND...`; ends with the server's exit code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

_PATIENCE = 5.0
"""Seconds between asking the server to end and ending it."""


def main(command: list[str]) -> int:
    """Run the command until it ends or standard input does."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
    code = server.wait()
    _send(server, signal.SIGKILL)  # to what it left behind
    return code


def _end_with_input(server: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    _send(server, signal.SIGTERM)
    time.sleep(_PATIENCE)
    _send(server, signal.SIGKILL)


def _send(server: subprocess.Popen[bytes], what: signal.Signals) -> None:
    """Send a signal to the server's group, which holds its children; it may be empty by now."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, what)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
