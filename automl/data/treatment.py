"""What became of each column of a table, in words: from the fitted schema alone, so that a bundle can tell it too."""

from __future__ import annotations

from dataclasses import dataclass

from automl.data.schema import Schema
from automl.encoding import ColumnEncoder, Date, Number, Tokens

_FILLED = {
    "category": "a level of its own",
    "text": "an empty text",
    "words": "an empty text",
    "subwords": "an empty text",
}


@dataclass(frozen=True, slots=True)
class Treated:
    """One column of the training file."""

    name: str
    kind: str
    """`number`, `category`, `date`, `text`, or `left out`."""
    why: str
    gaps: float = 0.0
    """Share of training rows in which it is missing."""
    filled: str = ""
    """What stands in for a missing value; empty for a column that is left out."""
    features: int = 0
    """Numbers that a model is given for it."""


def treated_columns(schema: Schema) -> list[Treated]:
    """Return a table's columns, those that are used first; of images and series, which have none of their own, nothing."""
    return [
        *(_used(one, schema.why.get(one.name, ""), schema.gaps.get(one.name, 0.0)) for one in schema.named),
        *(Treated(name, "left out", why) for name, why in schema.unused.items()),
    ]


def _used(encoder: ColumnEncoder, why: str, gaps: float) -> Treated:
    features = encoder.length if isinstance(encoder, Tokens) else len(encoder.cardinalities)
    kind = "text" if isinstance(encoder, Tokens) else encoder.kind
    return Treated(encoder.name, kind, why, gaps, _filled(encoder), features)


def _filled(encoder: ColumnEncoder) -> str:
    if isinstance(encoder, Number | Date):
        middle = "the median" if isinstance(encoder, Number) and encoder.knots else "the mean"
        return f"{middle}, marked" if encoder.gaps else middle
    return _FILLED[encoder.kind]
