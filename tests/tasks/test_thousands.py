"""A dot with three digits behind it divides thousands where the table has a decimal comma; where nothing tells, that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.data import prepare, read_rows
from automl.errors import DataError
from automl.tasks import Choices, Column, Task, load_task


def loaded(folder: Path, header: str, rows: list[str], **choices: object) -> Task:
    (folder / "d.csv").write_text(header + "\n" + "\n".join(rows) + "\n")
    return load_task(str(folder / "d.csv"), Choices(**{"target": "y", **choices}))  # type: ignore[arg-type]


def named(task: Task, name: str) -> Column:
    return next(column for column in task.columns if column.name == name)


def people(row: int) -> str:
    """225, then 1.570 and the like."""
    return "225" if row % 3 == 0 else f"{row % 60 + 1}.{row * 7 % 1000:03d}"


def test_a_decimal_comma_elsewhere_makes_dots_divide_thousands(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n;price;y", [f"{people(row)};{row},75;{row % 2}" for row in range(60)])
    assert named(task, "n") == Column("n", "number", "whole numbers, written as 2.007", spelling=",")
    assert task.read().features["n"][:2].tolist() == [225, 2007]  # type: ignore[call-overload]


def test_new_rows_are_read_with_such_thousands(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n;price;y", [f"{people(row)};{row},75;{row % 2}" for row in range(60)])
    schema = prepare(task, seed=0, data_folder=tmp_path / "data").schema
    (tmp_path / "new.csv").write_text("n;price\n1.570;5\n")
    assert next(iter(read_rows(tmp_path / "new.csv", schema, print))).features["n"].tolist() == [1570]


@pytest.mark.parametrize("cells", [["13.3", "225"], ["0.125", "225"], ["1234.125", "225"]])
def test_dots_that_cannot_divide_thousands_stay_decimal_points(tmp_path: Path, cells: list[str]) -> None:
    rows = [f"{people(row) if row > 1 else cells[row]};{row},75;{row % 2}" for row in range(60)]
    assert named(loaded(tmp_path, "n;price;y", rows), "n").spelling == ""


def test_amounts_with_a_sign_are_divided_so_too(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n;price;y", [f"{people(row)} €;{row},75;{row % 2}" for row in range(60)])
    assert named(task, "n").spelling == ",€"
    assert task.read().features["n"][:2].tolist() == [225, 2007]  # type: ignore[call-overload]


def test_a_target_has_such_thousands_too(tmp_path: Path) -> None:
    task = loaded(tmp_path, "price;y", [f"{row},75;{people(row)}" for row in range(60)])
    assert task.read().target[:2].tolist() == [225, 2007]


def test_a_target_with_a_decimal_comma_tells_too(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n;y", [f"{people(row)};{row},75" for row in range(60)])
    assert named(task, "n").spelling == ","


def test_thousands_that_nothing_decides_are_doubted(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n,y", [f"{people(row)},{row % 2}" for row in range(60)])
    assert named(task, "n").doubt.startswith("2.007 is read with a decimal point, but")


def test_a_target_with_thousands_that_nothing_decides_is_doubted(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n,y", [f"{row % 7},{people(row)}" for row in range(60)])
    assert task.read().notes[0].startswith("Target y: 2.007 is read with a decimal point, but")


def test_a_decimal_point_elsewhere_leaves_no_doubt(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n,m,y", [f"{people(row)},{row}.5,{row % 2}" for row in range(60)])
    assert named(task, "n").doubt == ""


def test_three_decimals_in_each_cell_are_not_doubted(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n,y", [f"{row + 1}.{row * 7 % 1000:03d},{row % 2}" for row in range(60)])
    assert named(task, "n").doubt == ""


def test_a_forecast_of_divided_thousands_is_refused(tmp_path: Path) -> None:
    rows = [f"2020-01-{row % 28 + 1:02d};{row},75;{people(row)}" for row in range(60)]
    with pytest.raises(DataError, match="must hold plain numbers for a forecast"):
        loaded(tmp_path, "day;price;y", rows, kind="forecast", horizon=2)
