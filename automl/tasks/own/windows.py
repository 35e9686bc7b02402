"""Windows of series: the past that is read, each with the steps that followed. Knows neither files nor seasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from automl.encoding import Forecast
from automl.errors import DataError
from automl.sources.memory import require_memory
from automl.tasks.cells import Cells
from automl.tasks.task import Rows

MOST_WINDOWS = 20_000
FEWEST_WINDOWS = 20
_KNOWN = 0.5
"""Share of a window's steps, and of the steps after it, that must be known."""


@dataclass(frozen=True)
class Line:
    """One series, a place for each step."""

    values: np.ndarray
    """(channels, steps), NaN where one is missing; the target first."""
    moments: np.ndarray
    """(steps,) when, in the units of the time column."""
    series: int = 0
    """Its number."""
    may_predict: np.ndarray | None = None
    """(steps,) whether a step may be predicted; None: each may."""

    def starts(self, form: Forecast) -> np.ndarray:
        """Return where windows with what followed may begin."""
        starts = np.arange(max(0, self.values.shape[1] - form.steps - form.horizon + 1))
        if self.may_predict is None or not len(starts):
            return starts
        whole = np.asarray(sliding_window_view(self.may_predict, form.horizon).all(axis=1))
        return starts[whole[form.steps :]]


def lines_of(form: Forecast, cells: Cells, when: np.ndarray, learned: int = 0) -> list[Line]:
    """Return the series of rows that were `when`, those that begin with row `learned` only: they alone are predicted.

    Of the rows before them so many steps are taken as a window reads. Raises CellError as `Forecast.lines` does.
    """
    values = np.stack([cells[name] for name in form.columns])
    lines = []
    for number, (_, rows, steps) in enumerate(form.lines(cells)):
        is_new = rows >= learned
        if not is_new.any():
            continue
        first = steps[is_new][0]
        near = steps >= first - form.steps
        rows, begun, is_new = rows[near], steps[near][0], is_new[near]
        steps = steps[near] - begun
        line = np.full((form.channels, steps[-1] + 1), np.nan)
        line[:, steps] = values[:, rows]
        may_predict = np.arange(steps[-1] + 1) >= first - begun
        may_predict[steps[~is_new]] = False
        lines.append(Line(line, np.interp(np.arange(steps[-1] + 1), steps, when[rows]), number, may_predict))
    return lines


def windows(source: str, form: Forecast, lines: Sequence[Line], fewest: int = FEWEST_WINDOWS) -> Rows:
    """Return windows with what followed each, as many as `MOST_WINDOWS`, evenly thinned where there are more.

    Raises DataError where fewer than `fewest` are known well enough.
    """
    span = form.steps + form.horizon
    starts = [line.starts(form) for line in lines]
    total = sum(map(len, starts))
    stride = max(1, -(-total // MOST_WINDOWS))
    require_memory(
        source, 40 * min(total, MOST_WINDOWS) * form.channels * span, "Leave out columns, or give a shorter history."
    )
    inputs, targets, spans = [], [], []
    for line, possible in zip(lines, starts, strict=True):
        if not len(possible):
            continue
        chosen = possible[::-1][::stride][::-1]  # the newest one for sure
        whole = sliding_window_view(line.values, span, axis=1)[:, chosen].transpose(
            1, 0, 2
        )  # (windows, channels, span)
        past, future = form.read(whole), whole[:, 0, form.steps :]
        good = (_known_share(past[:, 0]) >= _KNOWN) & (_known_share(future) >= _KNOWN)
        inputs.append(past[good].reshape(int(good.sum()), -1))
        targets.append(future[good])
        ends = chosen + span - 1
        begun = line.moments[ends - form.horizon + 1]
        spans.append(np.column_stack([begun, line.moments[ends], np.full(len(ends), line.series)])[good])
    found = sum(map(len, targets))
    if found < fewest:
        raise DataError(
            f"{source}: only {found} windows of {form.steps} steps and the {form.horizon} after them are known well enough, and "
            f"{fewest} are needed. Give a longer history, or a shorter --horizon."
        )
    short = sum(not len(possible) for possible in starts)
    notes = (
        [f"{short} of {len(lines)} series are too short for {form.steps} steps and {form.horizon} after them."]
        if short
        else []
    )
    notes += [f"Of {total:,} windows {_share(stride)} was taken."] if stride > 1 else []
    later = [form.horizon if name in form.ahead else 0 for name in form.columns]
    columns = tuple(
        f"{name}[{step + more}]"
        for name, more in zip(form.columns, later, strict=True)
        for step in range(-form.steps + 1, 1)
    )
    return Rows(
        np.concatenate(inputs), columns, np.concatenate(targets), moment=np.concatenate(spans), notes=tuple(notes)
    )


def _share(stride: int) -> str:
    return {2: "every second", 3: "every third"}.get(stride, f"one in {stride}")


def _known_share(values: np.ndarray) -> np.ndarray:
    return 1.0 - np.isnan(values).mean(axis=1)
