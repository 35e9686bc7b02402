"""Task: what is to be learned, and the rows it is learned from. Knows nothing of models or of how rows are split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from automl.errors import ConfigError, did_you_mean
from automl.tasks.cells import Cells, joined, take

if TYPE_CHECKING:
    import numpy as np

    from automl.encoding import Forecast, Series


@dataclass(frozen=True)
class Column:
    """A column of a table, and what it is taken for."""

    name: str
    kind: str
    """`number`, `category`, `date` or `text`; `left out` where nothing can be learned from it."""
    why: str = ""
    """For people: what was seen in its cells."""
    formats: tuple[str, ...] = ()
    """Of a date, as `automl.encoding.Date` takes them."""
    blanks: tuple[str, ...] = ()
    """Of a number: words among its cells that are taken as missing."""
    spelling: str = ""
    """Of a number: how its cells are written, as `automl.encoding.number_in` takes it."""
    doubt: str = ""
    """For people: what its cells may mean just as well."""


@dataclass(frozen=True)
class Rows:
    """Raw rows as they were read, before any split or encoding."""

    features: np.ndarray | Cells
    """Cells by column; of images and series (rows, numbers), row-major, to which `Task.shape` gives back their form."""
    columns: tuple[str, ...]
    """Name of each feature, in order."""
    target: np.ndarray
    """(rows,) class labels (text or integers), or numbers for regression; (rows, horizon) for a forecast, NaN where one is missing."""
    group: np.ndarray | None = None
    """(rows,) text: rows with the same share a part; a row with an empty one is a group of its own."""
    moment: np.ndarray | None = None
    """(rows,) numbers: the newest rows are the test part, the newest of the rest the validation part.

    Or (rows, 3): when what is predicted begins and ends, and the number of its series; rows that end in a newer part than they begin
    are in none.
    """
    notes: tuple[str, ...] = ()
    """For people: rows that were dropped while reading, and why."""
    test: np.ndarray | None = None
    """(rows,) whether a row is of a test part that a person gave; without one the split sets a test part apart."""

    def __len__(self) -> int:
        return len(self.target)

    def with_test(self, test: Rows) -> Rows:
        """Return these rows, to be learned from, and those of a test part of the same columns."""
        import numpy as np

        def both(mine: np.ndarray | None, theirs: np.ndarray | None) -> np.ndarray | None:
            return None if mine is None or theirs is None else np.concatenate([mine, theirs])

        if isinstance(self.features, np.ndarray):
            assert isinstance(test.features, np.ndarray)
            features: np.ndarray | Cells = np.concatenate([self.features, test.features])
        else:
            assert not isinstance(test.features, np.ndarray)
            features = joined(self.features, test.features)
        return Rows(
            features,
            self.columns,
            np.concatenate([self.target, test.target]),
            both(self.group, test.group),
            both(self.moment, test.moment),
            (*self.notes, *test.notes),
            np.arange(len(self) + len(test)) >= len(self),
        )

    def where(self, chosen: np.ndarray) -> Rows:
        """Return some rows; `chosen` is (rows,) of truth values."""
        group = None if self.group is None else self.group[chosen]
        moment = None if self.moment is None else self.moment[chosen]
        return Rows(self.take(chosen), self.columns, self.target[chosen], group, moment, self.notes)

    def array(self) -> np.ndarray:
        """Return the features as one array (rows, columns), where all are numbers."""
        import numpy as np

        if isinstance(self.features, np.ndarray):
            return self.features
        return np.column_stack([self.features[name] for name in self.columns])

    def take(self, places: np.ndarray) -> np.ndarray | Cells:
        """Return the features of some rows."""
        import numpy as np

        return self.features[places] if isinstance(self.features, np.ndarray) else take(self.features, places)


@dataclass(frozen=True)
class Task:
    """A goal and where its data comes from."""

    name: str
    """Built-in name or the file's stem; default first half of a search's name, MLflow's experiment, folder under exports."""
    title: str
    """One line for people."""
    kind: Literal["classification", "regression"]
    input_kind: Literal["table", "image", "text", "series"]
    target: str
    objectives: tuple[tuple[str, str], ...]
    """(metric, direction), the first steers, the rest are recorded."""
    read: Callable[[], Rows]
    """Reads the source; called once per search, in the coordinator."""
    source: str
    """Where the rows come from, for people and MLflow."""
    shape: tuple[int, ...] = ()
    """Of images (channels, height, width), of series (channels, steps); a table's follows from its columns."""
    columns: tuple[Column, ...] = ()
    """What each column of a table is taken for; empty: all are numbers."""
    series: Series | Forecast | None = None
    """How a table's rows make series: an encoder that has learned nothing yet. None: each row of the array is one, as `shape` says."""
    tokens: Literal["words", "subwords"] = "words"
    """What a text that is the whole input is cut into."""
    constraints: tuple[str, ...] = ()
    evaluation: str = "holdout"
    """`holdout`: one validation part; `folds`: each row that is not of the test part is validated on once."""
    choices: dict[str, Any] = field(default_factory=dict)
    """What it takes to load a task of a person's own again: `path`, and the fields of `Choices`."""
    why: str = ""
    """Of an inferred task: what in the target decided its kind."""
    given: str = ""
    """Of an inferred task: what is predicted from, and why, where its columns do not say it."""
    needs: str = ""
    """Of a built-in task: the package that bundles its rows, where automl itself does not depend on it."""

    def summary(self, rows: int) -> str:
        """One line on a task that was inferred: what is predicted, how it is judged, and from what."""
        counts = Counter(column.kind for column in self.columns if column.kind != "left out")
        given = self.given or ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        source = f" from {given}" if given else ""
        return (
            f"{self.name}: {rows:,} {self.rows_are}; {self.word} of {self.target} ({self.why}) by {self.metric}{source}"
        )

    @property
    def horizon(self) -> int:
        """Steps that a forecast predicts; 0 for all else."""
        return int(getattr(self.series, "horizon", 0))

    @property
    def reads(self) -> str:
        """The kind of input by which families are chosen."""
        return "forecast" if self.horizon else self.input_kind

    @property
    def word(self) -> str:
        """What people call it: a forecast is a regression of many numbers at once."""
        return f"forecast of {self.horizon} {'step' if self.horizon == 1 else 'steps'}" if self.horizon else self.kind

    @property
    def rows_are(self) -> str:
        """What a row of the prepared data is."""
        if self.horizon:
            return "windows"
        return "series" if self.input_kind == "series" else "rows"

    @property
    def metric(self) -> str:
        """The steering metric."""
        return self.objectives[0][0]

    @property
    def direction(self) -> str:
        """`maximize` or `minimize`."""
        return self.objectives[0][1]

    def steered_by(self, metric: str | None) -> Task:
        """Return the task with this metric before the others. Raises ConfigError for one that does not fit the task's kind."""
        if metric is None:
            return self
        from automl.tasks.metrics import METRICS

        fitting = [name for name, one in METRICS.items() if one.kind == self.kind]
        if metric not in fitting:
            raise ConfigError(
                f"Metric {metric!r} does not fit {self.kind}. Metrics for it: {', '.join(fitting)}.{did_you_mean(metric, fitting)}"
            )
        others = (one for one in self.objectives if one[0] != metric)
        return replace(self, objectives=((metric, METRICS[metric].direction), *others))
