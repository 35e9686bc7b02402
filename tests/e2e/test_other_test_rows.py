"""A whole search whose test rows are unlike those that it learned from: it says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.config import make_config
from automl.run import search
from automl.tasks import Choices, load_task


@pytest.mark.slow
def test_test_rows_far_worse_than_validation_rows_are_a_reason(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(900, 3)), columns=list("abc"))
    frame["y"] = np.where(frame["a"] + frame["b"] > 0, "yes", "no")
    test = frame.iloc[600:].copy()
    test["y"] = rng.permutation(test["y"])
    frame.iloc[:600].to_csv(tmp_path / "train.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    config = make_config(families=("linear",), budget={"trials": 2}, executor="inline", tracking=False)
    task = load_task(str(tmp_path / "train.csv"), Choices(target="y", test=str(tmp_path / "test.csv")))
    document = search(task, config)
    assert document["best"]["validation"] > 0.9
    assert any("unlike what it learned from" in reason for reason in document["reasons"])
