"""What the target of a table is taken for, and the column of its groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from csv_task import HEADER, loaded, rows

from automl.data import prepare
from automl.errors import AutoMLError, DataError
from automl.tasks import Task
from automl.tasks.own.target import find_target


@pytest.mark.parametrize("cell", ["inf", "1e400", "-1e400", "1e200"])
def test_a_number_that_is_too_large_in_the_target_has_its_row(tmp_path: Path, cell: str) -> None:
    content = "n,y\n" + "".join(f"{row},{row * 1.37}\n" for row in range(40))
    with pytest.raises(DataError, match=rf"target 'y', row 41: '{cell}' is not a number below 1e\+100"):
        loaded(tmp_path, content + f"3,{cell}\n")


def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path) -> None:
    task = loaded(tmp_path, HEADER + rows() + "1,a,\n1,b, \n")
    assert len(task.read()) == 60
    assert task.read().notes == ("2 rows without a target were left out.",)


def test_na_and_none_are_names_of_classes(tmp_path: Path) -> None:
    content = HEADER + "".join(f"{row % 7},a,{['NA', 'None', 'null'][row % 3]}\n" for row in range(60))
    task = loaded(tmp_path, content)
    assert sorted(set(task.read().target.tolist())) == ["NA", "None", "null"]


def test_a_class_of_one_row_is_named(tmp_path: Path) -> None:
    task = loaded(tmp_path, HEADER + rows() + "1.25,a,7\n")
    warnings = prepare(task, seed=0, data_folder=tmp_path / "data").summary.warnings
    assert "Classes with fewer than 5 rows may be missing from a part: 7 (1)." in warnings


def test_rows_without_a_group_are_counted_and_none_is_no_gap(tmp_path: Path) -> None:
    who = ["", " ", "None", "b", "b "]
    content = "n,who,y\n" + "".join(f"{row}.5,{who[row % 5]},{row % 2}\n" for row in range(100))
    task = loaded(tmp_path, content, group="who")
    warnings = prepare(task, seed=0, data_folder=tmp_path / "data").summary.warnings
    assert "40 of 100 rows have no group: each is a group of its own." in warnings
    group = task.read().group
    assert group is not None
    assert sorted(set(group.tolist())) == ["", "None", "b"]


def whole_numbers(folder: Path, counts: Sequence[int]) -> Task:
    """A table whose target is 0, 1, 2 and so on, each so often."""
    target = np.repeat(np.arange(len(counts)), counts)
    return loaded(folder, "n,y\n" + "".join(f"{row * 7 % 60}.5,{label}\n" for row, label in enumerate(target)))


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        ([700, 500, 300, 200, 100, 80, 60, 40, 20, 9, 3, 1], "regression"),
        ([700, 500, 300, 200, 100, 80, 60, 40, 20, 1], "classification"),
        ([150] * 12, "classification"),
        ([150] * 11 + [9], "classification"),
        ([20] * 11 + [2], "classification"),
    ],
)
def test_many_whole_numbers_of_which_some_are_rare_are_counts(tmp_path: Path, counts: list[int], kind: str) -> None:
    assert whole_numbers(tmp_path, counts).kind == kind


def test_whole_numbers_as_classes_say_how_they_would_be_amounts(tmp_path: Path) -> None:
    said = "(3 different whole numbers; if they are amounts: --kind regression)"
    assert said in whole_numbers(tmp_path, [30, 30, 30]).summary(90)
    assert "--kind" not in whole_numbers(tmp_path, [30, 30]).summary(60)


def test_classes_that_differ_in_case_alone_are_said(tmp_path: Path) -> None:
    content = "n,y\n" + "".join(f"{row % 7},{['Yes', 'yes', 'no', 'n o'][row % 4]}\n" for row in range(80))
    task = loaded(tmp_path, content)
    warnings = prepare(task, seed=0, data_folder=tmp_path / "data").summary.warnings
    assert "Classes that differ in case, spaces or form alone: 'Yes' and 'yes', 'n o' and 'no'." in warnings


@pytest.mark.parametrize("wanted", [None, "Y"])
def test_of_many_columns_the_first_are_listed_in_whole_words(wanted: str | None) -> None:
    names = ["n", "question " * 30, *(f"measurement_{place:03d}" for place in range(98))]
    with pytest.raises(AutoMLError) as caught:
        find_target("wide.csv", names, wanted)
    said = str(caught.value)
    assert "Columns: n, question question question question que…, measurement_000, " in said
    assert "measurement_009, … (100 in all)." in said
