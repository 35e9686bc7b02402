"""Documents as a ledger's rows keep them: what a hand or a bad disk took from one is damage of the file. Knows no tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from automl.errors import StorageError
from automl.messages import Outcome, outcome_from

_HEADER: dict[str, dict[str, type | tuple[type, ...]]] = {
    "task": {"name": str, "metric": str, "direction": str, "source": str, "choices": dict},
    "config": {"seed": int, "budget": dict, "families": list, "sampler": str, "pruner": str, "max_epochs": int},
    "spaces": {},
    "data": {
        "content": str,
        "rows": int,
        "features": int,
        "parts": dict,
        "folds": int,
        "columns": list,
        "warnings": list,
        "left_out": int,
    },
    "code": {"families": dict, "versions": dict},
}
"""What stands in a header's documents wherever it stands there; earlier versions left some of it out."""
_OUTCOME: dict[str, type | tuple[type, ...]] = {
    "assignment": str,
    "member": int,
    "state": str,
    "reason": str,
    "value": (int, float, type(None)),
    "best_step": int,
    "steps": int,
}


class Stored(dict[str, Any]):
    """A stored object, and all objects in it; a key that is not there is named together with the file."""

    def __init__(
        self, values: dict[str, Any] | Iterable[tuple[str, Any]] = (), name: str = "document", place: str = "A ledger"
    ) -> None:
        """`dataclasses.asdict` copies a dictionary by handing its class the pairs alone: a copy knows no file."""
        super().__init__((key, stored(value, f"{name}.{key}", place)) for key, value in dict(values).items())
        self._name, self._place = name, place

    def __missing__(self, key: str) -> Any:
        raise StorageError(f"{self._place} is damaged (its '{self._name}' has no '{key}'). It was left as it is.")


def stored(value: Any, name: str, place: str) -> Any:
    """Return a value with all objects in it as `Stored`."""
    if isinstance(value, dict):
        return Stored(value, name, place)
    return [stored(one, name, place) for one in value] if isinstance(value, list) else value


def header_document(values: Any, name: str, place: str) -> Stored:
    """Return one of a header's documents. Raises StorageError where it, or what stands in it, is of another kind."""
    if not isinstance(values, dict):
        raise StorageError(f"{place} is damaged (its '{name}' is no object). It was left as it is.")
    for key, kind in _HEADER[name].items():
        if key in values and not isinstance(values[key], kind):
            raise StorageError(
                f"{place} is damaged (its '{name}.{key}' is {_shown(values[key])}). It was left as it is."
            )
    if (name == "spaces" and not all(map(_is_space, values.values()))) or (
        name == "data" and None in values.get("parts", {}).values()
    ):
        raise StorageError(f"{place} is damaged (its '{name}' holds a null where none can be). It was left as it is.")
    return Stored(values, name, place)


def _is_space(space: Any) -> bool:
    """Whether each parameter has a distribution, and that its ends or choices."""
    return isinstance(space, dict) and all(
        isinstance(one, dict) and None not in (one.get("low", 0), one.get("high", 0), one.get("choices", 0))
        for one in space.values()
    )


def stored_outcome(values: Any) -> Outcome:
    """Rebuild an Outcome. Raises TypeError, KeyError or ValueError where its document is not one."""
    outcome = outcome_from(values)
    for key, kind in _OUTCOME.items():
        if not isinstance(getattr(outcome, key), kind):
            raise TypeError(f"'{key}' is {_shown(getattr(outcome, key))}")
    for key in ("values", "constraints", "cost"):
        _require_numbers(key, [getattr(outcome, key)])
    for name, artifact in outcome.artifacts.items():
        if not isinstance(artifact.path, str):
            raise TypeError(f"the path of artifact '{name}' is {_shown(artifact.path)}")
    _require_numbers("curve", (measured for _, measured in outcome.curve))
    return outcome


def _require_numbers(name: str, measured: Iterable[Any]) -> None:
    for one in measured:
        if not isinstance(one, dict) or not all(isinstance(value, int | float) for value in one.values()):
            raise TypeError(f"'{name}' is {_shown(one)}")


def _shown(value: Any) -> str:
    return "null" if value is None else f"{value!r}"[:60]
