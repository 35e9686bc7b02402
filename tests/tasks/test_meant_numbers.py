"""What numbers mean: amounts, names of something, or gaps; what is not sure is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.tasks import Choices, Column, Task, load_task


def loaded(folder: Path, header: str, rows: list[str]) -> Task:
    (folder / "d.csv").write_text(header + "\n" + "\n".join(rows) + "\n")
    return load_task(str(folder / "d.csv"), Choices("y"))


def only(task: Task) -> Column:
    return task.columns[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(
            (name, "category")
            for name in ("store_id", "zip", "ProductCode", "plz", "ZIPCode", "key", "zip5", "id_store")
        ),
        *((name, "number") for name in ("paid", "idle", "coded", "zipper", "monkeys", "n")),
    ],
)
def test_whole_numbers_under_a_name_that_says_so_name_something(tmp_path: Path, name: str, kind: str) -> None:
    found = only(loaded(tmp_path, f"{name},y", [f"{10000 + row % 30},{row % 2}" for row in range(90)]))
    assert found.kind == kind
    assert kind == "number" or found.why == "30 whole numbers that name something, as the column's name says"


@pytest.mark.parametrize(
    "cells", [[str(n % 2) for n in range(90)], [f"{n % 30}.0" for n in range(90)], [str(n * 7) for n in range(90)]]
)
def test_two_numbers_decimals_and_numbers_that_do_not_repeat_name_nothing(tmp_path: Path, cells: list[str]) -> None:
    found = only(loaded(tmp_path, "a_code,y", [f"{cell},{n % 3}" for n, cell in enumerate(cells)]))
    assert found.kind == "number"


@pytest.mark.parametrize(("number", "share"), [("-999", 10), ("9999", 3), ("-99", 50)])
def test_a_number_far_from_all_others_that_may_mean_a_gap_is_warned_of(tmp_path: Path, number: str, share: int) -> None:
    rows = [f"{number if row % share == 0 else row % 7},{row % 2}" for row in range(100)]
    said = (
        f"{number} occurs {-(-100 // share)} times and lies far from all other values; if it means that none is known"
    )
    assert only(loaded(tmp_path, "n,y", rows)).doubt.startswith(said)


@pytest.mark.parametrize("number", ["99", "-1000", "-9", "13"])
def test_other_numbers_are_not_warned_of(tmp_path: Path, number: str) -> None:
    rows = [f"{number if row % 10 == 0 else row * 7 % 61},{row % 2}" for row in range(100)]
    assert only(loaded(tmp_path, "n,y", rows)).doubt == ""


@pytest.mark.parametrize("word", ["k.A.", "unbekannt"])
def test_a_word_in_a_part_of_many_different_numbers_is_a_gap(tmp_path: Path, word: str) -> None:
    rows = [f"{word if row % 3 == 0 else f'{row * 13},25'};{row % 2}" for row in range(90)]
    found = only(loaded(tmp_path, "n;y", rows))
    assert (found.kind, found.blanks, found.spelling) == ("number", (word,), ",")


@pytest.mark.parametrize(
    "cells",
    [
        [f"{n % 30}" if n % 3 else "online" for n in range(900)],  # codes
        [f"{n}.25" if n % 3 else f"<{n % 7}" for n in range(90)],
        [f"{n}.25" if n % 3 else "abcd"[n % 4] for n in range(90)],
        [f"{n}.25" if n % 3 == 0 else "k.A." for n in range(90)],
    ],
)
def test_words_that_may_mean_something_keep_numbers_from_being_numbers(tmp_path: Path, cells: list[str]) -> None:
    task = loaded(tmp_path, "n,m,y", [f"{cell},{n % 7}.5,{n % 2}" for n, cell in enumerate(cells)])
    assert task.columns[0].kind != "number"
