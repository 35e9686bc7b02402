"""Families by file name: the only file that names the two leaf packages.

`space(name)` imports the search space (pure Python); `module(name)` imports the Lightning module and torch with it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, cast

import lightning_modules
import search_spaces
from automl.errors import ConfigError, did_you_mean
from automl.messages import Spec


class Space(Protocol):
    """What a file in `search_spaces/` offers."""

    INPUTS: tuple[str, ...]
    """Kinds of input the family accepts."""
    DEFAULT: dict[str, Any]
    """The well-known configuration, tried first."""
    suggest: Callable[..., dict[str, Any]]
    """`suggest(trial, spec)` returns keyword arguments of the family's `Module`."""


def add_families_from(folder: str | Path) -> None:
    """Make the families under `folder/search_spaces` and `folder/lightning_modules` known by name; imports none.

    Raises ConfigError where a folder is missing, or a family has the name of one that is known already: it would never be found.
    """
    root = Path(folder).resolve()
    places = [(package, root / package.__name__) for package in (search_spaces, lightning_modules)]
    for package, place in places:
        if not place.is_dir():
            raise ConfigError(f"--families-from needs the folder {place}, which does not exist.")
        if not _is_known(package, place) and (taken := _names([str(place)]) & _files(package)):
            name = min(taken)
            raise ConfigError(
                f"--families-from: {place / name}.py has the name of a family that exists already, '{name}'. Rename yours."
            )
    for package, place in places:
        if not _is_known(package, place):
            package.__path__.append(str(place))


def homes() -> tuple[str, ...]:
    """Folders that this process imports the two leaf packages from: where another process must look first to find the same."""
    return tuple(dict.fromkeys(str(Path(p.__path__[0]).resolve().parent) for p in (search_spaces, lightning_modules)))


def families() -> tuple[str, ...]:
    """Names of all families, sorted. A family with only one of its two files is an error that names the other."""
    spaces, modules = _files(search_spaces), _files(lightning_modules)
    for name in sorted(spaces ^ modules):
        has, lacks = (
            ("search_spaces", "lightning_modules") if name in spaces else ("lightning_modules", "search_spaces")
        )
        raise ConfigError(
            f"Family '{name}' has {has}/{name}.py but no {lacks}/{name}.py. Add it, or prefix the file with '_'."
        )
    return tuple(sorted(spaces))


def families_for(kind: str, task: str, wanted: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The families that accept inputs of `kind` and are quick enough to be tried unasked, or those wanted, checked."""
    fitting = families_taking(kind)
    for name in wanted:
        if name not in families():
            raise ConfigError(
                f"Unknown family '{name}'. Families for task '{task}': {', '.join(fitting)}.{did_you_mean(name, fitting)}"
            )
        if name not in fitting:
            given = "is a forecast" if kind == "forecast" else f"has {kind} inputs"
            raise ConfigError(
                f"Family '{name}' takes {', '.join(space(name).INPUTS)}, but task '{task}' {given}. "
                f"Families for it: {', '.join(fitting)}."
            )
    return tuple(dict.fromkeys(wanted)) or tuple(name for name in fitting if not on_request(name))


def space(name: str) -> Space:
    """Import and return the search space of a family."""
    return cast(Space, importlib.import_module(f"search_spaces.{name}"))


def families_taking(kind: str) -> tuple[str, ...]:
    """All families that accept inputs of `kind`; `forecast` are series whose next steps are predicted."""
    if kind == "forecast":
        return tuple(name for name in families_taking("series") if getattr(space(name), "FORECASTS", True))
    return tuple(name for name in families() if kind in space(name).INPUTS)


def on_request(name: str) -> bool:
    """Whether a family is searched only where a person names it: its space says so with `ON_REQUEST = True`."""
    return bool(getattr(space(name), "ON_REQUEST", False))


def module(name: str, spec: Spec, params: dict[str, Any]) -> Any:
    """Build the family's Lightning module; imports torch and Lightning, so it runs in workers only."""
    family = importlib.import_module(f"lightning_modules.{name}").Module
    return importlib.import_module("lightning_modules._lightning").trainable(family)(spec, **params)


def predictor(name: str, spec: Spec, params: dict[str, Any]) -> Any:
    """Build the same module for who only predicts: without Lightning, whose import takes longer than torch's own."""
    try:
        return importlib.import_module(f"lightning_modules.{name}").Module(spec, **params)
    except AttributeError:  # a family of one's own whose `__init__` calls a LightningModule's method
        return module(name, spec, params)


def _files(package: Any) -> set[str]:
    return _names(package.__path__)


def _is_known(package: Any, place: Path) -> bool:
    return place in (Path(known).resolve() for known in package.__path__)


def _names(path: Iterable[str]) -> set[str]:
    return {found.name for found in pkgutil.iter_modules(path) if not found.name.startswith("_")}
