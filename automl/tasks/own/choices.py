"""What a person may say about a file of their own; all else is inferred from the file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal


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
    test: str | None = None
    """A file, or a folder, whose rows are the test part; all rows of the first are then trained and validated on."""
    input: str | None = None
    """`series` or `table`: whether a row with a column per step is a series."""
    id: str | None = None
    """Column that says which series a row is of: all rows of one id make one series."""
    horizon: int | None = None
    """Steps that a forecast predicts."""
    known: tuple[str, ...] = ()
    """Columns whose cells are known for the steps that a forecast predicts, such as a price or a promotion."""
    tokens: Literal["words", "subwords"] = "words"
    """What a text that is the whole input is cut into."""
    file: str | None = None
    """The task file that says all this, as it was given."""
    beside: dict[str, Any] = field(default_factory=dict)
    """What was said beside a task file, as it was given: fields of these choices, which win over the file."""

    @property
    def unread(self) -> frozenset[str]:
        """Columns that are left out and asked for nothing else: their cells may be what no column of a task can hold."""
        used = {self.target, self.group, self.time_column, self.id, *self.known}
        return frozenset(name for name, kind in self.columns.items() if kind == "left out") - used

    def remembered(self, path: Path) -> dict[str, Any]:
        """Return what `Task.choices` keeps, so that the task of this file can be loaded again from whatever folder."""
        choices = self if self.test is None else replace(self, test=str(Path(self.test).absolute()))
        return {"path": str(path.absolute()), **asdict(choices)}
