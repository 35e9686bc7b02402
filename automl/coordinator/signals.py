"""Ctrl-C and SIGTERM: the first ends tidily, the second at once. A closed terminal does not end a search."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from automl.coordinator.loop import StopRequest
from automl.errors import Stopped

_EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@contextmanager
def stop_on_signals(stop: StopRequest, say: Callable[[str], None]) -> Iterator[None]:
    """Turn signals into `stop` while trials run (`stop.tidy`), and into Stopped everywhere else and the second time."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; a notebook's Ctrl-C arrives as KeyboardInterrupt
        return

    def handle(number: int, frame: FrameType | None) -> None:
        is_first, stop.exit_code = not stop.exit_code, _EXIT_CODES[signal.Signals(number)]
        if not (is_first and stop.tidy):
            raise Stopped("stopped at once.", exit_code=stop.exit_code)
        say("stopping after what is running has been saved; again to stop now")

    def say_unraisable(problem: sys.UnraisableHookArgs) -> None:
        # A signal may fall into a finaliser, where nothing can be raised: `stop` has it all the same.
        if not isinstance(problem.exc_value, Stopped):
            unraisable(problem)

    unraisable, sys.unraisablehook = sys.unraisablehook, say_unraisable
    before = {number: signal.signal(number, handle) for number in _EXIT_CODES}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = unraisable
