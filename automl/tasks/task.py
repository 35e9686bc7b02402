"""Task: what is to be learned, and the rows it is learned from. Knows nothing of models or of how rows are split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Rows:
    """Raw rows as they were read, before any split or encoding."""

    features: np.ndarray
    """(rows, features) numbers, row-major; images are flattened, `Task.shape` gives them back their form."""
    columns: tuple[str, ...]
    """Name of each feature, in order."""
    target: np.ndarray
    """(rows,) class labels (text or integers), or numbers for regression."""


@dataclass(frozen=True)
class Task:
    """A goal and where its data comes from."""

    name: str
    """Built-in name or the file's stem; default first half of a search's name, MLflow's experiment, folder under exports."""
    title: str
    """One line for people."""
    kind: Literal["classification", "regression"]
    input_kind: Literal["table", "image"]
    shape: tuple[int, ...]
    """Shape of one row for the model: (features,), or (channels, height, width)."""
    target: str
    objectives: tuple[tuple[str, str], ...]
    """(metric, direction), the first steers, the rest are recorded."""
    read: Callable[[], Rows]
    """Reads the source; called once per search, in the coordinator."""
    source: str
    """Where the rows come from, for people and MLflow."""
    constraints: tuple[str, ...] = ()
    evaluation: str = "holdout"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def metric(self) -> str:
        """The steering metric."""
        return self.objectives[0][0]

    @property
    def direction(self) -> str:
        """`maximize` or `minimize`."""
        return self.objectives[0][1]
