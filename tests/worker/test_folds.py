"""Few rows are validated in folds: each row once, values are means, and rows that belong together share a fold."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scripted import ScriptedChannel

from automl import catalog
from automl.data import load_folds, load_part, prepare, spec_for
from automl.data.preparing import Prepared
from automl.messages import Answer, Assignment, Member, Report
from automl.tasks import Rows, load_task
from automl.worker.callbacks import Best, Ending, Progress
from automl.worker.folds import Joined, joined
from automl.worker.perform import Places, perform


class Silent:
    """A channel on which nobody answers but with go."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def report(self, report: Report) -> None:
        self.reports.append(report)

    def answer(self, *, wait: bool) -> Answer | None:
        return Answer(self.reports[-1].assignment, 0, self.reports[-1].step, "go") if wait else None

    def tick(self) -> None:
        pass


FOLDED = dataclasses.replace(load_task("wine"), name="folded", evaluation="folds")


def test_each_row_outside_the_test_part_is_in_one_fold_and_the_validation_part_is_the_first(tmp_path: Path) -> None:
    prepared = prepare(FOLDED, seed=0, data_folder=tmp_path)
    fold, rows = load_folds(tmp_path, prepared.ref), prepared.summary.rows
    assert prepared.ref.folds == 5
    assert len(fold) == rows["train"] + rows["validation"]
    assert (fold[rows["train"] :] == 0).all()
    assert (fold[: rows["train"]] > 0).all()
    target = load_part(tmp_path, prepared.ref, "train").target
    counts = np.array([np.bincount(target[fold[: rows["train"]] == number], minlength=3) for number in range(1, 5)])
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()


def test_a_group_is_never_divided(tmp_path: Path) -> None:
    rows = FOLDED.read()
    group = np.arange(len(rows)) // 6
    task = dataclasses.replace(FOLDED, read=lambda: dataclasses.replace(rows, group=group.astype(str)))
    prepared = prepare(task, seed=0, data_folder=tmp_path)
    fold = load_folds(tmp_path, prepared.ref)
    encoded = prepared.schema.encode(rows.features)
    of_row = {row.tobytes(): int(one) for row, one in zip(encoded, group, strict=True)}
    parts = [load_part(tmp_path, prepared.ref, part).inputs for part in ("train", "validation")]
    found = [of_row[np.ascontiguousarray(row).tobytes()] for part in parts for row in part]
    for one in set(found):
        assert len({int(f) for f, g in zip(fold, found, strict=True) if g == one}) == 1


def assigned(folder: Path, *, epochs: int) -> tuple[Assignment, Prepared]:
    """The default of `mlp` over five folds."""
    prepared = prepare(FOLDED, seed=0, data_folder=folder / "data")
    spec = dataclasses.replace(spec_for(FOLDED, prepared), max_resource=epochs)
    member = Member(0, 0, 0, "mlp", catalog.space("mlp").DEFAULT, 7)
    folds, ref = tuple(range(5)), prepared.ref
    whole = Assignment("trial-0-0-0", "trial", (member,), spec, ref, "accuracy", "maximize", epochs, folds=folds)
    return whole, prepared


def test_a_trial_is_the_mean_of_its_folds_and_predicts_every_row(tmp_path: Path) -> None:
    whole, prepared = assigned(tmp_path, epochs=3)
    places, channel = Places(tmp_path / "data", tmp_path), Silent()
    (outcome,) = perform(whole, channel, places)
    single = [
        perform(dataclasses.replace(whole, id=f"trial-{fold + 1}-0-0", folds=(fold,)), Silent(), places)[0]
        for fold in range(5)
    ]
    assert outcome.state == "complete"
    assert outcome.value == pytest.approx(np.mean([one.value for one in single]))
    assert [report.step for report in channel.reports] == [1, 2, 3]
    predictions = np.load(tmp_path / outcome.artifacts["predictions"].path)
    rows = prepared.summary.rows
    assert predictions.shape == (rows["train"] + rows["validation"], 3)
    assert predictions.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_where_the_time_ends_within_the_folds_the_value_is_that_of_those_that_were_reached(tmp_path: Path) -> None:
    assignment, _ = assigned(tmp_path, epochs=30)
    (outcome,) = perform(assignment, ScriptedChannel({1: "finish"}), Places(tmp_path / "data", tmp_path))
    assert (outcome.state, outcome.steps) == ("complete", 2)
    assert outcome.value == max(values["objective"] for _, values in outcome.curve)
    assert set(outcome.artifacts) == {"weights"}  # some rows have no prediction


def test_a_fold_that_ends_badly_ends_all() -> None:
    good = Progress([(1, {"objective": 0.5})], Best(1, {"objective": 0.5}, {}, np.zeros(2)), None)
    bad = Progress([], None, Ending("failed", "diverged (NaN at epoch 2)"))
    measured = [Joined("regression", np.zeros(2)), Joined("regression", np.ones(3))]
    progress, _ = joined(list(zip([good, bad], measured, strict=True)), np.array([0, 1, 1, 0, 1]))
    assert progress.ending is not None
    assert progress.ending.reason == "diverged (NaN at epoch 2)"


def test_rows_with_a_time_are_cut_and_not_folded(tmp_path: Path) -> None:
    rows = FOLDED.read()
    timed = Rows(rows.features, rows.columns, rows.target, moment=np.arange(len(rows), dtype=float))
    prepared = prepare(
        dataclasses.replace(load_task("wine"), name="timed", read=lambda: timed), seed=3, data_folder=tmp_path
    )
    newest = prepared.schema.encode(rows.take(np.arange(len(rows))[-prepared.summary.rows["test"] :]))
    ref = dataclasses.replace(prepared.ref, parts=("train", "validation", "test"))
    found = load_part(tmp_path, ref, "test").inputs
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, newest.tolist()))
