"""What every family promises, checked on each that the catalog finds: parameters bind, shapes hold, steps learn, seeds repeat.

A table is checked three times: of numbers alone (`table`), of numbers and codes in mixed order (`mixed`), of codes alone (`codes`).
"""

from __future__ import annotations

import dataclasses
import inspect
import random
from collections import Counter
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch.nn import functional as F

from automl import catalog
from automl.coordinator.space import default_point
from automl.errors import ConfigError
from automl.messages import Field, Spec
from lightning_modules._base import Batch, Chunk, FamilyModule

VOCABULARY = 40
FIELDS = {
    "table": Field("x", "table", (7,)),
    "mixed": Field("x", "table", (7,), cardinalities=(0, 5, 0, 0, 300, 2, 0)),
    "codes": Field("x", "table", (4,), cardinalities=(3, 40, 2, 3)),
    "vector": Field("x", "vector", (7,)),
    "image": Field("x", "image", (1, 8, 8)),
    "text": Field("x", "text", (9,), cardinality=VOCABULARY),
    "series": Field("x", "series", (2, 12)),
}
FORMS = {"table": ("table", "mixed", "codes")}
"""What a kind of input stands for, where it is not one field."""
CASES = [
    (family, form, classes)
    for family in catalog.families()
    for kind in catalog.space(family).INPUTS
    for form in FORMS.get(kind, (kind,))
    for classes in (3, 0)
]
CODED = [(family, form) for family, form, classes in CASES if FIELDS[form].cardinalities and classes]
READS_CODES = {"ft_transformer", "linear", "mlp", "realmlp", "resnet_table", "tabm"}
"""Families with a vector per level. Trees know none before they are trained, and a family of one's own may take a code for a number."""
SOLVED = {"linear", "rocket"}
"""Families without an optimiser and a course of training to choose."""
ROWS = 24


FORECAST = Spec((FIELDS["series"],), (Field("y", "steps", (4,)),), rows=800, classes=0, loss="mse")


class RandomTrial:
    """A trial that draws at random, or answers from `given` and refuses what lies outside the range."""

    def __init__(self, seed: int = 0, given: dict[str, Any] | None = None) -> None:
        self.random = random.Random(seed)
        self.given = given

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        value = self.random.randrange(low, high + 1, step) if self.given is None else self.given[name]
        assert value in range(low, high + 1, step), f"{name}={value} lies outside {low}..{high}"
        return value

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        value = self.random.uniform(low, high) if self.given is None else self.given[name]
        assert low <= value <= high, f"{name}={value} lies outside {low}..{high}"
        return value

    def suggest_categorical(self, name: str, choices: list[Any]) -> Any:
        value = self.random.choice(choices) if self.given is None else self.given[name]
        assert value in choices, f"{name}={value} is none of {choices}"
        return value


def spec_of(form: str, classes: int) -> Spec:
    output = Field("y", "class", (classes,), cardinality=classes) if classes else Field("y", "number", (1,))
    loss = "cross_entropy" if classes else "mse"
    return Spec((FIELDS[form],), (output,), rows=800, classes=classes, loss=loss)


def default_of(family: str, spec: Spec) -> dict[str, Any]:
    """The default as a search enqueues it: what `suggest` makes of it under this spec."""
    given = {"class_balance": 0.0, **catalog.space(family).DEFAULT}  # a default never balances classes
    return catalog.space(family).suggest(RandomTrial(given=given), spec)


def build(family: str, spec: Spec, params: dict[str, Any] | None = None, seed: int = 0) -> FamilyModule:
    torch.manual_seed(seed)
    module = catalog.module(family, spec, default_of(family, spec) if params is None else params)
    assert isinstance(module, FamilyModule)
    return module


