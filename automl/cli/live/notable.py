"""Which of a trial's parameters are worth the little room there is. Knows no family by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from automl.cli.output import clean
from automl.rounding import rounded

_FIRST = ("optimizer", "lr")
"""What most decides how a training goes, in any family that has them."""


class Notable:
    """Orders parameters: optimiser and learning rate, then as the space proposes them, which is shape first.

    One that was the same in all trials of its family tells them apart no better than a constant, and is left out.
    """

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Any]] = {}
        """Family -> parameters of its first trial."""
        self._varied: defaultdict[str, set[str]] = defaultdict(set)

    def learn(self, family: str, params: Mapping[str, Any]) -> None:
        """Take a trial's parameters."""
        first = self._seen.setdefault(family, dict(params))
        self._varied[family].update(key for key, value in params.items() if first.get(key) != value)

    def words(self, family: str, params: Mapping[str, Any]) -> str:
        """Return `adamw lr=0.01 width=16 ...`, the most telling first, for the reader to cut where the line ends."""
        varied = self._varied[family]
        keys = [key for key in params if key in varied] or list(params)
        # The same order in all trials: a sampler may hand the parameters over in any.
        order = [*_FIRST, *self._seen.get(family, ()), *sorted(params)]
        keys.sort(key=order.index)
        return clean(" ".join(_word(key, params[key]) for key in keys))


def _word(key: str, value: Any) -> str:
    text = rounded(value, 3) if isinstance(value, float) else str(value)
    return text if key == "optimizer" else f"{key}={text}"
