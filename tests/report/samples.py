"""Searches made up for the report's tests: attempts, a header, and what a score leaves. No test belongs here."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import stubs

from automl.ledger import Attempt, Header, SearchFolder
from automl.messages import Artifact, Outcome
from automl.report import Material, gather
from automl.report.slots import Trials, default_slot, slots_of

SPACE = {
    "lr": {"kind": "float", "low": 1e-4, "high": 1e-1, "step": None, "log": True},
    "depth": {"kind": "int", "low": 1, "high": 4, "step": 1, "log": False},
    "optimizer": {"kind": "categorical", "choices": ["sgd", "adam", "adamw"]},
}
PARAMS = {"lr": 0.00123456, "depth": 2, "optimizer": "adamw"}
BEGAN = 1_700_000_000_000


def attempt(
    number: int, value: float | None = 0.9, state: str = "complete", family: str = "mlp", **more: Any
) -> Attempt:
    """A trial that took two seconds, one after the other."""
    steps = more.pop("steps", 6)
    curve = () if value is None else tuple((step, {"objective": value - 0.3 / step}) for step in range(1, steps))
    if value is not None:
        curve = (*curve, (steps, {"objective": value}))
    reason = more.pop("reason", "" if state == "complete" else "stopped")
    cost = {"seconds": 2.0, "peak_memory_mb": 300.0}
    outcome = Outcome(f"trial-{number}-0-0", 0, state, reason, value=value, steps=steps, curve=curve, cost=cost)
    trial = Attempt("trial", number, 0, 0, family, more.pop("params", PARAMS), number, state=state, final=True)
    opened = BEGAN + 2000 * number
    return replace(
        trial, value=value, outcome=outcome, reason=reason, opened_ms=opened, closed_ms=opened + 2000, **more
    )


SLOTS = (
    attempt(0, 0.9),
    attempt(1, 0.95, family="cnn"),
    attempt(2, 0.5, "pruned"),
    attempt(3, None, "failed", reason="diverged (NaN at epoch 3)"),
)


def document(**more: Any) -> dict[str, Any]:
    """What a finished search prints."""
    return {
        "search": "digits-0",
        "task": "digits",
        "metric": "accuracy",
        "direction": "maximize",
        "seed": 0,
        "seconds": 41.2,
        "phases": {"start": 2.9, "search": 18.4},
        "epochs": 402,
        "slots": {"planned": 4, "complete": 2, "pruned": 1, "failed": 1, "interrupted": 0, "retried": 0},
        "best": {
            "family": "cnn",
            "slot": 1,
            "params": {"lr": 0.01},
            "validation": 0.989,
            "test": 0.986,
            "test_interval": [0.975, 0.994],
        },
        "default": {"slot": 1, "validation": 0.972},
        "confirmed": [{"slot": 1, "family": "cnn", "values": [0.988, 0.99, 0.989]}],
        "baselines": {"majority": 0.1, "linear": 0.95},
        "test_gains": {"default": [0.012, 0.003, 0.02], "linear": [0.036, -0.002, 0.05]},
        "verdict": "better than default",
        "reasons": ["On 3 fresh seeds the winner's mean is 0.989."],
        "bundle": "exports/digits/v-0123456789ab",
        "report": "reports/digits-0/index.html",
        **more,
    }


def header(**more: Any) -> Header:
    """Of a search over two families."""
    spaces = {"mlp": SPACE, "cnn": SPACE}
    code = {"git_commit": "c0ffee" * 6, "families": {"mlp": "aaaa"}, "versions": {"torch": "2.13.0"}}
    config = {"budget": {"trials": 4, "seconds": None}, "seed": 0, "sampler": "tpe", "families": ["mlp", "cnn"]}
    return replace(stubs.header("digits-0"), **{"spaces": spaces, "code": code, "config": config, **more})


def material(
    attempts: Sequence[Attempt] = SLOTS, folder: Path = Path("nowhere"), of: Header | None = None, **more: Any
) -> Material:
    """A report's material."""
    return gather(of or header(), attempts, SearchFolder(folder), document(**more))


