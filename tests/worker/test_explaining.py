"""What decides a prediction gets the attribution: a column, a corner of a picture, a word. A score never fails of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from automl import catalog
from automl.bundle.combined import combine
from automl.data import Arrays, Schema
from automl.encoding import Category, Date, Forecast, Grid, Number, Series, Words
from automl.messages import Assignment, DataRef, Field, Member, Spec
from automl.worker import explaining
from automl.worker.explaining import chosen_rows, explain
from automl.worker.permuting import MOST_COLUMNS, permutation_importance
from lightning_modules._base import Chunk

ENCODERS = (Number("noise"), Category("town", ("Oslo", "Rome")), Date("day", ("iso",)), Number("more", gaps=True))
TABLE = Schema("t", "regression", "table", "y", ENCODERS)
NEVER = 1e12


def _off(target: np.ndarray, prediction: np.ndarray) -> float:
    return -float(np.sqrt(np.square(target - prediction).mean()))


def _measured(schema: Schema, weights: list[float], rows: int = 400, **more: Any) -> Any:
    """The importance for a model that is a weighted sum of encoded features, and is right but for noise."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(rows, len(weights))).astype(np.float32)
    target = inputs @ weights + 0.3 * rng.normal(size=rows)
    return permutation_importance(
        schema, lambda x: x @ weights, _off, inputs, target, **{"seed": 0, "until": NEVER, **more}
    )


def test_the_one_column_that_matters_is_first_and_the_others_are_nothing() -> None:
    found = _measured(TABLE, [0, 0, 0, 1, 1, 0, 0, 0, 0])
    assert (found.columns[0], found.kinds[0]) == ("day", "date")  # all its features were shuffled together
    (mean, error), others = found.importance[0], found.importance[1:]
    assert mean == pytest.approx(np.sqrt(2 * 2 + 0.09) - 0.3, abs=0.2)
    assert 0 < error < 0.15
    assert (others == 0).all()


def test_a_column_that_the_model_fell_for_is_near_0_within_its_error() -> None:
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(400, 9)).astype(np.float32)
    target = inputs[:, 0] + rng.normal(size=400)
    found = permutation_importance(TABLE, lambda x: x[:, 0] + 0.1 * x[:, 7], _off, inputs, target, seed=0, until=NEVER)
    (mean, error), (noise, doubt) = (
        found.importance[found.columns.index("noise")],
        found.importance[found.columns.index("more")],
    )
    assert mean > 5 * error
    assert abs(noise) < 3 * doubt


def test_equal_seeds_give_equal_importance() -> None:
    first, again = (_measured(TABLE, [1, 0, 0, 0, 0, 0, 0, 1, 0]) for _ in range(2))
    assert first.columns == again.columns
    assert (first.importance == again.importance).all()


def test_of_many_columns_those_that_move_the_prediction_are_measured() -> None:
    schema = replace(TABLE, encoders=tuple(Number(f"c{place}") for place in range(80)))
    found = _measured(schema, [0.0] * 79 + [1.0])
    assert (len(found.columns), found.known) == (MOST_COLUMNS, 80)
    assert found.columns[0] == "c79"


def test_less_time_is_fewer_rows_and_none_is_nothing() -> None:
    found = [_measured(TABLE, [1.0] * 9, rows=4000, until=until, clock=count().__next__) for until in (12, 40)]
    assert [(one.rows, one.repeats) for one in found] == [(200, 2), (493, 5)]
    assert _measured(TABLE, [1.0] * 9, until=0) is None


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks as small as these take ten times as long where threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _families(kind: str) -> list[tuple[str, ...]]:
    """Each that takes such inputs, alone, and two of them as an ensemble."""
    found = [name for name in catalog.families() if kind in catalog.space(name).INPUTS]
    return [*((name,) for name in found), tuple(found[:2])]


def _spec(field: Field, rows: int = 64) -> Spec:
    return Spec((field,), (Field("y", "class", (2,), cardinality=2),), rows=rows, classes=2, loss="cross_entropy")


