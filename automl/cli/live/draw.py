"""From a tally to lines of text for a width and a height. Pure: reads the tally, shows nothing, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from automl.cli.live.tally import PHASES, Row, Tally
from automl.cli.output import clean, number
from automl.rounding import gained
from automl.winner.confirm import fresh_seed

_TRAINS = ("trial", "confirm", "refit")
"""Kinds of work that report epochs; the others are short and say nothing until they end."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What bars and curves are drawn with."""

    full: str
    rest: str
    levels: str
    dot: str
    more: str


UNICODE = Glyphs("━", "─", "▁▂▃▄▅▆▇█", " · ", "…")
ASCII = Glyphs("#", "-", "_.-=*#", " | ", "...")


def frame(tally: Tally, width: int, height: int, glyphs: Glyphs = UNICODE) -> list[Text]:
    """Return at most `height` lines of at most `width` cells: phase, budget, best, speed, and a line per worker."""
    lines = [_title(tally, width), *_facts(tally, width, glyphs)]
    lines += _workers(tally, width, max(0, height - len(lines)), glyphs)
    for line in lines:
        line.truncate(width, overflow="ellipsis" if glyphs is UNICODE else "crop")
    return lines[:height]


def duration(seconds: float) -> str:
    """Return `0:07`, `12:34` or `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def about(seconds: float) -> str:
    """Return a time left as coarsely as it is known, so that it does not flicker: `about 20 s`, `about 3 min`."""
    if seconds < 55:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    if seconds < 3570:
        return f"about {round(seconds / 60)} min"
    halves = round(seconds / 1800)
    return f"about {halves / 2:g} h"


def sparkline(values: Sequence[float], width: int, glyphs: Glyphs = UNICODE) -> str:
    """Return a curve of at most `width` cells; a long one is sampled evenly, its last value kept."""
    if not values or width < 1:
        return ""
    count = min(width, len(values))
    sampled = [values[(place + 1) * len(values) // count - 1] for place in range(count)]
    low, span = min(sampled), max(sampled) - min(sampled)
    top = len(glyphs.levels) - 1
    return "".join(glyphs.levels[round((value - low) / span * top) if span else 0] for value in sampled)


def bar(share: float, width: int, glyphs: Glyphs, style: str) -> Text:
    """Return a bar; full and empty cells differ in form as well as in colour."""
    filled = int(min(max(share, 0.0), 1.0) * width)
    return Text.assemble((glyphs.full * filled, style), (glyphs.rest * (width - filled), "dim"))


def _title(tally: Tally, width: int) -> Text:
    doing = (
        "stopping: saving what runs; Ctrl-C again ends at once"
        if tally.stopping
        else PHASES.get(tally.phase, tally.phase)
    )
    name = clean(tally.search)
    left = Text.assemble((name, "bold"), "  " if name else "", (doing, "yellow" if tally.stopping else ""))
    clock = duration(tally.elapsed)
    left.truncate(max(0, width - len(clock) - 1), overflow="crop")
    return left.append(" " * (width - left.cell_len - len(clock))).append(clock, style="dim")


def _facts(tally: Tally, width: int, glyphs: Glyphs) -> list[Text]:
    if tally.phase == "start":
        return []
    lines = [_budget(tally, width, glyphs)]
    if tally.best is not None:
        lines.append(_best(tally, width, glyphs))
    lines.append(Text(glyphs.dot.join(_remarks(tally)), style="dim"))
    return [line for line in lines if line.plain]


def _budget(tally: Tally, width: int, glyphs: Glyphs) -> Text:
    if tally.phase != "search" and tally.planned is not None:
        share, counts = tally.pace.ends / max(1, tally.planned), [f"{tally.pace.ends}/{tally.planned} trainings"]
    else:
        of = f"/{tally.slots}" if tally.slots else ""
        counts = [f"{tally.done}{of} slots", *(f"{n} {state}" for state, n in tally.states.items() if n)]
        counts += [f"{tally.retried} retried"] if tally.retried else []
        share = tally.done / tally.slots if tally.slots else tally.elapsed / (tally.seconds or tally.elapsed or 1.0)
    return bar(share, _bar_width(width) * 2, glyphs, "cyan").append("  " + glyphs.dot.join(counts))


def _best(tally: Tally, width: int, glyphs: Glyphs) -> Text:
    assert tally.best is not None
    curve = sparkline(tally.bests, _bar_width(width), glyphs)
    return Text.assemble(
        f"best {clean(tally.metric)} ",
        (number(tally.best.value), "bold green"),
        f"  {curve}  ",
        (tally.describe(tally.best), ""),
    )


def _remarks(tally: Tally) -> list[str]:
    remarks = []
    speed, left, time_left = tally.pace.speed, tally.left, tally.time_left
    if tally.stopping:
        left = time_left = None
    elif tally.phase == "search":
        if not tally.rows:
            remarks.append("workers are starting")
        if speed is not None:
            remarks.append(f"{speed:.1f} slots/s" if speed >= 0.1 else f"{speed * 60:.1f} slots/min")
        if left is not None and (time_left is None or left < time_left):
            remarks.append(f"{about(left)} left, then confirm and export")
    elif left is not None:
        remarks.append(f"{about(left)} left, then export")
    if time_left is not None:
        remarks.append(f"{duration(time_left)} of {duration(tally.seconds or 0.0)} left in all")
    if tally.pending:
        remarks.append(f"MLflow {tally.pending} behind")
    return remarks


def _workers(tally: Tally, width: int, room: int, glyphs: Glyphs) -> list[Text]:
    """Return a line per worker; where not all fit, the last line says how many are left out."""
    if tally.aside and room:
        return [Text(f"no worker has work: {tally.aside}", style="dim")]
    rows = tally.rows
    shown = rows if len(rows) <= room else rows[: max(0, room - 1)]
    label = max((len(_label(row)) for row in shown if row is not None), default=0)
    lines = [_worker(tally, row, min(label, width // 3), width, glyphs) for row in shown]
    if len(shown) < len(rows) and room:
        lines.append(Text(f"{glyphs.more} and {len(rows) - len(shown)} more workers", style="dim"))
    return lines


def _worker(tally: Tally, row: Row | None, label: int, width: int, glyphs: Glyphs) -> Text:
    if row is None:
        return Text("waiting", style="dim")
    line = Text(_label(row)[:label].ljust(label), style="bold").append(" ")
    if row.attempt.kind not in _TRAINS:
        return line.append("at work", style="dim")
    digits = len(str(row.max_steps))
    line.append(bar(row.step / max(1, row.max_steps), _bar_width(width), glyphs, "blue"))
    line.append(f" {row.step:>{digits}}/{row.max_steps}  ").append(_value(tally, row, width))
    return line.append(tally.notable.words(row.attempt.family, row.attempt.params), style="dim")


def _label(row: Row) -> str:
    attempt = row.attempt
    family = clean(attempt.family)
    match attempt.kind:
        case "trial":
            return f"{family} {attempt.slot}"
        case "confirm":
            return f"{family} {attempt.slot} seed {fresh_seed(attempt) + 1}"
        case "baselines":
            return "baselines"
        case kind:
            return f"{family} {kind}"


def _value(tally: Tally, row: Row, width: int) -> Text:
    """Return the latest value and how far it is from the best trial's; the distance only where there is room."""
    best = tally.best.value if tally.best is not None else None
    ahead = row.value is not None and (best is None or not tally.is_better(best, row.value))
    text = Text(f"{number(row.value):<8}", style="green" if ahead else "")
    if width >= 72:
        gap = gained(row.value - best, 2) if row.value is not None and best is not None else ""
        text.append(f"{gap:<9}", style="dim")
    return text


def _bar_width(width: int) -> int:
    return max(4, min(20, width // 8))