def trials(attempts: Sequence[Attempt] = SLOTS, direction: str = "maximize", winner: int | None = None) -> Trials:
    """Slots as figures take them."""
    slots = slots_of(attempts)
    return Trials(slots, "accuracy", direction, default_slot(slots, direction, None), winner)


def score(
    folder: Path, target: np.ndarray, prediction: np.ndarray, explained: dict[str, Any] | None = None, **hardest: Any
) -> Attempt:
    """A score that left its files in the search's folder."""
    rows = {"rows": np.array([0]), "inputs": np.zeros((1, 1, 8, 8)), "labels": np.array([], dtype=np.str_), **hardest}
    arrays = {"predictions": {"target": target, "model": prediction}, "hardest": rows}
    if explained is not None:
        arrays["explained"] = {"note": "", **explained}
    (folder / "artifacts").mkdir(exist_ok=True)
    artifacts = {}
    for name, content in arrays.items():
        path = f"artifacts/{name}.npz"
        np.savez(folder / path, allow_pickle=False, **content)
        content_hash = hashlib.sha256((folder / path).read_bytes()).hexdigest()
        artifacts[name] = Artifact(path, content_hash, (folder / path).stat().st_size)
    outcome = Outcome("score-1-0-0", 0, "complete", value=0.9, artifacts=artifacts)
    done = Attempt("score", 1, 0, 0, "cnn", PARAMS, 0, state="complete", final=True, outcome=outcome)
    return replace(done, opened_ms=BEGAN, closed_ms=BEGAN + 1000)


def important(*columns: str, known: int = 0) -> dict[str, Any]:
    """What was explained of a table whose columns matter less and less."""
    means = np.linspace(0.3, -0.01, len(columns))
    return {
        "columns": np.array(columns, dtype=np.str_),
        "kinds": np.resize(["number", "category", "date", "text"], len(columns)),
        "importance": np.column_stack((means, np.full(len(columns), 0.02))),
        "counts": np.array([5, 300, known or len(columns)]),
    }


def heated(pictures: np.ndarray, rows: Sequence[int]) -> dict[str, Any]:
    """What was explained of pictures: the upper left speaks for each prediction, a place in the middle against it."""
    attributions = np.zeros((len(pictures), *pictures.shape[2:]))
    attributions[:, :2, :2], attributions[:, 4, 4] = 1.0, -0.5
    return {"rows": np.array(rows), "inputs": pictures, "attributions": attributions}


def coloured(texts: Sequence[str], attributions: Sequence[Sequence[float]], rows: Sequence[int]) -> dict[str, Any]:
    """What was explained of texts."""
    longest = max(map(len, attributions))
    padded = np.array([[*one, *[np.nan] * (longest - len(one))] for one in attributions])
    return {"rows": np.array(rows), "texts": np.array(texts, dtype=np.str_), "attributions": padded}


def followed(
    lines: np.ndarray, attributions: np.ndarray, rows: Sequence[int], begins: Sequence[int] = (1,)
) -> dict[str, Any]:
    """What was explained of series (rows, channels, steps)."""
    names = np.array(["sold", "price", "rain", "wind"][: lines.shape[1]])
    first = np.resize(np.array(begins), lines.shape[1])
    found = {"rows": np.array(rows), "attributions": attributions, "lines": lines}
    return {**found, "channels": names, "begins": first, "every": np.array(1)}


def thousand() -> list[Attempt]:
    """1,000 slots of two families with twelve parameters each and curves of up to 30 epochs, as a long search leaves them."""
    rng = random.Random(0)
    found = []
    for number in range(1000):
        params = {f"parameter_{place}": 10 ** rng.uniform(-5, -1) for place in range(8)}
        params |= {f"choice_{place}": rng.choice(["sgd", "adam", "adamw", "adagrad"]) for place in range(2)}
        params |= {f"count_{place}": rng.randint(1, 512) for place in range(2)}
        state = "complete" if number % 3 == 0 else "pruned"
        value = 0.9 + 0.1 * rng.random() - abs(params["parameter_0"] - 0.01)
        family = ("mlp", "cnn")[number % 2]
        found.append(attempt(number, value, state, family, params=params, steps=30 if state == "complete" else 9))
    return found