def _trained(families: tuple[str, ...], field: Field, x: np.ndarray, y: np.ndarray) -> nn.Module:
    """What would be exported: each family by its default parameters after a few steps, and their mean where there are several."""
    torch.manual_seed(0)
    modules = [catalog.module(name, _spec(field), catalog.space(name).DEFAULT) for name in families]
    inputs, target = torch.from_numpy(x), torch.from_numpy(y)
    for module in modules:
        if not any(parameter.requires_grad for parameter in module.parameters()):
            for _ in range(20):
                module.training_step(Chunk(inputs, target, torch.arange(len(target))), 0)
            continue
        optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
        for _ in range(25):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(inputs), target).backward()
            optimizer.step()
    networks = [module.exported().eval() for module in modules]
    return combine(networks, [1 / len(networks)] * len(networks), 1.5, 2)


def _explained(network: nn.Module, schema: Schema, x: np.ndarray, y: np.ndarray, raw: Any, seconds: float = 60) -> Any:
    with torch.no_grad():
        prediction = schema.decode(network(torch.from_numpy(x)).numpy())
    members = (Member(0, 0, 0, "any", {}, 0),)
    asked = Assignment(
        "score-0-0-0", "score", members, Spec((), (), 1, 2, ""), DataRef("", ""), "accuracy", "maximize", 1,
        explaining=seconds,
    )  # fmt: skip
    rows = Arrays(x, y)
    return explain(asked, schema, network, rows, rows, raw, y, prediction)


def _pictures() -> tuple[Schema, np.ndarray, np.ndarray]:
    """The upper right corner decides; the rest is noise."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 1, 8, 8)).astype(np.float32), np.arange(64) % 2
    x[:, 0, :3, 5:] = np.where(y, 2.0, -2.0)[:, None, None]
    names = tuple(map(str, range(64)))
    return Schema("p", "classification", "image", "y", (Grid(names, (1, 8, 8), (0.0,), (1.0,)),), ("a", "b")), x, y


@pytest.mark.slow
@pytest.mark.parametrize("families", _families("image"), ids="+".join)
def test_a_picture_is_explained_by_the_corner_that_decides_it(families: tuple[str, ...]) -> None:
    schema, x, y = _pictures()
    found = _explained(_trained(families, Field("x", "image", (1, 8, 8)), x, y), schema, x, y, x)
    assert found["note"] == ""
    assert found["attributions"].shape == (len(found["rows"]), 8, 8)
    for one in found["attributions"]:
        assert one[:3, 5:].sum() > 0  # it speaks for the prediction
        assert np.abs(one[:3, 5:]).mean() > 3 * np.abs(one[4:, :4]).mean()


def _texts() -> tuple[Schema, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """One word decides, wherever it stands."""
    rng = np.random.default_rng(0)
    texts, y = [], np.arange(64) % 2
    for label in y:
        words = rng.choice(["the", "a", "Is", "of", ",", "cat"], size=rng.integers(3, 9)).tolist()
        words.insert(int(rng.integers(0, len(words))), ("dinner", "prize")[label])
        texts.append(" ".join(words))
    encoder = Words("text", ("the", "a", "is", "of", ",", "cat", "dinner", "prize"), 12)
    raw = {"text": np.array(texts, dtype=object)}
    schema = Schema("w", "classification", "text", "y", (encoder,), ("ham", "spam"))
    return schema, schema.encode(raw), y, raw


@pytest.mark.slow
@pytest.mark.parametrize("families", _families("text"), ids="+".join)
def test_a_text_is_explained_by_the_word_that_decides_it(families: tuple[str, ...]) -> None:
    schema, x, y, raw = _texts()
    found = _explained(_trained(families, Field("x", "text", (12,), cardinality=10), x, y), schema, x, y, raw)
    assert found["note"] == ""
    for text, values in zip(found["texts"].tolist(), found["attributions"], strict=True):
        words = text.lower().split()
        assert np.isnan(values[len(words) :]).all()
        assert words[int(np.argmax(values[: len(words)]))] in ("dinner", "prize")


def _series(rows: int = 64) -> tuple[Schema, np.ndarray, np.ndarray]:
    """The second channel's middle decides; the rest is noise."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 2
    raw = rng.normal(10, 1, (rows, 2, 12))
    raw[:, 1, 5:8] = np.where(y, 14.0, 6.0)[:, None]
    form = Series(("a", "b"), 12, (10.0, 10.0), (1.0, 1.0), is_long=True, id="i")
    schema = Schema("s", "classification", "series", "y", (form,), ("low", "high"))
    return schema, raw.reshape(rows, -1), y


