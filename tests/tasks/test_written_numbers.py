"""Numbers as people write them are numbers, in training and in prediction alike; what could be read in two ways is not guessed at."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data import Schema, frame_rows, prepare, read_rows
from automl.encoding import number_in
from automl.errors import DataError
from automl.tasks import Choices, Column, Task, load_task
from automl.tasks.own.spelling import spelling_of


@pytest.mark.parametrize(
    ("spelling", "cell", "value"),
    [
        (".", "1,234.5", 1234.5),
        (".", "12,345,678", 12_345_678),
        (".", "1 234", 1234),
        (".", "1'234.5", 1234.5),
        (".", "\u22121.5", -1.5),
        (".", "(3.50)", -3.5),
        (".", "1e3", 1000),
        (".", ".5", 0.5),
        (".", "5.", 5),
        (",", "5,5", 5.5),
        (",", "1.234,5", 1234.5),
        (",", "1.234", 1234),
        (",", "-0,25", -0.25),
        (",", "2\u202f500,75", 2500.75),
        (".$", "$1,234.50", 1234.5),
        (".$", "-$5", -5),
        (".$", "$-5", -5),
        (".$", "($5)", -5),
        (".$", "5", 5),
        (",€", "12,50 €", 12.5),
        (".USD", "7 USD", 7),
        (".%", "12.5%", 12.5),
        (".%", "12 %", 12),
        (",%", "12,5 %", 12.5),
        (".", "1,149.69-", -1149.69),
        (",€", "1.149,69 €-", -1149.69),
        (".₹", "₹1,23,456.50", 123_456.5),
        (".₹", "₹12,34,56,789", 123_456_789),
        (".₹", "₹12,345", 12_345),
        (":", "84:06:09", 302_769),
        (":", "-0:01:30", -90),
        (":", "3:07.5", 187.5),
    ],
)
def test_a_number_is_read_as_it_is_written(spelling: str, cell: str, value: float) -> None:
    assert number_in(cell, (), spelling) == value


@pytest.mark.parametrize(
    ("spelling", "cell"),
    [
        (".", "1,23"),
        (".", "12,34,567"),
        (".", "0,123"),
        (".", "1,234 567"),
        (".", "(5"),
        (".", "(-5)"),
        (".", "--5"),
        (".", "$5"),
        (".$", "€5"),
        (".$", "$5$"),
        (".$", "$"),
        (".%", "0.5"),
        (",", "1,2,3"),
        (",", "12.05.2025"),
        (",", "1234.5"),
        (",", ","),
        (".", "1_000"),
        (".", "e5"),
        (".", ".e5"),
        (".", "+" + " " * 100_000 + "x"),
        (".$", "$" + " " * 100_000 + "$"),
        (".", "2-"),
        (".", "-2.5-"),
        (".", "1,23,456"),
        (":", "84:66:09"),
        (":", "1:02:03:04"),
        (":", "84"),
    ],
)
def test_what_is_not_written_so_is_no_number(spelling: str, cell: str) -> None:
    assert math.isinf(number_in(cell, (), spelling))


@pytest.mark.parametrize(
    ("cells", "spelling"),
    [
        (["1.5", "1,234.5"], "."),
        (["1,234", "12"], "."),  # thousands: nobody writes three decimals and none
        (["1,5", "2"], ","),
        (["1.086.415", "98.765"], ","),
        (["$5", "$7.50", "0"], ".$"),
        (["5 %", "7 %"], ".%"),
        (["44,3 kg", "1.250,5 kg"], ",kg"),
        (["5km/h", "7km/h", "unknown"], ".km/h"),
        (["20 °C", "-3.5 °C"], ".°C"),
        (["5 kg", "7 lb"], ""),
        (["5 kg", "7"], ""),
        ([*(f"{n}.5 kg" for n in range(40)), "0", "7 Kg"], ".kg"),
        (["5k", "7k"], ""),
        (["12 monkeys", "7 monkeys and more"], ""),
        (["1", "2.5"], ""),
        (["$5", "€7"], ""),
        (["5%", "0.5"], ""),
        (["1,5", "2.5"], ""),
        (["12.05.2025", "13.05.2025"], ""),
        (["a1", "b2"], ""),
    ],
)
def test_all_cells_decide_how_a_column_is_written(cells: list[str], spelling: str) -> None:
    assert spelling_of(cells) == spelling


def loaded(folder: Path, header: str, rows: list[str], **choices: object) -> Task:
    (folder / "d.csv").write_text(header + "\n" + "\n".join(rows) + "\n")
    return load_task(str(folder / "d.csv"), Choices(**{"target": "y", **choices}))  # type: ignore[arg-type]


def only(task: Task) -> Column:
    return task.columns[0]


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda n: f'"{n * 1234.5:,.1f}"', "numbers, written as 1,234.5"),
        (lambda n: f'"${n * 13 % 60:.2f}"', "whole numbers, written as $0.00"),
        (lambda n: f"{n * 1.5:.1f}%", "numbers, written as 0.0%"),
        (lambda n: f'"{n * 13 % 60},5"', "numbers, written as 0,5"),
        (lambda n: f"{n * 7 % 60 + 0.5} kg", "numbers, written as 0.5 kg"),
        (lambda n: f"{n * 7 % 60}.50{'-' * (n % 2)}", "numbers, written as 7.50-"),
        (lambda n: f"{n * 7}:06:{n:02d}", "durations, written as 0:06:00"),
    ],
)
def test_a_column_is_a_number_and_says_how_it_is_written(tmp_path: Path, write: object, why: str) -> None:
    found = only(loaded(tmp_path, "n,y", [f"{write(row)},{row % 2}" for row in range(60)]))  # type: ignore[operator]
    assert (found.kind, found.why) == ("number", why)


def test_a_number_with_thousands_among_plain_ones_is_not_taken_as_missing(tmp_path: Path) -> None:
    rows = [f"{row * 13 % 60}.5,{row % 2}" for row in range(98)] + ['"1,234.5",0', '"2,345.5",1']
    task = loaded(tmp_path, "n,y", rows)
    assert only(task).blanks == ()
    assert max(task.read().features["n"]) == 2345.5  # type: ignore[call-overload]


@pytest.mark.parametrize("cell", ["$7", "7 EUR", "0.5"])
def test_mixed_currencies_and_half_a_column_of_percents_are_no_numbers(tmp_path: Path, cell: str) -> None:
    other = "€7" if cell == "$7" else "7 USD" if "EUR" in cell else "7%"
    rows = [f"{(cell, other)[row % 2].replace('7', str(row % 9))},{row % 2}" for row in range(60)]
    assert only(loaded(tmp_path, "n,y", rows)).kind == "category"


def test_new_rows_are_read_as_the_training_rows_were_whatever_else_is_in_the_file(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n;y", [f"{row}.{row * 7 % 1000:03d},5;{row % 2}" for row in range(1, 61)])
    schema = prepare(task, seed=0, data_folder=tmp_path / "data").schema
    (tmp_path / "new.csv").write_text("n;y\n1.234;0\n2.345;0\n")  # alone it would be taken for decimals
    chunk = next(iter(read_rows(tmp_path / "new.csv", schema, print)))
    assert chunk.features["n"].tolist() == [1234.0, 2345.0]
    pd.DataFrame({"n": [1234.5, None]}).to_parquet(tmp_path / "new.parquet")
    chunk = next(iter(read_rows(tmp_path / "new.parquet", schema, print)))
    assert np.isnan(chunk.features["n"][1])
    assert chunk.features["n"][0] == 1234.5
    frame = frame_rows(pd.DataFrame({"n": ["1.234,5", None]}), schema, print)
    assert frame["n"][0] == 1234.5
    (tmp_path / "new.csv").write_text("n\n1234.5\n")
    with pytest.raises(DataError, match=r"column 'n', row 1: '1234.5' is not a number written as 1234,5"):
        list(read_rows(tmp_path / "new.csv", schema, print))


def test_numbers_with_a_sign_are_no_steps_of_a_series(tmp_path: Path) -> None:
    rows = [",".join(f"{row + step}.5%" for step in range(20)) + f",{row % 2}" for row in range(40)]
    header = ",".join(f"t{step}" for step in range(20)) + ",y"
    assert loaded(tmp_path, header, rows).input_kind == "table"
    with pytest.raises(DataError, match="needs two or more columns of plain numbers"):
        loaded(tmp_path, header, rows, input="series")


def test_numbers_with_a_unit_are_read_in_new_rows_with_it_or_without(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n;y", [f"{row * 7 % 60},5 kg;{row % 2}" for row in range(60)])
    schema = Schema.from_json(prepare(task, seed=0, data_folder=tmp_path / "data").schema.to_json())
    encoded = schema.encode({"n": np.array(["44,5 kg", "44,5kg", "44,5"], dtype=object)})
    assert len(np.unique(encoded)) == 1
    with pytest.raises(
        DataError, match=r"column 'n', row 1: '44 lb' is not a number written as 1234,5, with or without kg"
    ):
        schema.encode({"n": np.array(["44 lb"], dtype=object)})


def test_numbers_with_a_letter_that_name_the_rows_are_left_out(tmp_path: Path) -> None:
    task = loaded(tmp_path, "customer_id,n,y", [f"{row * 7 % 60 + 1000}x,{row % 9}.5,{row % 2}" for row in range(60)])
    assert only(task).kind == "left out"


def test_a_target_of_written_numbers_is_regression(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n,y", [f'{row * 7 % 60}.5,"${row * 1234.5:,.2f}"' for row in range(60)])
    assert task.kind == "regression"
    assert task.read().target.max() == 59 * 1234.5


def test_a_target_of_numbers_with_words_that_mean_missing_is_regression(tmp_path: Path) -> None:
    task = loaded(tmp_path, "n,y", [f"{row * 7 % 60}.5,{'n/a' if row % 9 == 0 else row * 1.7}" for row in range(60)])
    assert (task.kind, len(task.read())) == ("regression", 53)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([f"0{1000 + row % 30}" if row % 2 else str(90000 + row % 30) for row in range(60)], "category"),
        ([str(2**60 + row % 25) for row in range(60)], "category"),
        ([str(1000 + row % 30) for row in range(60)], "number"),
        ([f"0{row % 30}.5" for row in range(60)], "number"),
        ([f"{row % 24:02d}:{row % 60:02d}" for row in range(60)], "date"),
        ([f"{row % 12 + 1}:{row % 60:02d} PM" for row in range(60)], "date"),
        (["#N/A" if row % 3 else str(row % 7) for row in range(60)], "number"),
    ],
)
def test_digits_that_name_something_are_no_numbers_and_times_are(tmp_path: Path, cells: list[str], kind: str) -> None:
    rows = [f"{cell},{place % 2}" for place, cell in enumerate(cells)]
    assert only(loaded(tmp_path, "n,y", rows)).kind == kind


def test_a_time_is_read_as_its_numbers_are_written(tmp_path: Path) -> None:
    task = loaded(
        tmp_path, "n,w,y", [f'"{row * 1000:,}",{row * 7 % 5}.5,{row % 2}' for row in range(60)], time_column="n"
    )
    moment = task.read().moment
    assert moment is not None
    assert moment[:3].tolist() == [0, 1000, 2000]


def test_a_forecast_reads_such_times_in_new_rows_too(tmp_path: Path) -> None:
    rows = [f'"{row * 1000:,}",{row * 7 % 12}.5' for row in range(1, 80)]
    task = loaded(tmp_path, "n,y", rows, time_column="n", kind="forecast", horizon=2)
    schema = Schema.from_json(prepare(task, seed=0, data_folder=tmp_path / "data").schema.to_json())
    assert len(next(iter(read_rows(tmp_path / "d.csv", schema, print)))) == 1
