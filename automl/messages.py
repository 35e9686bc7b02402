"""What crosses a process: frozen, plain, JSON-able. No behaviour beyond reading and writing JSON.

Coordinator ─ Assignment ─► worker;  worker ─ Report ─► coordinator ─ Answer ─► worker;  worker ─ Outcome ─► coordinator.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["trial", "confirm", "refit", "baselines", "score", "export"]
"""What a worker is asked to do. Only `score` may read the test part, and `baselines` its inputs."""

State = Literal["open", "complete", "pruned", "failed", "lost", "interrupted"]
"""`failed`: deterministic, final at once. `lost`: the worker died, retried. `interrupted`: stopped by a person or with the coordinator."""


@dataclass(frozen=True, slots=True)
class Field:
    """One named input or output of a model."""

    name: str
    kind: str
    """`table` (columns), `vector`, `image`, `text` (codes of words), `series`; outputs: `class`, `number`, or `steps` of a forecast."""
    shape: tuple[int, ...]
    """Shape of one row, without the batch dimension: (features,), (channels, height, width), (words,) or (channels, steps)."""
    dtype: str = "float32"
    cardinality: int | None = None
    """Number of distinct values where the field is categorical: classes of an output, words of a text's vocabulary."""
    cardinalities: tuple[int, ...] = ()
    """Of a table, per encoded feature: 0 for a number, n for a code 0..n-1 whose 0 means missing or unseen. Empty: all numbers."""


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a family is told about a task."""

    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    rows: int
    """Training rows."""
    classes: int
    """Number of classes; 0 for regression."""
    loss: str
    """`cross_entropy` or `mse`."""
    resource: str = "epoch"
    max_resource: int = 30
    """Most epochs that one trial may train."""
    class_rows: tuple[int, ...] = ()
    """Training rows of each class; empty for regression, and in bundles of earlier versions."""

    @property
    def input(self) -> Field:
        """The only input, for families that take one."""
        return self.inputs[0]

    @property
    def output_size(self) -> int:
        """Width of the model's last layer: classes (logits), or the numbers that a row has, 1 unless it is a forecast."""
        return self.classes or math.prod(self.outputs[0].shape)

    @property
    def patience(self) -> int:
        """Epochs without improvement after which a training ends: a third of the most, and at least 5."""
        return max(5, self.max_resource // 3)

    @property
    def is_forecast(self) -> bool:
        """Whether the next steps of the input series are predicted."""
        return self.input.kind == "series" and self.outputs[0].kind == "steps"


@dataclass(frozen=True, slots=True)
class DataRef:
    """Prepared arrays by content, never by path: each host resolves `key` under its own data folder."""

    key: str
    """Hash over content, split and encoding: the folder's name."""
    content: str
    """Hash over the raw rows alone; equal data has equal content hashes whatever the seed."""
    parts: tuple[str, ...] = ("train", "validation")
    folds: int = 0
    """Of few rows: into how many folds train and validation rows are divided, so that each is validated on once. 0: holdout."""
    most_rows: int | None = None
    """Rows that are learned from at most; None: all that are granted."""


@dataclass(frozen=True, slots=True)
class Member:
    """One slot inside an assignment."""

    slot: int
    attempt: int
    part: int
    """Fold or seed inside the slot."""
    family: str
    params: dict[str, Any]
    seed: int
    resume_from: str | None = None
    """Relative path of weights this member starts from (`score`, `export`)."""
    role: str = "model"
    """What is measured (`score`): members of one role are one model. `model`, `single` or `default`."""
    weight: float = 1.0
    """Share in its role's weighted mean."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is handed."""

    id: str
    """`<kind>-<slot>-<part>-<attempt>`: also the name of its result file."""
    kind: Kind
    members: tuple[Member, ...]
    spec: Spec
    data: DataRef
    metric: str
    direction: str
    """`maximize` or `minimize`."""
    max_resource: int
    """Epochs to train at most."""
    folds: tuple[int, ...] = ()
    """Folds to validate on in turn, training on the others (`trial`, `confirm`); empty: the validation part."""
    patience: int | None = None
    """Epochs without improvement before early stopping; None trains all of them."""
    deadline: float | None = None
    """Seconds of training after which the member ends with what it has."""
    keep_better_than: float | None = None
    """Weights and validation predictions are written only if the value is better; None writes always."""
    precision: str = "32-true"
    """Lightning's precision flag."""
    champion: str | None = None
    """Relative path of a bundle that is scored on the same rows (`score`)."""
    baselines: str | None = None
    """Relative path of what `baselines` predicted for the same rows (`score`)."""
    temperature: float = 1.0
    """By which the logits of the role `model` are divided (`score`, `export`)."""
    thresholds: dict[str, float] = field(default_factory=dict)
    """By role: of two classes the second is decided for above this probability (`score`, `export`); 0.5 where a role has none."""
    explaining: float | None = None
    """Seconds that it may take to explain what the role `model` predicts (`score`); None leaves explanations out."""


@dataclass(frozen=True, slots=True)
class Report:
    """One epoch of one member."""

    assignment: str
    member: int
    step: int
    """1-based epoch."""
    values: dict[str, float]
    """`objective` steers; others are recorded as curves."""
    seconds: float = 0.0
    """Since the member began."""


AT_ONCE = 1 << 30
"""An answer to this step answers every report that is still on its way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a member does after a report."""

    assignment: str
    member: int
    step: int
    act: Literal["go", "stop", "interrupt", "finish"]
    """`stop` prunes at `step`; `interrupt` ends at once and without a value, to be resumed later; `finish` ends with what there is."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file the worker wrote, relative to the search's folder."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one member ended."""

    assignment: str
    member: int
    state: State
    reason: str = ""
    """Empty when complete; else one line for people, e.g. `diverged (NaN at epoch 3)`."""
    value: float | None = None
    """The objective at the best step (complete) or the last reported step (pruned)."""
    values: dict[str, float] = field(default_factory=dict)
    constraints: dict[str, float] = field(default_factory=dict)
    """Feasible where all are <= 0; an out-of-memory is `{"memory": 1.0}`."""
    best_step: int = 0
    steps: int = 0
    """Epochs trained."""
    curve: tuple[tuple[int, dict[str, float]], ...] = ()
    """(step, values) per epoch."""
    cost: dict[str, float] = field(default_factory=dict)
    """`seconds`, `peak_memory_mb`."""
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    recycle: bool = False
    """The worker should be replaced: its memory is suspect."""
    fatal: bool = False
    """No other trial can do better (a metric that is never logged): end the search."""


Message = Assignment | Report | Answer | Outcome


def to_json(message: Any) -> str:
    """One line of JSON for messages, and for plain values that hold messages. NaN and inf are refused: no reader has to guess."""
    return json.dumps(message, default=_fields, allow_nan=False, separators=(",", ":"))


def spec_from(data: dict[str, Any]) -> Spec:
    """Rebuild a Spec from its JSON form."""
    fields = {key: tuple(_field_from(item) for item in data[key]) for key in ("inputs", "outputs")}
    return Spec(**{**data, **fields, "class_rows": tuple(data.get("class_rows", ()))})


def assignment_from(data: dict[str, Any]) -> Assignment:
    """Rebuild an Assignment from its JSON form."""
    parts = {
        "members": tuple(Member(**item) for item in data["members"]),
        "spec": spec_from(data["spec"]),
        "data": dataref_from(data["data"]),
    }
    return Assignment(**{**data, **parts, "folds": tuple(data.get("folds", ()))})


def dataref_from(data: dict[str, Any]) -> DataRef:
    """Rebuild a DataRef from its JSON form."""
    return DataRef(**{**data, "parts": tuple(data["parts"])})


def outcome_from(data: dict[str, Any]) -> Outcome:
    """Rebuild an Outcome from its JSON form."""
    parts = {
        "curve": tuple((int(step), values) for step, values in data["curve"]),
        "artifacts": {name: Artifact(**item) for name, item in data["artifacts"].items()},
    }
    return Outcome(**{**data, **parts})


def _field_from(data: dict[str, Any]) -> Field:
    return Field(**{**data, "shape": tuple(data["shape"]), "cardinalities": tuple(data.get("cardinalities", ()))})


def _fields(message: Any) -> dict[str, Any]:
    """One level of a message; `asdict` would copy every value below it, ten times slower."""
    if not dataclasses.is_dataclass(message):
        raise TypeError(f"{type(message).__name__} does not cross a process.")
    return {name: getattr(message, name) for name in message.__dataclass_fields__}