@pytest.mark.slow
@pytest.mark.parametrize("families", _families("series"), ids="+".join)
def test_a_series_is_explained_by_the_steps_that_decide_it(families: tuple[str, ...]) -> None:
    schema, raw, y = _series()
    x = schema.encode(raw)
    found = _explained(_trained(families, Field("x", "series", (2, 12)), x, y), schema, x, y, raw)
    assert found["note"] == ""
    assert found["channels"].tolist() == ["a", "b"]
    assert np.allclose(found["lines"], raw.reshape(-1, 2, 12)[found["rows"]], atol=1e-5)
    for one in found["attributions"]:
        assert one[1, 5:8].sum() > 0
        assert np.abs(one[1, 5:8]).mean() > 3 * np.abs(one[0]).mean()


def test_a_forecast_is_explained_by_the_mean_of_its_steps_and_gaps_belong_to_every_channel() -> None:
    form = Forecast(("y", "p"), steps=4, horizon=2, gaps=True, ahead=("p",), ahead_scales=(1.0,))
    schema = Schema("f", "regression", "series", "y", (form,))
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(12, 8))
    raw[3, 1] = np.nan
    x = schema.encode(raw)
    weights = torch.tensor(rng.normal(size=(2, 12)), dtype=torch.float32)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2, bias=False))
    network[1].weight.data = weights
    target = rng.normal(size=(12, 2))
    found = explain(
        Assignment("score-0-0-0", "score", (Member(0, 0, 0, "any", {}, 0),), Spec((), (), 1, 0, ""), DataRef("", ""), "mae", "minimize",
                   1, explaining=60.0),
        schema, network, Arrays(x, target), Arrays(x, target), raw, target, np.zeros((12, 2)),
    )  # fmt: skip
    expected = ((x - x.mean(axis=0)) * weights.mean(dim=0).numpy().reshape(3, 4))[found["rows"]]
    assert np.allclose(found["attributions"], expected[:, :2] + expected[:, 2:] / 2, atol=1e-5)
    assert (found["begins"].tolist(), int(found["every"])) == ([-3, -1], 1)
    assert len(found["rows"]) == 8


def test_a_shorter_series_is_drawn_from_its_beginning_and_a_mean_has_the_number_of_its_newest_step() -> None:
    form = Series(("a",), 5, (1.0,), (2.0,), every=2, gaps=True, is_long=True, id="i")
    raw = np.tile([np.nan, np.nan, 3.0, 4.0, 5.0], (12, 1))
    schema, y = Schema("s", "classification", "series", "y", (form,), ("low", "high")), np.arange(12) % 2
    network = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    found = _explained(network, schema, schema.encode(raw), y, raw)
    assert np.allclose(found["lines"][0, 0], [np.nan, 3.0, 4.5], equal_nan=True)
    assert (int(found["begins"][0]), int(found["every"])) == (1, 2)


def test_wrong_rows_and_right_ones_of_each_class_are_chosen() -> None:
    chances = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9], [0.99, 0.01], [0.3, 0.7]])
    assert chosen_rows(np.array([1, 1, 1, 1, 0, 0]), chances) == [0, 4, 5, 3, 2, 1]
    assert chosen_rows(np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0, 3.5])) == [1, 0, 2]
    steps = np.array([[1.0, np.nan], [2.0, 2.0], [3.0, 3.0]])
    assert chosen_rows(steps, np.array([[1.0, 9.0], [5.0, 5.0], [3.5, 3.5]])) == [1, 0, 2]


class _Deaf(nn.Module):
    """A network of one's own without a vector per word."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack((x.mean(dim=1), x.amax(dim=1)), dim=1)


def test_a_network_that_cannot_be_explained_is_a_note_and_no_failure() -> None:
    schema, x, y, raw = _texts()
    found = _explained(_Deaf(), schema, x, y, raw)
    assert list(found) == ["note"]
    assert "ValueError: the network asks no torch.nn.Embedding" in str(found["note"])


def test_without_captum_a_note_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    schema, x, y = _pictures()
    found = _explained(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), schema, x, y, x)
    assert found == {"note": np.array(explaining.NO_CAPTUM)}


def test_where_no_time_is_left_a_note_says_so() -> None:
    schema, x, y = _pictures()
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    assert _explained(network, schema, x, y, x, seconds=0.0) == {"note": np.array(explaining.NO_TIME)}
