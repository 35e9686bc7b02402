"""A task from series whose next steps are to be predicted: what a step is, how much of the past is read, what people are told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.encoding import Forecast
from automl.errors import ConfigError, DataError
from automl.tasks.own.choices import Choices
from automl.tasks.own.given_series import given_windows
from automl.tasks.own.names import safe_name
from automl.tasks.own.reading import cells_as, shared_text
from automl.tasks.own.rhythm import Rhythm, find_rhythm
from automl.tasks.own.season import find_season, usual_seasons
from automl.tasks.own.stacked import channel_columns, moments, ordered
from automl.tasks.own.target import OBJECTIVES, read_target
from automl.tasks.own.thousands import THOUSANDS, dots_in, has_comma
from automl.tasks.own.windows import FEWEST_WINDOWS, Line, lines_of, windows
from automl.tasks.task import Column, Task

LONGEST_CONTEXT = 512
_SEASONS = 3
"""Of the past that are read, where a season is short; two of a long one."""
_SHORT_SEASON = 31
_SHORTEST = 16
_TRAINING = 0.6
"""Share of the time that surely is of the training part: all that the season is found in."""


def forecast_task(path: Path, table: pa.Table, target: str, choices: Choices) -> Task:
    """Return the task of predicting the next `choices.horizon` steps of the target from its past and that of other numbers.

    Raises DataError, with file, column and rows, for a target that is no number, for an id or time that is missing, for two rows of
    an id at one time, and for series that are too short; ConfigError for choices that do not fit a forecast.
    """
    source, time, horizon = str(path), choices.time_column, choices.horizon
    _check(source, target, choices)
    assert horizon is not None
    found = read_target(source, target, table[target], "regression")
    when, formats, spelling = moments(source, table, time)
    cells: dict[str, np.ndarray] = {
        **({choices.id: shared_text(table[choices.id])} if choices.id else {}),
        **({time: when} if time else {}),
    }
    columns = channel_columns(source, table, choices, target)
    if found.spelling or (has_comma(columns) and dots_in(table[target]) == THOUSANDS):
        raise DataError(
            f"{source}: target '{target}' must hold plain numbers for a forecast, without signs and divided thousands."
        )
    channels = [column for column in columns if column.kind == "number"]
    _require_numbers(source, columns, choices.known)
    values = np.full(table.num_rows, np.nan)
    values[found.known] = found.values
    cells[target] = values
    cells |= {column.name: cells_as(source, table[column.name], column) for column in channels}
    names, places = ordered(source, cells, choices.id or "", time or "", formats)
    rhythm = find_rhythm([when[rows] for rows in places], formats) if time else Rhythm("rows", 1.0, "a step is a row")
    form = Forecast(
        (target, *(column.name for column in channels)),
        steps=1,
        horizon=horizon,
        id=choices.id or "",
        time=time or "",
        formats=formats,
        utc=bool(formats),
        time_spelling=spelling,
        calendar=rhythm.calendar,
        beat=rhythm.beat,
        blanks=tuple(sorted({word for column in channels for word in column.blanks})),
        ahead=tuple(column.name for column in channels if column.name in choices.known),
    )
    lines = lines_of(form, cells, when)
    form = _with_context(source, form, lines)
    rows = windows(source, form, lines)
    if rhythm.is_assumed:
        rows = replace(rows, notes=(*rows.notes, f"{rhythm.said[0].upper()}{rhythm.said[1:]}."))
    if choices.test is not None:
        rows = rows.with_test(given_windows(Path(choices.test), path, form, cells, columns, choices))
    season = f"a season of {form.season} steps" if form.season > 1 else "no season"
    return Task(
        name=safe_name(choices.name or path.stem, "series"),
        title=f"Predict the next {horizon} steps of {target} from {path.name}.",
        kind="regression",
        input_kind="series",
        target=target,
        objectives=OBJECTIVES["forecast"],
        read=lambda: rows,
        source=source,
        shape=(form.channels, form.steps),
        columns=tuple(_with_reading(column, form) for column in columns),
        series=form,
        choices=choices.remembered(path),
        why="as you said",
        given=f"{_read_of(form)} ({rhythm.said}; {season}; {len(names)} series)"
        if form.id
        else f"{_read_of(form)} ({rhythm.said}; {season})",
    )


def _read_of(form: Forecast) -> str:
    """Which steps of which columns a prediction reads: of a column known ahead as many as of the others, the newest ones."""
    past = f"the last {form.steps} steps of {_listed([name for name in form.columns if name not in form.ahead])}"
    if not form.ahead:
        return past
    before = f"last {form.steps - form.horizon} and " if form.steps > form.horizon else ""
    return f"{past}, and the {before}next {form.horizon} of {_listed(form.ahead)}"


def _check(source: str, target: str, choices: Choices) -> None:
    if choices.horizon is None:
        raise ConfigError(f"{source}: how many steps are to be predicted? Say it with --horizon, such as --horizon 12.")
    if choices.horizon < 1:
        raise ConfigError(f"--horizon must be 1 or more steps, but got {choices.horizon}.")
    if choices.group is not None:
        raise ConfigError(f"{source}: a forecast is divided by time; --group does not apply. Name series with --id.")
    named = [name for name in (target, choices.id, choices.time_column) if name is not None]
    if len(set(named)) < len(named):
        raise ConfigError(f"{source}: --target, --id and --time-col must be different columns.")
    if wrong := next((name for name in choices.known if name in named), None):
        raise ConfigError(f"{source}: --known '{wrong}' is the target, the id or the time. Name another column.")
    if choices.known and choices.horizon > LONGEST_CONTEXT:
        raise ConfigError(f"{source}: --known reads at most {LONGEST_CONTEXT} steps ahead. Give a shorter --horizon.")


def _require_numbers(source: str, columns: Sequence[Column], known: Sequence[str]) -> None:
    for column in columns:
        if column.name in known and column.kind != "number":
            raise DataError(
                f"{source}: --known '{column.name}' must hold plain numbers, but is {column.kind} ({column.why}). Write it as "
                f"numbers, such as 0 and 1, or leave out --known."
            )


def _with_reading(column: Column, form: Forecast) -> Column:
    if column.kind != "number":
        return column
    read = f"and its next {form.horizon} steps are read" if column.name in form.ahead else "is read, not its future"
    return replace(column, why=f"{column.why}; its past {read}")


def _with_context(source: str, form: Forecast, lines: Sequence[Line]) -> Forecast:
    """Choose how many steps are read: some seasons, or twice the horizon, as far as enough windows are left to learn from."""
    lengths = np.array([line.values.shape[1] for line in lines])
    cut = np.quantile(np.concatenate([line.moments for line in lines]), _TRAINING)
    usual = usual_seasons(form.calendar, form.beat) if form.formats else ()
    season = find_season([line.values[0, line.moments <= cut] for line in lines], usual)
    length = int(np.quantile(lengths, 0.25 if len(lengths) > 3 else 1.0, method="lower"))
    # Of n windows 64 % less twice the horizon's overlap are left for training; a handful per series must be.
    spare = 3 * form.horizon + max(4, FEWEST_WINDOWS // len(lines))
    room = min(LONGEST_CONTEXT, length - spare)
    least = max(2, form.horizon) if form.ahead else 2  # what is known ahead has as many steps as the past
    if room < least:
        longest = f"the series has {length}"
        if form.id:
            longest = f"of the {len(lines)} series a quarter has {length} or fewer (the longest {lengths.max()})"
        raise DataError(
            f"{source}: too few steps to learn forecasts of {form.horizon}: at least {spare + least} are needed in a series, but "
            f"{longest}. Give a longer history, or a shorter --horizon."
        )
    season = season if season <= room else 1
    seasons = _SEASONS if season <= _SHORT_SEASON else _SEASONS - 1
    wanted = max(seasons * season if season > 1 else 0, 2 * form.horizon, _SHORTEST)
    steps = min(wanted, max(room // 2, season, least) if wanted > room else wanted)
    return replace(form, steps=min(steps, room), season=season)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} other columns" if len(names) > 2 else f" and {names[1]}" if len(names) == 2 else ""
    return names[0] + more
