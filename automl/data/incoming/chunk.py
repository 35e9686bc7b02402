"""What every reader of new rows yields, and how much at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from automl.data.schema import Schema
from automl.encoding import Raw

Tell = Callable[[str], None]
"""Takes a line for people: columns that are not used, images that could not be read."""
_BYTES_AT_ONCE = 1 << 24
_ROWS_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows, in the source's order."""

    features: Raw
    """Cells by column, or float64 (rows, features) or (rows, *shape); missing numbers are NaN."""
    files: tuple[str, ...] = ()
    """For a folder of pictures or texts: where each row came from, relative to the folder. Empty for tables."""
    ids: tuple[str, ...] = ()
    """For long rows: the id of each series. Empty where they are one, and for all else."""

    def __len__(self) -> int:
        features = self.features
        return len(features) if isinstance(features, np.ndarray) else len(next(iter(features.values())))


def rows_at_once(schema: Schema) -> int:
    """Rows of a chunk: as many as 16 MiB of numbers hold, at least one."""
    return max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // (8 * max(len(schema.columns), int(np.prod(schema.shape))))))
