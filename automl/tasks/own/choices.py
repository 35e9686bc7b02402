"""What a person may say about a file of their own; all else is inferred from the file."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Choices:
    """Flags of the command line, or keys of a task file."""

    target: str | None = None
    """Column to predict."""
    kind: str | None = None
    """`classification`, `regression` or `forecast`."""
    columns: dict[str, str] = field(default_factory=dict)
    """Column -> `number`, `category`, `date`, `text` or `left out`."""
    group: str | None = None
    """Column whose equal values must not be split between parts, such as a patient or a customer."""
    time_column: str | None = None
    """Column that says when: the newest rows become the test part, or with `id` it orders the rows of a series."""
    encoding: str = "utf-8"
    """Of a CSV file."""
    metric: str | None = None
    """Steers in place of the first of the task's metrics."""
    name: str | None = None
    """Of the task; the file's stem when left out."""
    input: str | None = None
    """`series` or `table`: whether a row with a column per step is a series."""
    id: str | None = None
    """Column that says which series a row is of: all rows of one id make one series."""
    horizon: int | None = None
    """Steps that a forecast predicts."""
