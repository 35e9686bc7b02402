"""Our command as a user gives it, timed: a search, then predictions of what it exported."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

AUTOML = str(Path(sys.executable).with_name("automl"))


def search_and_predict(
    folder: Path, search: tuple[str, ...], judged: str, seconds: int, seed: int
) -> tuple[Any, float, pd.DataFrame]:
    """Return the search's document, the seconds of its command, and the predictions of the file `judged`, all in `folder`."""
    began = time.perf_counter()
    printed = subprocess.run(
        [AUTOML, *search, "--time", str(seconds), "--seed", str(seed), "--json"],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    wall = time.perf_counter() - began
    document = json.loads(printed)
    subprocess.run([AUTOML, "predict", document["bundle"], judged, "--out", "out.csv"], cwd=folder, check=True)
    return document, wall, pd.read_csv(folder / "out.csv")