def batch_of(spec: Spec, rows: int = ROWS) -> Batch:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(rows, *spec.input.shape, generator=generator)
    if spec.input.kind == "text":
        inputs = texts(rows, spec.input.shape[0])
    number = inputs.flatten(1).mean(dim=1) * spec.input.shape[-1]
    for place, cardinality in enumerate(spec.input.cardinalities):
        if cardinality:
            ranks = inputs[:, place].argsort().argsort()
            inputs[:, place] = (ranks * cardinality // rows).float()  # from 0 on, ordered as the number was
    return Batch(inputs, number.argsort().argsort() * spec.classes // rows if spec.classes else number)


def texts(rows: int, words: int) -> torch.Tensor:
    """Codes of words with padding behind them, from one word to all."""
    codes = torch.randint(1, VOCABULARY, (rows, words), generator=torch.Generator().manual_seed(1)).float()
    return codes * (torch.arange(words) <= torch.arange(rows)[:, None] % words)


def keywords_of(family: str) -> dict[str, inspect.Parameter]:
    """Keyword parameters of the family's `__init__`, with those of its base where it passes `**kwargs` on."""
    found: dict[str, inspect.Parameter] = {}
    for owner in type(build(family, spec_of(catalog.space(family).INPUTS[0], 3))).__mro__:
        parameters = inspect.signature(owner.__init__).parameters.values()
        for parameter in parameters:
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                found.setdefault(parameter.name, parameter)
        if owner is FamilyModule or not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
            break
    return found


@pytest.mark.parametrize(("family", "form", "classes"), CASES)
def test_each_suggestion_binds_to_the_module(family: str, form: str, classes: int) -> None:
    keywords, spec = keywords_of(family), spec_of(form, classes)
    suggested = [set(catalog.space(family).suggest(RandomTrial(seed), spec)) for seed in range(200)]

    assert set.union(*suggested) <= set(keywords)
    for name in set.union(*suggested) - set.intersection(*suggested):
        assert keywords[name].default is not inspect.Parameter.empty, f"{name} is in some branches only"
    required = {name for name, parameter in keywords.items() if parameter.default is inspect.Parameter.empty}
    assert required <= set.intersection(*suggested)


@pytest.mark.parametrize("family", catalog.families())
def test_a_space_has_six_to_twelve_parameters(family: str) -> None:
    """Fixed ones, by which a family differs from what it was, are not searched. What is solved has less to choose."""
    spec = spec_of(catalog.space(family).INPUTS[0], 3)
    points = [catalog.space(family).suggest(RandomTrial(seed), spec) for seed in range(200)]
    seen = {(name, value) for point in points for name, value in point.items()}
    searched = {name for name, count in Counter(name for name, _ in seen).items() if count > 1}
    assert (2 if family in SOLVED else 6) <= len(searched) <= 12


@pytest.mark.parametrize("family", catalog.families())
def test_the_default_is_a_point_of_the_space(family: str) -> None:
    """What it says of other inputs is theirs."""
    space = catalog.space(family)
    specs = [spec_of(kind, classes) for kind in space.INPUTS for classes in (3, 0)]
    specs += [dataclasses.replace(spec, loss="mae") for spec in specs if not spec.classes]
    specs += [FORECAST] if "series" in space.INPUTS else []
    found = [space.suggest(RandomTrial(given=space.DEFAULT), spec) for spec in specs]
    assert {name: value for one in found for name, value in one.items()} == space.DEFAULT


@pytest.mark.parametrize(("family", "form", "classes"), CASES)
def test_random_suggestions_give_one_output_row_per_input_row(family: str, form: str, classes: int) -> None:
    spec = spec_of(form, classes)
    for seed in range(5):
        module = build(family, spec, catalog.space(family).suggest(RandomTrial(seed), spec)).eval()
        assert module(batch_of(spec).inputs).shape == (ROWS, spec.output_size)


@pytest.mark.parametrize(("family", "form", "classes"), CASES)
def test_a_few_steps_lower_the_loss(family: str, form: str, classes: int) -> None:
    spec = spec_of(form, classes)
    module, batch = build(family, spec), batch_of(spec)

    def loss() -> float:
        with torch.no_grad():
            return module.eval().loss(module(batch.inputs), batch.target).item()

    before = loss()
    module.train()
    learn(module, batch)
    assert loss() < before


def learn(module: FamilyModule, batch: Batch, steps: int = 20) -> None:
    """Visit the batch so often: by Adam's steps, or in one chunk where nothing is descended and the family grows or solves."""
    if not any(parameter.requires_grad for parameter in module.parameters()):
        return module.training_step(Chunk(*batch, torch.arange(len(batch.target)).repeat(steps)), 0)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    for step in range(steps):
        for value in module.losses(batch, step):
            optimizer.zero_grad()
            value.backward()
            optimizer.step()


@pytest.mark.parametrize("family", catalog.families())
def test_balanced_classes_raise_the_rare_classs_recall_and_leave_the_measured_loss_alone(family: str) -> None:
    spec = dataclasses.replace(spec_of(catalog.space(family).INPUTS[0], 2), rows=200, class_rows=(190, 10))
    inputs, _ = batch_of(spec, rows=200)
    rare = torch.arange(200) % 20 == 0
    inputs[rare] = (
        inputs[rare] if spec.input.kind == "text" else inputs[rare] + 0.5
    )  # shifted, and still among the others
    batch, recalls = Batch(inputs, rare.long()), []
    for strength in (0.0, 1.0):
        module = build(family, spec, {**default_of(family, spec), "class_balance": strength})
        outputs = module.eval()(inputs)
        torch.testing.assert_close(module.loss(outputs, batch.target), F.cross_entropy(outputs, batch.target))
        learn(module.train(), batch, steps=40)
        recalls.append(float((module.eval()(inputs).argmax(dim=1) == 1)[rare].float().mean()))
    assert recalls[1] > recalls[0]


@pytest.mark.parametrize("family", catalog.families())
def test_uneven_classes_are_balanced_where_the_search_says_so_and_never_by_default(family: str) -> None:
    even, space = spec_of(catalog.space(family).INPUTS[0], 3), catalog.space(family)
    for rows, proposes in (((300, 250, 101), False), ((300, 250, 100), True), ((300, 250, 0), True)):
        spec = dataclasses.replace(even, class_rows=rows)
        assert ("class_balance" in space.suggest(RandomTrial(), spec)) is proposes
        assert default_point(space, spec, {})[0].get("class_balance", 0.0) == 0.0


@pytest.mark.parametrize("family", catalog.families())
def test_the_same_seed_gives_the_same_weights(family: str) -> None:
    spec = spec_of(catalog.space(family).INPUTS[0], 3)
    first, second, other = (build(family, spec, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize(("family", "form", "classes"), CASES)
def test_the_exported_module_is_plain_and_gives_the_same_outputs(family: str, form: str, classes: int) -> None:
    spec = spec_of(form, classes)
    module = build(family, spec).eval()
    exported = module.exported().eval()
    inputs = batch_of(spec).inputs
    assert not any(type(part).__module__.startswith("pytorch_lightning") for part in exported.modules())
    assert not any(isinstance(part, FamilyModule) for part in exported.modules())
    torch.testing.assert_close(exported(inputs), module(inputs), rtol=0, atol=0)


@pytest.mark.parametrize("family", catalog.families())
def test_weights_pass_through_safetensors(family: str) -> None:
    spec = spec_of(catalog.space(family).INPUTS[0], 3)
    trained, fresh = build(family, spec, seed=1), build(family, spec, seed=2)
    fresh.load_state_dict(load(save(trained.state_dict())))
    inputs = batch_of(spec).inputs
    assert torch.equal(fresh.eval()(inputs), trained.eval()(inputs))


@pytest.mark.slow
@pytest.mark.parametrize(("family", "form"), [(family, form) for family, form, classes in CASES if classes])
def test_torch_export_keeps_the_batch_dynamic(family: str, form: str) -> None:
    spec = spec_of(form, 3)
    exported, inputs = build(family, spec).exported().eval(), batch_of(spec).inputs
    program = torch.export.export(exported, (inputs,), dynamic_shapes=({0: torch.export.Dim("batch")},)).module()
    for rows in (1, 5, ROWS):
        torch.testing.assert_close(program(inputs[:rows]), exported(inputs[:rows]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("family", "form"), CODED)
def test_a_missing_row_gives_finite_outputs(family: str, form: str) -> None:
    spec = spec_of(form, 3)
    module = build(family, spec)
    for is_training in (True, False):
        assert module.train(is_training)(torch.zeros(ROWS, *spec.input.shape)).isfinite().all()


@pytest.mark.parametrize(("family", "form"), [case for case in CODED if case[0] in READS_CODES])
def test_each_code_has_its_own_outputs_and_one_out_of_range_is_unseen(family: str, form: str) -> None:
    spec = spec_of(form, 3)
    module = build(family, spec).eval()
    place, cardinality = next((p, c) for p, c in enumerate(spec.input.cardinalities) if c)
    inputs = torch.zeros(cardinality + 1, *spec.input.shape)
    inputs[:, place] = torch.arange(cardinality + 1)
    outputs = module(inputs)
    assert len(outputs[:cardinality].unique(dim=0)) == cardinality
    torch.testing.assert_close(outputs[cardinality], outputs[0])


IMAGES = [family for family in catalog.families() if "image" in catalog.space(family).INPUTS]


@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 16, 30), (3, 45, 64)])
@pytest.mark.parametrize("family", IMAGES)
def test_images_of_any_size_fit_and_export(family: str, shape: tuple[int, int, int]) -> None:
    spec = dataclasses.replace(spec_of("image", 3), inputs=(Field("x", "image", shape),))
    network = build(family, spec).exported().eval()
    inputs = torch.randn(4, *shape)
    program = torch.export.export(network, (inputs,), dynamic_shapes=({0: torch.export.Dim("batch")},)).module()
    torch.testing.assert_close(program(inputs[:3]), network(inputs[:3]))


TEXTS = [family for family in catalog.families() if "text" in catalog.space(family).INPUTS]


@pytest.mark.parametrize("seed", [None, *range(4)])
@pytest.mark.parametrize("family", TEXTS)
def test_padding_changes_nothing(family: str, seed: int | None) -> None:
    spec = spec_of("text", 3)
    longer = dataclasses.replace(spec, inputs=(dataclasses.replace(spec.input, shape=(17,)),))
    params = default_of(family, spec) if seed is None else catalog.space(family).suggest(RandomTrial(seed), spec)
    short, long = build(family, spec, params).eval(), build(family, longer, params).eval()
    long.load_state_dict(short.state_dict())
    codes = texts(ROWS, 9)
    padded = torch.nn.functional.pad(codes, (0, 8))
    torch.testing.assert_close(long(padded), short(codes), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", TEXTS)
def test_a_text_without_words_has_finite_outputs(family: str, seed: int) -> None:
    spec = spec_of("text", 3)
    module = build(family, spec, catalog.space(family).suggest(RandomTrial(seed), spec))
    outputs = module(torch.zeros(2, 9))
    outputs.sum().backward()
    assert outputs.isfinite().all()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in module.parameters())


def long_text(family: str) -> tuple[torch.nn.Module, torch.Tensor]:
    """An untrained network, and texts of 650 words, alike but for one near the begin or the end."""
    spec = dataclasses.replace(spec_of("text", 3), inputs=(Field("x", "text", (700,), cardinality=VOCABULARY),))
    codes = torch.where(torch.arange(700) < 650, 2.0, 0.0).repeat(4, 1)
    codes[1, 3] = codes[2, 645] = 30.0
    return build(family, spec).exported().eval(), codes


@pytest.mark.parametrize("family", TEXTS)
def test_of_a_long_text_both_ends_are_read(family: str) -> None:
    network, codes = long_text(family)
    outputs = network(codes)
    assert not torch.allclose(outputs[0], outputs[1])
    assert not torch.allclose(outputs[0], outputs[2])
    torch.testing.assert_close(outputs[0], outputs[3])


@pytest.mark.slow
@pytest.mark.parametrize("family", TEXTS)
def test_what_reads_a_long_text_is_exported(family: str) -> None:
    network, codes = long_text(family)
    program = torch.export.export(network, (codes,), dynamic_shapes=({0: torch.export.Dim("batch")},)).module()
    torch.testing.assert_close(program(codes[:3]), network(codes[:3]), rtol=1e-4, atol=1e-5)


def test_a_family_that_forecasts_nothing_is_left_out_of_forecasts_and_that_is_said() -> None:
    assert "rocket" in catalog.families_taking("series")
    assert "rocket" not in catalog.families_taking("forecast")
    with pytest.raises(ConfigError, match="'rocket' takes series, but task 'co2' is a forecast"):
        catalog.families_for("forecast", "co2", ("rocket",))


@pytest.mark.parametrize("family", catalog.families_taking("forecast"))
@pytest.mark.parametrize("horizon", [1, 4])
def test_the_next_steps_of_a_series_are_learned_where_they_are_known(family: str, horizon: int) -> None:
    spec = dataclasses.replace(FORECAST, outputs=(Field("y", "steps", (horizon,)),))
    module, inputs = build(family, spec), batch_of(spec).inputs
    target = inputs[:, 0, -1:] - torch.arange(1.0, horizon + 1)
    target[::3, 0] = float("nan")
    batch = Batch(inputs, target)

    def loss() -> float:
        with torch.no_grad():
            return module.eval().loss(module(inputs), target).item()

    outputs, known = module.eval()(inputs), ~target.isnan()
    assert outputs.shape == (ROWS, horizon)
    before = loss()
    assert before == pytest.approx((outputs - target)[known].square().mean().item(), rel=1e-5)
    module.train()
    learn(module, batch)
    assert loss() < before
    assert torch.equal(module.exported()(inputs), module(inputs))
