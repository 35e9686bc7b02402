"""From a task to arrays on disk: read, audit, split, encode, write. Runs once per search, in the coordinator; no torch."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from automl.data.arrays import KNOWN
from automl.data.audit import about_length, audit, check_shape
from automl.data.durable import (
    flush_folder,
    move_into_place,
    new_folder_beside,
    remove_stale,
    set_aside,
    sha256_of,
    storage_errors,
    write_file,
)
from automl.data.schema import Schema
from automl.data.schema_fitting import fit_schema
from automl.data.split import FOLDS, content_hash, digest_rows, fold_rows, groups_of, split_rows
from automl.data.writing import write_array, write_folds, write_inputs, write_raw
from automl.errors import DataError
from automl.messages import DataRef, Field, Spec
from automl.tasks import Rows, Task
from automl.tasks.cells import number_columns
from automl.tasks.metrics import METRICS

_LAYOUT = 6
"""Version of the folder's files; another number never shares a folder with this one."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What people want to know about the data."""

    rows: dict[str, int]
    """Rows of each part."""
    classes: dict[str, int]
    """Rows of each class over all parts; empty for regression."""
    trained: dict[str, int]
    """Of those, the training rows."""
    warnings: tuple[str, ...]

    @property
    def total(self) -> int:
        """Rows over all parts."""
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task's data, ready for workers."""

    ref: DataRef
    """Grants train and validation; the test part is granted where it is scored."""
    schema: Schema
    summary: Summary


def prepare(task: Task, *, seed: int, data_folder: Path) -> Prepared:
    """Return the task's prepared data, written under `data_folder` unless it is there already, whole.

    Equal rows under an equal seed give equal arrays, in whatever order the rows come. Several processes may prepare at once.
    Raises DataError for data that cannot be learned from, StorageError where `data_folder` cannot be written.
    """
    rows = _by_column(task.read(), task)
    warnings = audit(rows, task)
    digests = digest_rows(rows, task)
    groups, about_copies = groups_of(rows, digests)
    parts = split_rows(digests, groups, rows, task, seed)
    schema = fit_schema(rows, parts["train"], task)
    if not isinstance(rows.features, np.ndarray):
        warnings += about_length(schema.encoders, rows.features)
    content = content_hash(digests, rows.test)
    folds = None
    if task.evaluation == "folds":
        folds = fold_rows(parts, groups, rows.target, task, seed)
    ref = DataRef(key=_key(content, seed, schema, task), content=content, folds=0 if folds is None else FOLDS)
    target = data_folder / ref.key
    with storage_errors("write prepared data", target):
        was_there = target.exists()  # asked first: a folder that another process puts there meanwhile is not damaged
        if not is_whole(target):
            remove_stale(data_folder)
            if was_there:
                set_aside(target)
            _write(target, schema, rows, parts, folds, task)
    counts = {part: len(indices) for part, indices in parts.items()}
    classes, trained = _count_classes(rows.target, schema), _count_classes(rows.target[parts["train"]], schema)
    return Prepared(ref, schema, Summary(counts, classes, trained, (*warnings, *filter(None, [about_copies]))))


def spec_for(task: Task, prepared: Prepared, *, max_epochs: int = 30) -> Spec:
    """Return what a family is told about the prepared task."""
    classes = len(prepared.schema.labels)
    schema = prepared.schema
    output = Field(task.target, "steps", (schema.horizon,)) if schema.horizon else Field(task.target, "number", (1,))
    if classes:
        output = Field(task.target, "class", (classes,), cardinality=classes)
    given = Field(
        task.input_kind,
        task.input_kind,
        schema.shape,
        cardinality=schema.vocabulary,
        cardinalities=schema.cardinalities if any(schema.cardinalities) else (),
    )
    return Spec(
        inputs=(given,),
        outputs=(output,),
        rows=prepared.summary.rows["train"],
        classes=classes,
        loss="cross_entropy" if classes else "mae" if METRICS[task.metric].of_medians else "mse",
        max_resource=max_epochs,
        class_rows=tuple(prepared.summary.trained.values()),
    )


def is_whole(folder: Path) -> bool:
    """Whether every file that `contents.json` lists is there with its hash."""
    try:
        listed = json.loads((folder / "contents.json").read_bytes())
        return all(sha256_of(folder / name) == digest for name, digest in listed.items())
    except (OSError, ValueError):
        return False


def _by_column(rows: Rows, task: Task) -> Rows:
    """A table that was read as one array becomes columns like any other."""
    if task.input_kind != "table" or not isinstance(rows.features, np.ndarray):
        return rows
    check_shape(rows, (len(rows.columns),), task)
    if not np.issubdtype(rows.features.dtype, np.number):
        raise DataError(
            f"{task.name}: features must be numbers, but are {rows.features.dtype}. Encode text columns first."
        )
    return replace(rows, features=number_columns(rows.features, rows.columns))


def _key(content: str, seed: int, schema: Schema, task: Task) -> str:
    """Of equal rows too, another encoding or another split is other prepared data."""
    return hashlib.sha256(json.dumps([_LAYOUT, content, seed, task.evaluation, schema.to_json()]).encode()).hexdigest()[
        :32
    ]


def _write(
    target: Path, schema: Schema, rows: Rows, parts: dict[str, np.ndarray], folds: np.ndarray | None, task: Task
) -> None:
    folder = new_folder_beside(target)
    try:
        write_file(folder / "schema.json", schema.to_json().encode())
        both = {KNOWN: np.concatenate([parts["train"], parts["validation"]]), "test": parts["test"]}
        for part, indices in both.items():
            (folder / part).mkdir(mode=0o700)
            units = schema.units(rows.take(indices)) if schema.horizon else None
            write_array(folder / part / "target.npy", schema.encode_target(rows.target[indices], units))
            if units is not None:
                write_array(folder / part / "units.npy", units)
            if (clusters := _clusters(rows, indices, task)) is not None:
                write_array(folder / part / "clusters.npy", clusters)
        inputs = {folder / part / "inputs.npy": indices for part, indices in both.items()}
        write_inputs(inputs, schema, rows, trained=len(parts["train"]))
        write_array(folder / KNOWN / "border.npy", np.array(len(parts["train"])))
        write_raw(folder / "test" / "raw", rows, parts["test"])
        if folds is not None:
            write_array(folder / "folds.npy", folds)
            if task.input_kind == "table":
                write_folds(folder, folder / KNOWN / "inputs.npy", schema, rows, both[KNOWN], folds)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        listed = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
        write_file(folder / "contents.json", json.dumps(listed, indent=1).encode())
        for made in (*both, "."):
            flush_folder(folder / made)
        move_into_place(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clusters(rows: Rows, indices: np.ndarray, task: Task) -> np.ndarray | None:
    """See `Arrays.clusters`; a picture's group is its own file. Groups are numbered by appearance, which is no order of theirs."""
    if rows.moment is not None and rows.moment.ndim == 2:
        return np.asarray(rows.moment[indices])
    if rows.group is None or task.input_kind == "image":
        return None
    known: dict[str | int, int] = {}
    return np.array(
        [known.setdefault(group or row, len(known)) for row, group in enumerate(rows.group[indices].tolist())]
    )


def _count_classes(target: np.ndarray, schema: Schema) -> dict[str, int]:
    if not schema.labels:
        return {}
    counts = np.bincount(schema.encode_target(target), minlength=len(schema.labels))
    return dict(zip(schema.labels, counts.tolist(), strict=True))
