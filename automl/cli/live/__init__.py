"""What people see while a search runs, always on stderr: a frame that redraws itself in a terminal, plain lines elsewhere.

`tally` knows what happened, `draw` lays it out for a width and a height, `terminal` and `plain` show it. Decides nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from automl.cli.output import print_note
from automl.coordinator.events import Observer, Said, SearchEvent


@contextmanager
def live_view(*, quiet: bool) -> Iterator[Observer]:
    """Yield an observer that shows a search; `quiet` shows warnings alone."""
    if quiet:
        yield _warn
    elif _redraws():
        from automl.cli.live.terminal import TerminalView

        with TerminalView() as view:
            yield view
    else:
        from automl.cli.live.plain import PlainView

        with PlainView() as view:
            yield view


def _warn(event: SearchEvent) -> None:
    if isinstance(event, Said) and event.level == "warning":
        print_note(f"warning: {event.text}")


def _redraws() -> bool:
    """A terminal that can move its cursor. CI systems may lend a terminal, but keep what is drawn on it as a log."""
    return (
        sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown") and not os.environ.get("CI")
    )
