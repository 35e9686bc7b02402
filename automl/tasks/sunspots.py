"""Sunspots: their yearly number from 1700 to 2008, bundled with statsmodels. How many will there be in the next five years?"""

from __future__ import annotations

from automl.encoding import Forecast
from automl.errors import ConfigError
from automl.tasks.task import Rows, Task

_FORM = Forecast(("sunspots",), steps=33, horizon=5, season=11, time="year", calendar="even")


def _read() -> Rows:
    try:
        from statsmodels.datasets import sunspots  # heavy: only when the task is really read
    except ModuleNotFoundError:
        raise ConfigError("task 'sunspots' reads data of statsmodels.", hint="pip install statsmodels") from None
    from automl.tasks.own.windows import Line, windows

    data = sunspots.load_pandas().data
    years, values = data["YEAR"].to_numpy(dtype=float), data["SUNACTIVITY"].to_numpy(dtype=float)
    return windows("statsmodels sunspots", _FORM, [Line(values[None], years)])


TASK = Task(
    name="sunspots",
    title="How many sunspots will there be in the next five years?",
    kind="regression",
    input_kind="series",
    target="sunspots",
    objectives=(("mae", "minimize"), ("rmse", "minimize"), ("r2", "maximize")),
    read=_read,
    source="statsmodels sunspots",
    shape=(1, 33),
    series=_FORM,
)
