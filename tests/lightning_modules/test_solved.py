"""What is solved is what scikit-learn finds; epochs walk along the penalties; and what the features of linear models and kernels say."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from sklearn.linear_model import LogisticRegression, Ridge

from automl import catalog
from automl.bundle.load import build_module
from automl.errors import StorageError
from automl.messages import Field, Spec
from automl.worker.feeds import Held, TrainingFeed
from automl.worker.trainer import fit, input_dtype
from lightning_modules._base import Chunk
from lightning_modules._solved import SolvedModule
from lightning_modules.linear import Terms, Window
from lightning_modules.rocket import Kernels

EPOCH = 12
PENALTY = 1e-6 ** ((EPOCH - 1) / 29)
"""Of the twelfth of 30 epochs."""


def rows_of(count: int, width: int, classes: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of all scales, and a target that needs two of them."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(count, width)) * np.geomspace(0.1, 10, width) + 3
    number = (inputs[:, 0] - 3) * 10 + (inputs[:, -1] - 3) / 10 + random.normal(size=count)
    target = number.argsort().argsort() * classes // count if classes else number
    return torch.from_numpy(inputs).float(), torch.from_numpy(target).to(torch.int64 if classes else torch.float32)


def module_of(family: str, field: Field, classes: int = 0, **params: Any) -> SolvedModule:
    output = Field("y", "class", (classes,), cardinality=classes) if classes else Field("y", "number", (1,))
    spec = Spec((field,), (output,), rows=60, classes=classes, loss="cross_entropy" if classes else "mse")
    torch.manual_seed(0)
    module = catalog.module(family, spec, params)
    assert isinstance(module, SolvedModule)
    return module


def solve(module: SolvedModule, inputs: torch.Tensor, target: torch.Tensor, epochs: int = EPOCH) -> torch.Tensor:
    """Train so long; return outputs for the same rows."""
    with torch.no_grad():
        for _ in range(epochs):
            module.training_step(Chunk(inputs, target, torch.randperm(len(target))), 0)
        return module.eval()(inputs)


def scaled(inputs: torch.Tensor) -> np.ndarray:
    numbers = inputs.double().numpy()
    return np.asarray((numbers - numbers.mean(axis=0)) / numbers.std(axis=0) / math.sqrt(numbers.shape[1]))


@pytest.mark.parametrize(("count", "width"), [(60, 5), (20, 90)])
def test_numbers_are_told_as_ridge_regression_does(count: int, width: int) -> None:
    inputs, target = rows_of(count, width)
    outputs = solve(module_of("linear", Field("x", "table", (width,))), inputs, target)
    ridge = Ridge(alpha=PENALTY * count).fit(scaled(inputs), target)
    np.testing.assert_allclose(outputs.squeeze(1), ridge.predict(scaled(inputs)), atol=2e-3 * float(target.std()))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(("count", "width"), [(60, 5), (20, 90)])
def test_classes_are_told_as_logistic_regression_does(count: int, width: int, classes: int) -> None:
    inputs, target = rows_of(count, width, classes)
    outputs = solve(module_of("linear", Field("x", "table", (width,)), classes), inputs, target)
    strength = classes / (2 * PENALTY * count)
    strength = 2 * strength if classes == 2 else strength  # scikit-learn has one vector of weights for two classes
    logistic = LogisticRegression(C=strength, max_iter=1000, tol=1e-8).fit(scaled(inputs), target)
    np.testing.assert_allclose(outputs.softmax(dim=1), logistic.predict_proba(scaled(inputs)), atol=0.02)


def test_the_penalty_falls_from_epoch_to_epoch() -> None:
    inputs, target = rows_of(60, 5)
    losses = []
    module = module_of("linear", Field("x", "table", (5,)))
    for _ in range(30):
        solve(module, inputs, target, epochs=1)
        losses.append(module.training_loss)
    assert all(later < sooner + 1e-5 for sooner, later in itertools.pairwise(losses))
    assert losses[0] > 1.5 * losses[-1]


def test_a_column_that_never_changes_says_nothing() -> None:
    inputs, target = rows_of(60, 5)
    inputs[:, 2] = 7.0
    module = module_of("linear", Field("x", "table", (5,)))
    outputs = solve(module, inputs, target, epochs=30)
    assert module.network.linear.weight[0, 2] == 0
    assert outputs.isfinite().all()


def test_where_time_runs_out_some_rows_are_learned_from() -> None:
    inputs, target = rows_of(1000, 5)
    module = module_of("linear", Field("x", "table", (5,)))
    module.is_wanted = lambda: False
    outputs = solve(module, inputs, target, epochs=1)
    assert outputs.isfinite().all()
    assert module._path is not None
    assert len(module._path._rows) < 1000


def test_products_and_bends_tell_what_a_line_does_not() -> None:
    random = torch.Generator().manual_seed(0)
    inputs = torch.randn(60, 2, generator=random)
    field = Field("x", "table", (2,))
    for target, choice in (
        (inputs[:, 0] * inputs[:, 1], {"products": True}),
        ((inputs[:, 0].abs() < 0.5).float(), {"bends": True}),
    ):
        plain = solve(module_of("linear", field), inputs, target, epochs=30).squeeze(1)
        better = solve(module_of("linear", field, **choice), inputs, target, epochs=30).squeeze(1)
        assert (better - target).square().mean() < 0.3 * (plain - target).square().mean()


def test_terms_that_would_be_too_many_are_left_out() -> None:
    cardinalities = (0,) * 80 + (3, 2450)
    terms = Terms(Field("x", "table", (82,), cardinalities=cardinalities), bends=True, products=True)
    assert terms.width == 80 + 3 + 80 * 16  # neither the 2,450 levels nor 3,240 products
    assert terms(torch.zeros(2, 82)).shape == (2, terms.width)


def test_a_spectrum_is_the_same_whenever_a_wave_begins() -> None:
    steps = torch.arange(64.0)
    waves = torch.stack([torch.sin(2 * math.pi * (4 * steps / 64 + shift)) for shift in (0.0, 0.2, 0.7)])[:, None]
    read = Window(Field("x", "series", (1, 64)), spectrum=True, window=1.0)(waves)
    spectrum = read[:, 64:]
    torch.testing.assert_close(spectrum, spectrum[:1].expand(3, -1), atol=1e-3, rtol=1e-3)
    assert int(spectrum[0].argmax()) == 3  # four cycles


def test_kernels_tell_a_shape_wherever_it_stands() -> None:
    random = torch.Generator().manual_seed(0)
    rows = 0.3 * torch.randn(120, 1, 100, generator=random)
    target = torch.arange(120) % 2
    shapes = torch.tensor([[0, 1, 2, 3, 2, 1, 0], [3, 2, 1, 0, 1, 2, 3]]) - 1.5
    for row, kind, place in zip(rows, target, torch.randint(0, 90, (120,), generator=random), strict=True):
        row[0, place : place + 7] += shapes[kind]
    module = module_of("rocket", Field("x", "series", (1, 100)), 2, features=1000, changes=0.5)
    solve(module, rows[:60], target[:60], epochs=25)
    assert (module(rows[60:]).argmax(dim=1) == target[60:]).float().mean() > 0.9


@pytest.mark.parametrize("steps", [1, 2, 5, 300])
def test_series_of_any_length_are_read_and_those_without_change_are_finite(steps: int) -> None:
    module = module_of("rocket", Field("x", "series", (2, steps)), 2, features=500, changes=0.5)
    target = torch.arange(20) % 2
    assert solve(module, torch.zeros(20, 2, steps), target, epochs=3).isfinite().all()


def test_of_many_long_series_fewer_features_are_read() -> None:
    widths = []
    for rows in (100, 10_000):
        output = Field("y", "class", (2,), cardinality=2)
        spec = Spec((Field("x", "series", (1, 500)),), (output,), rows=rows, classes=2, loss="cross_entropy")
        widths.append(catalog.module("rocket", spec, {"features": 5000, "changes": 0.0}).network.features.width)
    assert widths[0] > 4500 > 2100 > widths[1]


def test_a_flat_stretch_is_no_matter_of_the_last_bit() -> None:
    """A threshold within rounding of a flat stretch would turn the last bit into a share of steps."""
    torch.manual_seed(0)
    kernels = Kernels(1, 100, 500)
    rows = torch.where(torch.arange(100) < 90, 0.1, torch.randn(30, 1, 100))
    kernels.fit(rows)
    torch.testing.assert_close(kernels(rows), kernels.double()(rows.double()).float(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("precision", ["32-true", "16-mixed", "bf16-mixed", "bf16-true", "16-true", "64-true"])
@pytest.mark.parametrize("family", ["linear", "rocket"])
def test_lightning_solves_whatever_the_precision(family: str, precision: str) -> None:
    random = torch.Generator().manual_seed(0)
    target = torch.arange(60) % 2
    rows = torch.randn(60, 1, 40, generator=random) + 3 * target[:, None, None] * torch.sin(torch.arange(40.0))
    rows = rows.to(input_dtype(precision))
    module = module_of(family, Field("x", "series", (1, 40)), 2, **catalog.space(family).DEFAULT)
    fit(module, TrainingFeed(Held(rows, target), 0), None, epochs=15, precision=precision, callbacks=[])
    assert (module.eval()(rows).argmax(dim=1) == target).float().mean() > 0.9


def test_a_strangers_sizes_build_nothing() -> None:
    spec = Spec((Field("x", "series", (1, 9)),), (Field("y", "number", (1,)),), rows=1, classes=0, loss="mse")
    small = catalog.module("rocket", spec, {"features": 100, "changes": 0.0})
    with pytest.raises(StorageError, match="do not fit"):
        build_module("rocket", {"features": 1 << 22, "changes": 0.0}, spec, save(small.state_dict()), "there")
    assert Window(Field("x", "series", (1, 1 << 20)), spectrum=True, window=1.0).waves.numel() == 0
    assert Terms(Field("x", "table", (1 << 20,)), bends=True, products=True).firsts.numel() == 0


def test_absolute_errors_leave_what_few_giants_say_and_squares_do_not() -> None:
    target = torch.cat((torch.zeros(50), torch.full((10,), 100.0)))
    field, output = Field("x", "table", (1,)), Field("y", "number", (1,))
    spec = Spec((field,), (output,), rows=60, classes=0, loss="mae")
    found = {}
    for squared in (False, True):
        module = catalog.module("linear", spec, {"squared": squared})
        found[squared] = float(solve(module, torch.randn(60, 1), target, epochs=5).mean())
    assert found[False] < 5
    assert found[True] == pytest.approx(100 / 6, rel=0.01)


def test_a_shorter_window_reads_the_newest_steps_alone() -> None:
    read = Window(Field("x", "series", (1, 10)), spectrum=True, window=0.4)
    series = torch.arange(10.0)[None, None]
    assert read(series)[0, :4].tolist() == [6, 7, 8, 9]
    assert torch.equal(read(series), read(torch.where(series < 6, 99.0, series)))
