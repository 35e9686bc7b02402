"""What a forecast must beat to be worth its trouble: the last value, the last season repeated, a linear model of the window."""

from __future__ import annotations

import numpy as np

from automl.data import Arrays, Schema
from automl.encoding import Forecast, Raw


def forecast_baselines(
    schema: Schema, known: Arrays, unknown: np.ndarray, units: np.ndarray | None, raw: Raw
) -> dict[str, np.ndarray]:
    """Fit on all windows of `known`; return each baseline's forecasts (windows, horizon) of `unknown`, in the target's own units.

    `units` are those of `unknown`, and `raw` the same windows before they were encoded. Names: `last_value`; `seasonal_naive`, where
    there is a season (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed. 2021, section 5.2); and `linear`,
    ridge regression of all next steps on the encoded window.
    """
    form = schema.encoders[0]
    assert isinstance(form, Forecast)
    assert isinstance(raw, np.ndarray)
    values = form.known(raw)[:, 0]
    found = {"last_value": np.repeat(values[:, -1:], form.horizon, axis=1)}
    if form.season > 1:
        found["seasonal_naive"] = values[:, -form.season :][:, np.arange(form.horizon) % form.season]
    return {**found, "linear": _linear(schema, known, unknown, units)}


def _linear(schema: Schema, known: Arrays, unknown: np.ndarray, units: np.ndarray | None) -> np.ndarray:
    """A step that is missing among the targets counts as its base, which is what a model that knows nothing says."""
    from sklearn.linear_model import Ridge
    from threadpoolctl import threadpool_limits

    inputs, target = np.asarray(known.inputs), np.nan_to_num(known.target)
    with threadpool_limits(1):
        model = Ridge(alpha=1.0).fit(inputs.reshape(len(inputs), -1), target)
        outputs = model.predict(np.asarray(unknown).reshape(len(unknown), -1))
    return schema.decode(outputs.reshape(len(outputs), -1), units)
