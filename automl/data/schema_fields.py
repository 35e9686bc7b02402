"""What a schema holds: its fields, as they are fitted and stored, and what follows from them. Encodes no row, reads no file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from automl.encoding import ColumnEncoder, Encoder, Forecast, Steps, Tokens, WholeEncoder

FORMAT = 2
"""Version of the encoding; another number never shares prepared arrays with this one."""


@dataclass(frozen=True, slots=True)
class SchemaFields:
    """The fitted preprocessing as plain data; `Schema` applies it to rows."""

    task: str
    kind: Literal["classification", "regression"]
    input_kind: Literal["table", "image", "text", "series"]
    target: str
    encoders: tuple[Encoder, ...]
    """One per column that is used, in order; of images, series and whole texts a single one."""
    labels: tuple[str, ...] = ()
    """Class names in the order of the model's outputs; empty for regression."""
    target_mean: float = 0.0
    target_scale: float = 1.0
    """Regression trains on (target - mean) / scale."""
    logarithmic: bool = False
    """Whether it does so on log(1 + target); predictions are then never below 0."""
    white: float = 255.0
    """Raw value of a fully bright pixel; picture files are scaled to it."""
    unused: dict[str, str] = field(default_factory=dict)
    """Columns of the training file that the model does not read, and why."""
    why: dict[str, str] = field(default_factory=dict)
    """Columns that it does read, and what was seen in their cells; for people."""
    gaps: dict[str, float] = field(default_factory=dict)
    """Share of training rows in which a column is missing; one without gaps is not named."""
    format: int = FORMAT

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of each raw column, in order."""
        first = self.encoders[0]
        return first.raw_columns if isinstance(first, WholeEncoder) else tuple(one.name for one in self.named)

    @property
    def named(self) -> tuple[ColumnEncoder, ...]:
        """Encoders of one column each; none where a row is numbers that belong together."""
        return tuple(one for one in self.encoders if isinstance(one, ColumnEncoder))

    @property
    def horizon(self) -> int:
        """Steps that are predicted; 0 where this is no forecast."""
        first = self.encoders[0]
        return first.horizon if isinstance(first, Forecast) else 0

    @property
    def ahead(self) -> tuple[str, ...]:
        """Columns that a forecast reads for the steps that it predicts too."""
        first = self.encoders[0]
        return first.ahead if isinstance(first, Forecast) else ()

    @property
    def id(self) -> str:
        """Column that says which series a row of a table is of; empty where each row is one, or all are."""
        first = self.encoders[0]
        return first.id if isinstance(first, Steps) else ""

    @property
    def is_long(self) -> bool:
        """Whether it takes several rows of a table to make one that is predicted."""
        first = self.encoders[0]
        return isinstance(first, Steps) and first.is_long

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one encoded row."""
        first = self.encoders[0]
        return first.encoded_shape if isinstance(first, WholeEncoder) else (len(self.cardinalities),)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Of a table, per encoded feature: 0 for a number, else how many codes it has."""
        return tuple(n for one in self.named for n in one.cardinalities)

    @property
    def vocabulary(self) -> int | None:
        """Of a text, how many codes its words, or their pieces, have."""
        first = self.encoders[0]
        return first.size if isinstance(first, Tokens) else None
