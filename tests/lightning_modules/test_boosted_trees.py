"""The trees are scikit-learn's, and what is kept of them says what scikit-learn's own say. A change of its private parts fails here."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from automl import catalog
from automl.bundle.combined import combine
from automl.bundle.load import build_module
from automl.bundle.onnx import to_onnx
from automl.errors import StorageError
from automl.messages import Field, Spec
from automl.worker.feeds import Held, TrainingFeed
from automl.worker.trainer import fit, input_dtype
from lightning_modules._base import Batch, Chunk, FamilyModule

ROWS, CODES = 400, 6


def table(
    classes: int, cardinalities: tuple[int, ...] = (0, 0, 0, 0), seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers, and a last column of codes, of which the target needs 1, 3 and 4 together."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(ROWS, 4)).astype(np.float32)
    inputs[:, 2] = inputs[:, 2].round(1)  # ties
    inputs[:, 3] = random.integers(0, CODES, ROWS)
    number = inputs[:, 0] * inputs[:, 1] + inputs[:, 2] + 2 * np.isin(inputs[:, 3], (1, 3, 4))
    target = number.argsort().argsort() * classes // ROWS if classes else number
    return torch.from_numpy(inputs), torch.from_numpy(target if classes else target.astype(np.float32))


def spec_of(classes: int, cardinalities: tuple[int, ...] = (), epochs: int = 5) -> Spec:
    output = Field("y", "class", (classes,), cardinality=classes) if classes else Field("y", "number", (1,))
    inputs = Field("x", "table", (4,), cardinalities=cardinalities)
    return Spec((inputs,), (output,), ROWS, classes, "cross_entropy" if classes else "mse", max_resource=epochs)


def build(spec: Spec, seed: int = 0, **changed: Any) -> FamilyModule:
    torch.manual_seed(seed)
    return catalog.module("boosted_trees", spec, {**catalog.space("boosted_trees").DEFAULT, "rounds": 20, **changed})


def grow(module: FamilyModule, inputs: torch.Tensor, target: torch.Tensor, epochs: int = 5) -> FamilyModule:
    for epoch in range(epochs):
        order = torch.randperm(len(target), generator=torch.Generator().manual_seed(epoch))
        module.training_step(Chunk(inputs, target, order), 0)
    return module.eval()


def scikit_learns(classes: int, categorical: list[int]) -> Any:
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(
        max_iter=20,
        max_depth=12,
        l2_regularization=1.0,
        early_stopping=False,
        categorical_features=categorical or None,
        random_state=0,
    )


@pytest.mark.parametrize("cardinalities", [(), (0, 0, 0, CODES)])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_outputs_are_scikit_learns_on_new_rows(classes: int, cardinalities: tuple[int, ...]) -> None:
    inputs, target = table(classes)
    theirs = scikit_learns(classes, [3] if cardinalities else [])
    with threadpool_limits(1):  # on a busy machine its threads take 30 s for what one does in 0.2 s
        theirs.fit(inputs.numpy(), target.numpy())
    module = grow(build(spec_of(classes, cardinalities)), inputs, target)

    new, _ = table(classes, seed=1)
    outputs = module(new).numpy()
    expected = (theirs.decision_function if classes else theirs.predict)(new.numpy().astype(np.float64))
    found = outputs[:, 1] - outputs[:, 0] if classes == 2 else outputs.squeeze()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_balanced_classes_are_scikit_learns_where_each_value_has_a_bin(classes: int) -> None:
    """Its newer versions weigh the rows of a bin too; ours bins alike whatever the weights."""
    inputs, target = table(classes)
    inputs = inputs.round(decimals=1)
    target = torch.where(target == 1, target, target * (torch.arange(ROWS) % 9 == 0))  # the first class is frequent
    theirs = scikit_learns(classes, []).set_params(class_weight="balanced")
    with threadpool_limits(1):
        theirs.fit(inputs.numpy(), target.numpy())
    spec = dataclasses.replace(spec_of(classes), class_rows=tuple(torch.bincount(target).tolist()))
    outputs = grow(build(spec, class_balance=1.0), inputs, target)(inputs).numpy()
    expected = theirs.decision_function(inputs.numpy().astype(np.float64))
    np.testing.assert_allclose(outputs[:, 1] - outputs[:, 0] if classes == 2 else outputs, expected, atol=1e-5)


def test_medians_are_scikit_learns() -> None:
    inputs, target = table(0)
    theirs = scikit_learns(0, []).set_params(loss="absolute_error")
    with threadpool_limits(1):
        theirs.fit(inputs.numpy(), target.numpy())
    module = grow(build(dataclasses.replace(spec_of(0), loss="mae")), inputs, target)
    new, _ = table(0, seed=1)
    expected = theirs.predict(new.numpy().astype(np.float64))
    np.testing.assert_allclose(module(new).squeeze().numpy(), expected, atol=1e-5)


def test_a_row_on_a_threshold_goes_as_it_did_while_growing() -> None:
    """Midpoints of neighbouring float32 lie between them in float64 and on one of them in float32."""
    low = np.float32(1.0)
    inputs = torch.tensor([low, np.nextafter(low, np.float32(2))]).repeat(50).unsqueeze(1).repeat(1, 4)
    target = torch.tensor([0.0, 1.0]).repeat(50)
    outputs = grow(build(spec_of(0)), inputs, target)(inputs).squeeze(-1)
    assert outputs[0] < 0.2
    assert outputs[1] > 0.8


def test_epochs_share_the_rounds() -> None:
    inputs, target = table(0)
    module, seen = build(spec_of(0, epochs=3)), []
    for _ in range(4):
        grow(module, inputs, target, epochs=1)
        roots = module.network.below[:: 2 * module.network.size]
        seen.append(int((roots != torch.arange(20) * module.network.size).sum()))
    assert seen == [7, 14, 20, 20]


def test_a_chunk_ends_when_it_is_no_longer_wanted() -> None:
    inputs, target = table(0)
    module = build(spec_of(0))
    module.is_wanted = lambda: False
    grow(module, inputs, target, epochs=1)
    assert module.network.value.view(20, -1).any(dim=1).sum() == 1


def test_the_seed_decides_the_draws() -> None:
    inputs, target = table(3)
    first, second, other = (
        grow(build(spec_of(3), seed, rows=0.7, max_features=0.5), inputs, target)(inputs) for seed in (3, 3, 4)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_evaluation_adds_up_over_epochs_to_what_the_network_says() -> None:
    inputs, target = table(3)
    module = build(spec_of(3))

    class Feed:
        def __init__(self) -> None:
            self.target = target

        def batches(self) -> Any:
            return iter((Batch(inputs, target),))

        def measure(self, outputs: torch.Tensor) -> dict[str, float]:
            self.outputs = outputs
            return {}

    feed = Feed()
    for _ in range(5):
        grow(module, inputs, target, epochs=1)
        module.evaluate(feed)
        torch.testing.assert_close(feed.outputs, module(inputs))


def test_a_class_without_rows_is_unlikely_and_no_error() -> None:
    inputs, target = table(3)
    shares = grow(build(spec_of(4)), inputs, target)(inputs).softmax(dim=1)
    assert shares[:, 3].max() < 1e-3


def test_more_codes_than_bins_are_numbers() -> None:
    inputs, target = table(3)
    plain, many = (grow(build(spec_of(3, codes)), inputs, target)(inputs) for codes in ((), (0, 0, 0, 300)))
    assert torch.equal(plain, many)


@pytest.mark.parametrize("precision", ["32-true", "16-mixed", "bf16-mixed", "bf16-true", "16-true", "64-true"])
def test_lightning_trains_without_an_optimizer_whatever_the_precision(precision: str) -> None:
    inputs, target = table(3)
    inputs, module = inputs.to(input_dtype(precision)), build(spec_of(3))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*optimizer")
        fit(module, TrainingFeed(Held(inputs, target), 0), None, epochs=5, precision=precision, callbacks=[])
    assert (module.eval()(inputs).argmax(dim=1) == target).float().mean() > 0.8


@pytest.mark.slow
def test_trees_and_a_network_leave_as_one_model() -> None:
    inputs, target = table(3)
    trees = grow(build(spec_of(3)), inputs, target)
    network = catalog.module("mlp", spec_of(3), {"depth": 1, "width": 8, "dropout": 0.0}).eval()
    both = combine([trees.exported(), network.exported()], [0.6, 0.4], 1.5, 3)
    assert to_onnx(both, inputs[:32].numpy())


def test_a_strangers_sizes_build_nothing() -> None:
    spec = spec_of(3)
    params = {**catalog.space("boosted_trees").DEFAULT, "rounds": 1 << 22}
    with pytest.raises(StorageError, match="more than the weights hold"):
        build_module("boosted_trees", params, spec, save(build(spec).state_dict()), "there")


@pytest.mark.slow
def test_trees_with_categories_leave_as_pt2_and_onnx() -> None:
    """`to_onnx` compares by itself; rows of one batch size must not fix it."""
    inputs, target = table(3)
    network = grow(build(spec_of(3, (0, 0, 0, CODES))), inputs, target).exported()
    program = torch.export.export(network, (inputs[:5],), dynamic_shapes=({0: torch.export.Dim("batch")},))
    assert torch.equal(program.module()(inputs), network(inputs))
    assert to_onnx(network, inputs[:32].numpy())


@pytest.mark.slow
def test_predicting_needs_no_scikit_learn_and_spoils_no_scipy() -> None:
    """Lightning is imported around `scipy.signal`, which others may want later."""
    code = (
        "import sys, torch, lightning_modules.boosted_trees as family\n"
        "from lightning_modules._trees import Trees\n"
        "Trees(rounds=3, classes=3, max_leaf_nodes=4, max_depth=2).forward(torch.zeros(2, 4))\n"
        "print('sklearn' in sys.modules, 'scipy.stats' in sys.modules)\n"
        "import scipy.signal\nprint(scipy.signal.find_peaks([0, 1, 0])[0][0])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "False", "1"]
