"""A person's words on ranges, defaults within them, and seeing what a space holds."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
import stubs

from automl.coordinator.space import Override, RangedTrial, check_overrides, default_point, explore, overrides_for
from automl.errors import ConfigError


def suggest(trial: Any, spec: Any) -> dict[str, Any]:
    params = {
        "lr": trial.suggest_float("lr", 1e-4, 1e-1, log=True),
        "depth": trial.suggest_int("depth", 1, 4),
        "optimizer": trial.suggest_categorical("optimizer", ["sgd", "adam"]),
    }
    if params["optimizer"] == "sgd":
        params["momentum"] = trial.suggest_float("momentum", 0.0, 0.99)
    return params


SPACE = SimpleNamespace(DEFAULT={"lr": 1e-3, "depth": 2, "optimizer": "sgd", "momentum": 0.9}, suggest=suggest)


def explored(**texts: str) -> dict[str, dict[str, Any]]:
    return explore(SPACE, stubs.SPEC, {name: Override.parse(text) for name, text in texts.items()})


def test_exploring_meets_the_parameters_of_every_branch() -> None:
    found = explored()
    assert list(found) == ["depth", "lr", "momentum", "optimizer"]
    assert found["lr"] == {"kind": "float", "low": 1e-4, "high": 1e-1, "step": None, "log": True}
    assert found["optimizer"] == {"kind": "categorical", "choices": ["sgd", "adam"]}


def test_a_value_fixes_a_parameter_and_a_range_replaces_its_own() -> None:
    found = explored(lr="1e-3..1e-2", depth="3", optimizer="adam")
    assert (found["lr"]["low"], found["lr"]["high"]) == (1e-3, 1e-2)
    assert (found["depth"]["low"], found["depth"]["high"]) == (3, 3)
    assert found["optimizer"]["choices"] == ["adam"]
    assert "momentum" not in found


def test_a_range_keeps_the_choices_inside_it() -> None:
    def sizes(trial: Any, spec: Any) -> dict[str, Any]:
        return {"batch": trial.suggest_categorical("batch", [16, 32, 64, 128])}

    found = explore(SimpleNamespace(suggest=sizes), stubs.SPEC, {"batch": Override.parse("20..100")})
    assert found["batch"]["choices"] == [32, 64]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("lr", "0..1", "lr is searched on a log scale and must be above 0, but got 0"),
        ("lr", "fast", "lr takes a number or a range LOW..HIGH, but got 'fast'"),
        ("lr", "nan", "lr takes a number or a range LOW..HIGH, but got nan"),
        ("lr", "1e-2..inf", "lr takes a number or a range LOW..HIGH, but got inf"),
        ("depth", "1.5..3", "depth takes whole numbers, but got 1.5..3"),
        ("optimizer", "adamm", "optimizer is one of sgd, adam, but got 'adamm'"),
        ("lr", "1..0", "a range goes from low to high, but got '1..0'"),
        ("lr", "a..b", "a range is LOW..HIGH with two numbers, but got 'a..b'"),
    ],
)
def test_a_word_that_does_not_fit_is_refused(name: str, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        explored(**{name: text})


def test_the_default_is_what_the_family_says() -> None:
    assert default_point(SPACE, stubs.SPEC, {}) == (SPACE.DEFAULT, [])


def test_a_default_outside_the_range_is_clipped_and_that_is_said() -> None:
    overrides = {"lr": Override.parse("1e-2..1e-1"), "optimizer": Override.parse("adam")}
    values, clipped = default_point(SPACE, stubs.SPEC, overrides)
    assert values == {"lr": 1e-2, "depth": 2, "optimizer": "adam"}
    assert clipped == ["lr: 0.001 -> 0.01", "optimizer: sgd -> adam"]


def test_overrides_are_told_apart_by_family() -> None:
    texts = {"mlp.lr": "0.1", "cnn.lr": "1e-4..1e-2"}
    assert overrides_for("mlp", texts) == {"lr": Override(value=0.1)}
    assert overrides_for("cnn", texts) == {"lr": Override(low=1e-4, high=1e-2)}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("mpl.lr", "--set mpl.lr: this search has families mlp, cnn. Did you mean 'mlp'?"),
        (
            "mlp.dept",
            "family 'mlp' has no parameter 'dept'. It has depth, lr, momentum, optimizer. Did you mean 'depth'?",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(key: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        check_overrides(("mlp", "cnn"), {key: "1"}, {"mlp": explored(), "cnn": explored()})


def test_a_key_without_a_family_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"--set takes FAMILY\.PARAM=VALUE or FAMILY\.PARAM=LOW\.\.HIGH, but got lr=1"
    ):
        overrides_for("mlp", {"lr": "1"})


def test_a_ranged_trial_passes_what_nobody_changed() -> None:
    asked: list[tuple[Any, ...]] = []
    inner = SimpleNamespace(suggest_float=lambda *a, **k: asked.append((*a, k)) or 0.5)
    RangedTrial(inner, {}).suggest_float("x", 0.0, 1.0, step=0.5)
    assert asked == [("x", 0.0, 1.0, {"step": 0.5, "log": False})]
