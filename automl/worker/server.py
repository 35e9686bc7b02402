"""The worker server: imports Lightning once, then forks a worker whenever it is asked to. Knows no search and no database.

Run by the local executor as `python -m automl.worker.server FD PARENT`. FD is a SEQPACKET socket:
  in   {"perform": "module:function", "preload": [...], "data": ..., "search": ..., "families_from": ...}    first, once
  in   {"fork": id, "threads": n, "environment": {...}} with the worker's end of its pipe
  out  {"ready": true} · {"forked": id, "pid": n} · {"died": id, "status": n}      (status as in `subprocess`: -9 is signal 9)
       {"failed": errno} where no worker could be forked
Workers are forked, not spawned, so that the import (2.5 s, 400 MB) is paid and held once; and since this process never
ran the caller's script, a search needs no `__main__` guard.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from automl.messages import Assignment, Outcome, assignment_from
from automl.worker.channel import PipeChannel
from automl.worker.lifeline import die_with
from automl.worker.perform import Places
from automl.worker.results import write_result

Perform = Callable[[Assignment, PipeChannel, Places], tuple[Outcome, ...]]


def main() -> None:
    """Serve until the coordinator closes the socket or dies."""
    die_with(int(sys.argv[2]))
    os.setsid()  # Ctrl-C reaches only the coordinator, which decides what becomes of us
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    settings = json.loads(control.recv(1 << 20))
    perform = _prepare(settings)
    places = Places(data=Path(settings["data"]), search=Path(settings["search"]))
    server, workers = os.getpid(), dict[int, int]()
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    control.send(b'{"ready":true}')
    while True:
        ready, _, _ = select.select([control.fileno(), wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
            _bury(workers, control)
        if control.fileno() in ready:
            message, fds, _, _ = socket.recv_fds(control, 1 << 20, 1)
            if not message:
                os._exit(0)  # workers die with us
            if not fds:
                control.send(json.dumps({"failed": errno.EMFILE}).encode())  # the kernel had no number left for it
                continue
            order = json.loads(message)
            try:
                pid = os.fork()
            except OSError as error:
                control.send(json.dumps({"failed": error.errno}).encode())
                continue
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for fd in (wake_read, wake_write):
                    os.close(fd)
                control.close()
                _work(Connection(fds[0]), order, perform, places, server)
            os.close(fds[0])
            workers[pid] = order["fork"]
            control.send(json.dumps({"forked": order["fork"], "pid": pid}).encode())


def _prepare(settings: dict[str, Any]) -> Perform:
    if settings["families_from"]:
        from automl.catalog import add_families_from

        add_families_from(settings["families_from"])
    for name in settings["preload"]:
        importlib.import_module(name)
    module, function = settings["perform"].split(":")
    perform: Perform = getattr(importlib.import_module(module), function)
    return perform


def _bury(workers: dict[int, int], control: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = found
            if pid in workers:
                died = {"died": workers.pop(pid), "status": os.waitstatus_to_exitcode(status)}
                control.send(json.dumps(died).encode())


def _work(connection: Connection, order: dict[str, Any], perform: Perform, places: Places, server: int) -> None:
    """Be a worker; never returns. An exit without a result is a lost attempt, whatever its code."""
    channel = PipeChannel(connection)
    try:
        die_with(server)
        os.setsid()  # a process group of its own, so that a hung worker dies with its children
        _redirect_output(places.search / "logs" / f"worker-{order['fork']}.log")
        os.environ.update(order["environment"])
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500")  # the kernel takes a worker before the coordinator
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(order["threads"])
        while True:
            assignment = assignment_from(channel.next_assignment())
            outcomes = perform(assignment, channel, places)
            write_result(places.search / "results", assignment.id, outcomes)
            channel.finish(outcomes)
    except SystemExit as leaving:
        os._exit(leaving.code if isinstance(leaving.code, int) else 0)
    except OSError as error:
        channel.give_up(error.errno or 0)  # the machine's trouble, not the trial's: the coordinator ends the search
        traceback.print_exc()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _redirect_output(path: Path) -> None:
    """What user code prints, and the trace of a segmentation fault, go to the worker's log."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.enable(2)


if __name__ == "__main__":
    main()
