"""The frame in a terminal, redrawn by rich on a clock of its own: an event costs the search no drawing and no writing."""

from __future__ import annotations

import contextlib
import math
import sys
import threading
from collections import deque

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult
from rich.live import Live
from rich.text import Text

from automl.cli.live.draw import ASCII, UNICODE, frame
from automl.cli.live.tally import Line, Tally
from automl.cli.output import clean
from automl.coordinator.events import SearchEvent

_PER_SECOND = 6
_STYLES = {"warning": "yellow"}


class TerminalView:
    """Shows a search until the block ends; then the frame is gone, and what happened stays above where it was."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._glyphs = UNICODE if (self._console.encoding or "").lower().startswith("utf") else ASCII
        self._tally = Tally()
        # A signal handler speaks to us in the middle of an event, hence a lock that its thread may take twice.
        self._lock = threading.RLock()
        self._happened: deque[Line] = deque()
        self._live = _Frame(self, self._console)
        self.drawn: list[int] = []
        """Cells of each line on the screen."""

    def __enter__(self) -> TerminalView:
        with contextlib.suppress(OSError):
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._tally.done:
            self._happened.append(Line(self._tally.counts(), "note"))
        with contextlib.suppress(OSError):
            self.say()
            self._live.stop()

    def __call__(self, event: SearchEvent) -> None:
        """Learn an event; the next refresh shows it."""
        with self._lock:
            line = self._tally.take(event)
        if line is not None and line.kind in ("note", "warning"):
            self._happened.append(line)

    def say(self) -> None:
        """Print above the frame what happened since the last refresh."""
        while self._happened:
            line = self._happened.popleft()
            text = Text(clean(line.text), style=_STYLES.get(line.kind, ""))
            self._console.print(text, soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the frame for the terminal as it is now. The row below it is the cursor's, where `^C` is echoed."""
        with self._lock:
            lines = frame(self._tally, options.size.width, max(1, options.size.height - 1), self._glyphs)
        lines.append(Text())
        self.drawn = [line.cell_len for line in lines]
        yield Text("\n").join(lines)


class _Frame(Live):
    """A live display that outlives its terminal: what cannot be written is not shown, and the search goes on."""

    def __init__(self, view: TerminalView, console: Console) -> None:
        self._view = view
        super().__init__(
            view,
            console=console,
            transient=True,
            refresh_per_second=_PER_SECOND,
            redirect_stdout=sys.stdout.isatty(),  # a file or pipe gets what was meant for it
        )
        self._width = console.width

    def refresh(self) -> None:
        """Draw once."""
        with contextlib.suppress(OSError):
            if self._started:
                self._view.say()
            super().refresh()

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Take back the frame that is on the screen, which takes more rows, or fewer, once the terminal was resized."""
        if self._width != self.console.width:
            self._width = self.console.width
            # Terminals wrap what is drawn already to their new width; rich would go up by the rows of the old one.
            rows = sum(max(1, math.ceil(cells / self._width)) for cells in self._view.drawn)
            self._live_render._shape = (self._width, rows)
        return super().process_renderables(renderables)
