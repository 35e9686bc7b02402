"""`automl search churn.csv --target churned`: what a column is taken for, and what is refused, with file, column and row."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from csv_task import HEADER, kinds, loaded, rows, why

from automl.cli.main import run
from automl.data import prepare
from automl.errors import ConfigError, DataError
from automl.sources import open_table
from automl.tasks import Choices, load_again, load_task
from automl.tasks.own import reading
from automl.tasks.own.columns import infer_column


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty."),
        (HEADER, "no rows below the header."),
        (HEADER + rows(0, 1), "too few rows (1 < 20). Add rows."),
        (HEADER + rows(0, 15) + "1.5,a,\n" * 14, "too few rows with a target (15 < 20). Add rows."),
        ("n,w,Y\n" + rows(), "column 'y' not found. Columns: n, w, Y."),
        (rows(), "column 'y' not found. Columns: 0.5, a, 0. Is its first line data? It must name the columns."),
        (
            (HEADER + rows()).replace(",", " "),
            "Columns: n w y. There is one column only: a table's cells are divided by",
        ),
        ("n,n,y\n" + rows(), "column 'n' occurs 2 times. Rename all but one."),
        (HEADER + rows() + "1,a,\n" * 70, "target 'y' is missing in 70 of 130 rows, first in row 61."),
        (HEADER + "1.5,a,1\n2.5,b,1\n" * 20, "target 'y' has one class only (1); there is nothing to learn."),
        (HEADER + "1.5,a,1\n" + rows()[:0] + "2.5,b\n" * 9, "line 3 has 2 cells, but the header has 3."),
        (HEADER + rows() + "1e400,a,1\n", "column 'n', row 61: '1e400' is not a number below 1e+100 (one of 1)."),
        (HEADER + "inf,a,\n" + rows(), "column 'n', row 1: 'inf' is not a number"),
        (HEADER + rows() + "-Infinity,a,1\n" + rows(), "column 'n', row 61: '-Infinity' is not a number"),
        (HEADER + rows() + "9" * 400 + ",a,1\n", "column 'n', row 61: '9999999999"),
        (HEADER + rows() + "1.7e308,a,1\n", "column 'n', row 61: '1.7e308' is not a number below"),
        ("m,y\n" + "a,1\na,2\n" * 30, "no column is left to learn from (m: all cells are 'a')."),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_its_place(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, content)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/d.csv: ")


@pytest.mark.parametrize("cell", ["123456789012345678901234567890", "-9223372036854775809", "18446744073709551616"])
def test_integers_of_more_than_64_bits_are_numbers(tmp_path: Path, cell: str) -> None:
    task = loaded(tmp_path, HEADER + rows() + f"{cell},a,1\n")
    assert kinds(task)["n"] == "number"
    assert task.read().features["n"][-1] == float(cell)  # type: ignore[call-overload]


def test_gaps_in_features_are_filled_and_counted(tmp_path: Path) -> None:
    task = loaded(tmp_path, HEADER + rows() + ",,1\n" * 20)
    prepared = prepare(task, seed=0, data_folder=tmp_path / "data")
    assert "Missing values are filled in, and marked for the model: n (20), w (20)." in prepared.summary.warnings
    encoded = prepared.schema.encode({"n": np.array([None], dtype=object), "w": np.array([None], dtype=object)})
    assert np.isfinite(encoded).all()


def test_a_column_of_numbers_and_words_says_share_and_choice(tmp_path: Path) -> None:
    few = loaded(tmp_path, HEADER + rows(0, 98) + "x,a,1\nx,b,0\n")
    assert (kinds(few)["n"], why(few, "n")) == ("number", "numbers; 2.0% are words (x), taken as missing")
    many = loaded(tmp_path, HEADER + "".join(f"{'x' if row % 3 == 2 else row % 3},a,{row % 2}\n" for row in range(60)))
    assert (kinds(many)["n"], why(many, "n")) == ("category", "3 different words; 67% of its cells are numbers")


def test_a_person_may_say_that_a_column_with_many_words_holds_numbers(tmp_path: Path) -> None:
    content = HEADER + "".join(f"{'unknown' if row % 3 == 2 else row},a,{row % 2}\n" for row in range(60))
    task = loaded(tmp_path, content, columns={"n": "number"})
    assert why(task, "n") == "as you said; 33.3% are words (unknown), taken as missing"
    cells = task.read().features["n"]  # type: ignore[call-overload]
    assert cells.dtype == np.float64  # what looks at rows later knows no blanks
    assert np.isnan(cells).sum() == 20


def test_words_among_numbers_are_missing_in_new_rows_too(tmp_path: Path) -> None:
    task = loaded(tmp_path, HEADER + rows(0, 98) + "x,a,1\nx,b,0\n")
    schema = prepare(task, seed=0, data_folder=tmp_path / "data").schema
    new = {"n": np.array(["x", ""], dtype=object), "w": np.array(["a", "a"], dtype=object)}
    assert np.array_equal(*schema.encode(new))
    with pytest.raises(DataError, match="column 'n', row 1: 'other' is not a finite number"):
        schema.encode({**new, "n": np.array(["other", ""], dtype=object)})


def test_of_10000_words_the_commonest_are_told_apart(tmp_path: Path) -> None:
    content = HEADER + "".join(f"{row % 7},c{row % 10_000},{row % 2}\n" for row in range(12_000))
    prepared = prepare(loaded(tmp_path, content), seed=0, data_folder=tmp_path / "data")
    assert (
        "Only the 1000 commonest words have a code of their own; of others a model knows the mean target: w (10000)."
        in prepared.summary.warnings
    )
    assert max(prepared.schema.cardinalities) <= 1001


def test_ids_are_left_out_and_free_text_is_kept(tmp_path: Path) -> None:
    lines = [f"u{row}x,{row},{row * 37 % 101},some words that {row} says now,{row % 2}\n" for row in range(60)]
    task = loaded(tmp_path, "user,row,customer_id,said,y\n" + "".join(lines))
    assert kinds(task) == {"user": "left out", "row": "left out", "customer_id": "left out", "said": "text"}
    assert why(task, "user") == "an id: 60 different words in 60 rows"
    assert why(task, "row") == "numbers the rows"


@pytest.mark.parametrize("alphabet", ["我你他她去来吃喝看书", "あいうえおカキクケコ", "กขคงจฉชซดต"])
def test_sentences_without_spaces_are_texts_and_names_of_two_characters_ids(tmp_path: Path, alphabet: str) -> None:
    signs = ["".join(alphabet[row // 10**place % 10] for place in range(8)) for row in range(60)]
    lines = [
        f"{alphabet[row % 10]}{alphabet[row // 10]},{sign},{sign[:4]},{row % 2}\n" for row, sign in enumerate(signs)
    ]
    task = loaded(tmp_path, "name,said,more,y\n" + "".join(lines))
    assert kinds(task) == {"name": "left out", "said": "text", "more": "text"}
    assert why(task, "said") == "4 words in the mean, 60 different"


def test_dates_in_three_formats_are_one_column_of_dates(tmp_path: Path) -> None:
    forms = ("2026-01-{:02}", "{:02}.01.2026", "01/{:02}/2026")
    content = HEADER + "".join(
        f"{forms[row % 3].format(row % 28 + 1)},{'ab'[row % 2]},{row % 2}\n" for row in range(84)
    )
    task = loaded(tmp_path, content)
    assert (kinds(task)["n"], why(task, "n")) == ("date", "dates (iso, %d.%m.%Y, %m/%d/%Y)")


@pytest.mark.parametrize(
    ("dates", "doubt"),
    [
        (["13/05/2024", "01/02/2024"], ""),
        (["05/13/2024", "01/02/2024"], ""),
        (["05/06/2024", "01/02/2024"], "read as %m/%d/%Y, but no cell tells that it is not %d/%m/%Y"),
        (["05/13/2024", "13/05/2024", "01/02/2024"], "day and month stand both ways round (%m/%d/%Y, %d/%m/%Y)"),
        (["13.05.2024", "01.02.2024"], ""),
    ],
)
def test_days_that_may_be_months_are_doubted(dates: list[str], doubt: str) -> None:
    column = infer_column("d", pa.chunked_array([pa.array(dates * 20)]))
    assert column.kind == "date"
    assert column.doubt.startswith(doubt)
    assert bool(column.doubt) == bool(doubt)
    assert infer_column("d", pa.chunked_array([pa.array(dates * 20)]), "date").doubt == column.doubt


def test_a_doubted_date_is_warned_of(tmp_path: Path) -> None:
    task = loaded(
        tmp_path, HEADER + "".join(f"0{row % 9 + 1}/02/2024,{'ab'[row % 2]},{row % 2}\n" for row in range(60))
    )
    warnings = prepare(task, seed=0, data_folder=tmp_path / "data").summary.warnings
    assert any(warning.startswith("Column n: read as %m/%d/%Y, but no cell tells") for warning in warnings)


def test_dates_beside_a_word_are_said_to_be_no_dates(tmp_path: Path) -> None:
    content = (
        HEADER + "".join(f"2026-01-{row % 9 + 1:02},{'ab'[row % 2]},{row % 2}\n" for row in range(60)) + "soon,a,1\n"
    )
    assert why(loaded(tmp_path, content), "n") == "10 different words"
    lines = (f"2026-01-{row % 28 + 1:02},{'ab'[row % 2]},{row % 2}\n" for row in range(60))
    assert (
        why(loaded(tmp_path, HEADER + "".join(lines) + "soon,a,1\n"), "n") == "29 different words; dates but for 'soon'"
    )


def test_the_target_copied_into_a_feature_is_a_warning(tmp_path: Path) -> None:
    content = "n,copy,y\n" + "".join(f"{row}.5,{row % 2},{row % 2}\n" for row in range(60))
    warnings = prepare(loaded(tmp_path, content), seed=0, data_folder=tmp_path / "data").summary.warnings
    assert any(warning.startswith("Column 'copy' all but equals the target") for warning in warnings)


def test_a_full_memory_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(wanted: Sequence[str], count: int) -> Iterator[pa.RecordBatch]:
        raise MemoryError

    monkeypatch.setattr(reading, "open_table", lambda *_, **__: dataclasses.replace(open_table(path), read=full))
    path = tmp_path / "d.csv"
    path.write_text(HEADER + rows())
    with pytest.raises(DataError, match=r"d.csv: the memory is full"):
        load_task(str(path), Choices("y"))


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "d.csv"
    path.write_text(HEADER + rows())
    opened = open_table(path)

    def read(wanted: Sequence[str], count: int) -> Iterator[pa.RecordBatch]:
        for batch in opened.read(wanted, count):
            with open(path, "a") as writer:
                writer.write("1,a,1\n")
            yield batch

    monkeypatch.setattr(reading, "open_table", lambda *_, **__: dataclasses.replace(opened, read=read))
    with pytest.raises(DataError, match=r"d.csv: the file changed while it was read"):
        load_task(str(path), Choices("y"))


def test_new_rows_are_matched_by_name(tmp_path: Path) -> None:
    task = loaded(tmp_path, HEADER + rows())
    schema = prepare(task, seed=0, data_folder=tmp_path / "data").schema
    features = task.read().features
    assert isinstance(features, dict)
    frame = pd.DataFrame(features)
    shuffled = frame.assign(more=1)[["more", "w", "n"]]
    assert np.array_equal(schema.encode(features), schema.encode(shuffled))


def test_all_formats_give_the_same_task(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "n": [row / 4 if row % 5 else None for row in range(60)],
            "whole": [row % 7 if row % 9 else None for row in range(60)],
            "w": [["a", "b c", None][row % 3] for row in range(60)],
            "when": [f"2026-01-{row % 28 + 1:02}" for row in range(60)],
            "yes": [bool(row % 4) for row in range(60)],
            "y": [row * row % 3 for row in range(60)],
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_feather(tmp_path / "t.feather")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    found = set()
    for suffix in ("csv", "tsv", "parquet", "feather", "jsonl"):
        task = load_task(str(tmp_path / f"t.{suffix}"), Choices("y"))
        prepared = prepare(task, seed=0, data_folder=tmp_path / "data")
        found.add((task.columns, task.kind, task.name, prepared.ref.content, prepared.ref.key))
    assert len(found) == 1


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_lists_that_a_person_leaves_out_are_not_looked_at(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"tags": [["a"], []] * 15, "n": [row / 4 for row in range(30)], "y": [0, 1, 1] * 10})
    for name in ("t", "test"):
        frame.to_parquet(tmp_path / f"{name}.parquet")
        frame.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    chosen = Choices("y", columns={"tags": "left out"}, test=str(tmp_path / f"test.{suffix}"))
    task = load_task(str(tmp_path / f"t.{suffix}"), chosen)
    assert kinds(task) == {"tags": "left out", "n": "number"}
    assert why(task, "tags") == "as you said"
    assert len(task.read()) == 60


def test_a_column_that_is_left_out_and_orders_the_rows_is_looked_at(tmp_path: Path) -> None:
    task = loaded(tmp_path, HEADER + rows(), columns={"n": "left out"}, time_column="n")
    assert task.read().moment is not None
    assert kinds(task) == {"n": "left out", "w": "category"}


def test_dates_that_the_file_knows_as_dates_encode_as_text_does(tmp_path: Path) -> None:
    when = pd.date_range("2026-01-01", periods=40, freq="13h")
    frame = pd.DataFrame({"when": when, "y": [row % 2 for row in range(40)]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    columns = {}
    for suffix in ("csv", "parquet"):
        task = load_task(str(tmp_path / f"t.{suffix}"), Choices("y"))
        prepared = prepare(task, seed=0, data_folder=tmp_path / suffix)
        columns[suffix] = np.load(tmp_path / suffix / prepared.ref.key / "test" / "inputs.npy")
        assert kinds(task) == {"when": "date"}
    assert np.array_equal(columns["csv"], columns["parquet"])


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"target": None}, "which column is to be predicted? Name it with --target. Columns: n, w, y."),
        ({"columns": {"m": "number"}}, "column 'm' not found. Columns: n, w, y."),
        ({"columns": {"w": "number"}}, "column 'w' was set to number, but 'a' is none."),
        ({"columns": {"w": "date"}}, "column 'w' was set to date, but its cells are in no known format ('a')."),
        ({"group": "who"}, "column 'who' not found."),
        ({"time_column": "w"}, "--time-col 'w' must hold dates or numbers, but holds category (3 different words)."),
    ],
)
def test_a_choice_that_does_not_fit_the_file_is_refused(tmp_path: Path, choices: dict[str, object], words: str) -> None:
    with pytest.raises((DataError, ConfigError)) as caught:
        loaded(tmp_path, HEADER + rows(), **choices)
    assert words in str(caught.value)


def test_a_task_is_loaded_again_from_what_it_remembers(tmp_path: Path) -> None:
    task = loaded(tmp_path, HEADER + rows(), columns={"w": "left out"}, group="w")
    again = load_again(task.name, task.choices)
    assert (again.columns, again.choices, again.objectives) == (task.columns, task.choices, task.objectives)


def test_bad_data_ends_a_search_with_code_3_before_any_trial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "d.csv").write_text(HEADER + rows() + "inf,a,1\n")
    assert run(["search", "d.csv", "--target", "y", "--trials", "1"]) == 3
    assert "error: d.csv: column 'n', row 61: 'inf'" in capsys.readouterr().err
    assert not (tmp_path / ".automl").exists()


def test_a_task_says_in_one_line_what_was_inferred(tmp_path: Path) -> None:
    lines = [
        "age,city,churned",
        *(f"{20 + row % 50},{('Oslo', 'Rome')[row % 2]},{('no', 'yes')[row % 3 == 0]}" for row in range(60)),
    ]
    (tmp_path / "churn.csv").write_text("\n".join(lines))
    task = load_task(str(tmp_path / "churn.csv"), Choices("churned"))
    assert task.summary(60) == (
        "churn: 60 rows; classification of churned (2 different words) by roc_auc from 1 number, 1 category"
    )


def test_parquet_times_of_day_become_features(tmp_path: Path) -> None:
    import datetime

    frame = pd.DataFrame({"at": [datetime.time(row % 24, row % 60) for row in range(60)], "y": np.arange(60) % 2})
    frame.to_parquet(tmp_path / "d.parquet")
    task = load_task(str(tmp_path / "d.parquet"), Choices("y"))
    assert kinds(task) == {"at": "date"}
    assert prepare(task, seed=0, data_folder=tmp_path / "data").schema.shape == (7,)


def test_a_count_of_steps_orders_the_rows(tmp_path: Path) -> None:
    content = "step,n,y\n" + "".join(f"{row},{row * 7 % 13},{row % 2}\n" for row in range(60))
    moment = loaded(tmp_path, content, time_column="step").read().moment
    assert moment is not None
    assert moment.tolist() == list(range(60))


@pytest.mark.parametrize("gap", ["", "  ", "nan"])
def test_measured_numbers_are_told_at_a_glance_as_they_are_by_a_closer_look(tmp_path: Path, gap: str) -> None:
    """A word among them asks for the closer look."""
    content = (
        HEADER.replace("w,", "") + "".join(f"{row / 4},{row / 8}\n" for row in range(60)) + f"{gap},0.25\n0.5,{gap}\n"
    )
    glance, closer = loaded(tmp_path, content), loaded(tmp_path, content + "NA,0.5\n")
    first, second = glance.read(), closer.read()
    assert (glance.why, glance.columns[0].why) == ("numbers, 60 different", "numbers")
    assert (closer.kind, closer.metric) == (glance.kind, glance.metric)
    assert np.array_equal(first.target, second.target[:-1])
    assert np.array_equal(first.features["n"], second.features["n"][:-1], equal_nan=True)
