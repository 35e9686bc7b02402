"""Walking a family's `suggest` function: with a person's ranges, with its default, or to see what it holds. Knows no Optuna.

A search space is a plain function, so all of this is done by handing it another trial.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from automl.catalog import Space
from automl.errors import ConfigError, did_you_mean
from automl.messages import Spec

_EXPLORATIONS = 64
"""Random walks through a space; enough to meet every branch that a person would write."""


class Suggester(Protocol):
    """The part of `optuna.Trial` that search spaces use."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number within [low, high]."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer within [low, high]."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of the choices."""


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word on one parameter: a fixed value, or a range."""

    value: Any = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def parse(cls, text: str) -> Override:
        """Read `1e-3`, `adamw` or `1e-4..1e-2`."""
        low, dots, high = text.partition("..")
        if not dots:
            return cls(value=_literal(text))
        try:
            ends = float(low), float(high)
        except ValueError:
            raise ConfigError(f"--set: a range is LOW..HIGH with two numbers, but got {text!r}.") from None
        if not ends[0] <= ends[1]:
            raise ConfigError(f"--set: a range goes from low to high, but got {text!r}.")
        return cls(low=ends[0], high=ends[1])

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        """Return the range that holds instead of [low, high]."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        return self.value, self.value


class RangedTrial:
    """A trial whose ranges a person has replaced by name; everything else passes through."""

    def __init__(self, trial: Suggester, overrides: Mapping[str, Override]) -> None:
        self._trial = trial
        self._overrides = overrides

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Suggest within the person's range, where there is one."""
        if override := self._overrides.get(name):
            low, high = override.bounds(low, high)
            _check_numbers(name, low, high, log)
            step = None
        return self._trial.suggest_float(name, low, high, step=step, log=log)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Suggest within the person's range, where there is one."""
        if override := self._overrides.get(name):
            ends = override.bounds(low, high)
            _check_numbers(name, *ends, log)
            if any(end != int(end) for end in ends):
                raise ConfigError(f"--set: {name} takes whole numbers, but got {ends[0]:g}..{ends[1]:g}.")
            low, high, step = int(ends[0]), int(ends[1]), 1 if log else step
        return self._trial.suggest_int(name, low, high, step=step, log=log)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Suggest among the choices that the person left."""
        if override := self._overrides.get(name):
            choices = _kept_choices(name, choices, override)
        return self._trial.suggest_categorical(name, choices)


class DefaultTrial:
    """Answers with a family's default, clipped into the range it is asked for; `clipped` says where."""

    def __init__(self, default: Mapping[str, Any]) -> None:
        self._default = default
        self.clipped: list[str] = []
        self.values: dict[str, Any] = {}

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return the default, clipped."""
        return float(self._clip(name, low, high))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return the default, clipped."""
        return int(self._clip(name, low, high))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return the default where it is among the choices, else the first of them."""
        value = self._default.get(name, choices[0])
        if value not in choices:
            self.clipped.append(f"{name}: {value} -> {choices[0]}")
            value = choices[0]
        self.values[name] = value
        return value

    def _clip(self, name: str, low: float, high: float) -> float:
        value = self._default.get(name, low)
        inside = min(max(value, low), high)
        if inside != value:
            self.clipped.append(f"{name}: {value:g} -> {inside:g}")
        self.values[name] = inside
        return float(inside)


class ExploringTrial:
    """Answers at random and remembers every distribution it was asked for."""

    def __init__(self, rng: random.Random, seen: dict[str, dict[str, Any]]) -> None:
        self._rng = rng
        self.seen = seen

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a random number."""
        self.seen[name] = {"kind": "float", "low": low, "high": high, "step": step, "log": log}
        if log:
            return math.exp(self._rng.uniform(math.log(low), math.log(high)))
        return self._rng.uniform(low, high)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return a random integer."""
        self.seen[name] = {"kind": "int", "low": low, "high": high, "step": step, "log": log}
        return self._rng.randint(low, high)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return a random choice."""
        self.seen[name] = {"kind": "categorical", "choices": list(choices)}
        return self._rng.choice(list(choices))


def overrides_for(family: str, overrides: Mapping[str, str]) -> dict[str, Override]:
    """Return one family's overrides from `{"family.parameter": text}`."""
    mine = {}
    for key, text in overrides.items():
        name, dot, parameter = key.partition(".")
        if not dot or not parameter:
            raise ConfigError(f"--set takes FAMILY.PARAM=VALUE or FAMILY.PARAM=LOW..HIGH, but got {key}={text}.")
        if name == family:
            mine[parameter] = Override.parse(text)
    return mine


def check_overrides(
    families: Sequence[str], overrides: Mapping[str, str], explored: Mapping[str, Mapping[str, Any]]
) -> None:
    """Raise ConfigError for a family or parameter that this search does not have."""
    for key in overrides:
        family, _, parameter = key.partition(".")
        if family not in families:
            raise ConfigError(
                f"--set {key}: this search has families {', '.join(families)}.{did_you_mean(family, families)}"
            )
        if parameter not in explored[family]:
            known = sorted(explored[family])
            raise ConfigError(
                f"--set {key}: family '{family}' has no parameter '{parameter}'. It has {', '.join(known)}."
                f"{did_you_mean(parameter, known)}"
            )


def explore(space: Space, spec: Spec, overrides: Mapping[str, Override]) -> dict[str, dict[str, Any]]:
    """Return every distribution that a space can ask for, as JSON: what `resume` compares."""
    rng, seen = random.Random(0), dict[str, dict[str, Any]]()
    for _ in range(_EXPLORATIONS):
        space.suggest(RangedTrial(ExploringTrial(rng, seen), overrides), spec)
    return dict(sorted(seen.items()))


def default_point(space: Space, spec: Spec, overrides: Mapping[str, Override]) -> tuple[dict[str, Any], list[str]]:
    """Return the values that lead `suggest` to the family's default, and what had to be clipped."""
    trial = DefaultTrial(space.DEFAULT)
    space.suggest(RangedTrial(trial, overrides), spec)
    return trial.values, trial.clipped


def _literal(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _check_numbers(name: str, low: Any, high: Any, log: bool) -> None:
    for end in (low, high):
        if not isinstance(end, int | float) or not math.isfinite(end):
            raise ConfigError(f"--set: {name} takes a number or a range LOW..HIGH, but got {end!r}.")
    if log and low <= 0:
        raise ConfigError(f"--set: {name} is searched on a log scale and must be above 0, but got {low:g}.")


def _kept_choices(name: str, choices: Sequence[Any], override: Override) -> Sequence[Any]:
    if override.low is None or override.high is None:
        kept = [choice for choice in choices if choice == override.value]
    else:
        kept = [c for c in choices if isinstance(c, int | float) and override.low <= c <= override.high]
    if not kept:
        known = [str(choice) for choice in choices]
        near = did_you_mean(str(override.value), known)
        raise ConfigError(f"--set: {name} is one of {', '.join(known)}, but got {override.value!r}.{near}")
    return kept
