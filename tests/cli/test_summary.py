"""The last words of a search: on a terminal one screen, folded between words; in a pipe a line per fact."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from typing import Any

import pytest
import stubs

from automl.cli.output import print_facts, print_table, shortened
from automl.cli.summary import summary

PARAMS = {
    "width": 16,
    "blocks": 1,
    "shift": 0.1,
    "rotation": 10,
    "optimizer": "adamw",
    "lr": 0.01,
    "weight_decay": 0.0001,
    "schedule": "one_cycle",
    "dropout": 0.25,
    "label_smoothing": 0.05123,
    "batch_size": 128,
    "normalization": "batch_norm",
}
DOCUMENT: dict[str, Any] = {
    "search": "breast_cancer-0",
    "verdict": "not better than the default",
    "metric": "balanced_accuracy",
    "seconds": 48.3,
    "best": {
        "family": "mlp",
        "slot": 17,
        "params": PARAMS,
        "validation": 0.9876,
        "test": 0.9942,
        "test_interval": [0.9855, 1.0],
    },
    "default": {"validation": 0.98},
    "baselines": {"majority": 0.07536, "linear": 0.9565, "boosted_trees": 0.9681},
    "slots": {"planned": 40, "complete": 9, "pruned": 31, "failed": 0},
    "bundle": "exports/breast_cancer/v-24fa5ebdeb35",
    "report": "reports/breast_cancer-0/index.html",
    "registered": {"name": "breast_cancer", "version": 3, "champion": False},
    "challenge": {
        "why": "balanced_accuracy +0.0012 [-0.0104, 0.0131] against champion 2 on 114 test rows: not surely better"
    },
    "mlflow": {"experiment": "breast_cancer", "synced": 38, "pending": 12},
}


def test_one_run_is_counted_as_one() -> None:
    (line,) = [one for one in summary({**DOCUMENT, "mlflow": {**DOCUMENT["mlflow"], "synced": 1}}) if "  mlflow" in one]
    assert line.startswith("  mlflow      experiment breast_cancer: 1 run, 12 messages")


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


def on_a_terminal(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a terminal of 80 columns shows."""
    monkeypatch.setenv("COLUMNS", "80")
    with contextlib.redirect_stdout(Terminal()) as stream:
        print_facts(lines)
    return stream.getvalue()


def test_a_model_of_twelve_parameters_fits_one_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_a_terminal(summary(DOCUMENT), monkeypatch).splitlines()
    assert len(lines) <= 23  # and the prompt
    assert max(map(len, lines)) <= 80
    first = next(number for number, line in enumerate(lines) if line.startswith("  winner      "))
    assert lines[first + 1].startswith(" " * 14 + "optimizer=adamw ")


def test_the_test_value_stands_with_its_interval_and_apart_from_the_validation_value() -> None:
    lines = {line.split()[0]: line for line in summary(DOCUMENT)}
    assert "balanced_accuracy 0.9942 [0.9855, 1" in lines["test"]
    assert "0.9876" in lines["validation"]
    assert "0.9876" not in lines["test"]


def test_a_value_that_no_fresh_seed_confirmed_is_said_to_be_its_trials() -> None:
    def validation(values: list[float]) -> str:
        confirmed = [{"slot": 3, "family": "mlp", "values": [0.9]}, {"slot": 17, "family": "mlp", "values": values}]
        return next(line for line in summary({**DOCUMENT, "confirmed": confirmed}) if "validation" in line)

    assert validation([0.98, 0.99]).endswith("0.9876 on fresh seeds (default 0.98)")
    assert validation([]).endswith("0.9876 in its trial alone (default 0.98)")


def test_folding_breaks_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = summary({**DOCUMENT, "bundle": "exports/" + 30 * "long-name"})
    shown = on_a_terminal(lines, monkeypatch)
    assert len(shown.splitlines()) > len(lines)
    assert shown.split() == " ".join(lines).split()


def test_in_a_pipe_a_fact_is_a_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_facts(summary(DOCUMENT))
    assert capsys.readouterr().out.splitlines() == summary(DOCUMENT)


def test_slots_that_the_time_cut_off_are_counted() -> None:
    slots = {"planned": 40, "complete": 8, "pruned": 30, "failed": 0}
    assert any("0 failed, 2 cut off by the time · 48 s" in line for line in summary({**DOCUMENT, "slots": slots}))
    assert not any("cut off" in line for line in summary(DOCUMENT))
    slots |= {"complete": 3, "interrupted": 1}
    assert any(
        "0 failed, 1 cut off by the time, 6 not begun · 48 s" in line for line in summary({**DOCUMENT, "slots": slots})
    )


def test_the_next_command_names_the_folder_of_families_of_ones_own() -> None:
    document = {**DOCUMENT, "registered": None}
    assert summary(document)[-1].endswith("v-24fa5ebdeb35 FILE.csv")
    header = replace(stubs.header(), config={"families_from": "my own"})
    assert summary(document, header)[-1].endswith("v-24fa5ebdeb35 FILE.csv --families-from 'my own'")


def test_where_the_champion_stays_it_is_the_one_to_predict_with() -> None:
    assert summary(DOCUMENT)[-1] == "next: automl predict breast_cancer@champion FILE.csv"
    registered = {"name": "breast_cancer", "version": 3, "champion": True}
    assert summary({**DOCUMENT, "registered": registered})[-1].endswith("v-24fa5ebdeb35 FILE.csv")


def test_where_trees_are_better_the_next_search_is_of_trees() -> None:
    beaten = {**DOCUMENT, "verdict": "gradient boosting is better: use it"}
    choices = {"path": "/work/churn.csv", "target": "is churned"}
    task = {"name": "churn", "source": "churn.csv", "choices": choices}
    table = replace(stubs.header("churn-0"), task=task, data={"columns": [{"name": "age"}]})
    first, second = summary(beaten, table)[-2:]
    assert first == (
        "next: automl search churn.csv --target 'is churned' --families boosted_trees --name churn-0-trees"
    )
    assert second.startswith("next: automl predict")
    for document, header in (
        (DOCUMENT, table),
        (beaten, replace(table, data={})),
        ({**beaten, "best": {**DOCUMENT["best"], "family": "boosted_trees"}}, table),
    ):
        assert not any("automl search " in line for line in summary(document, header))


def test_the_defaults_test_value_stands_beside_the_winners() -> None:
    def tested(**more: object) -> str:
        return next(line for line in summary({**DOCUMENT, **more}) if line.startswith("  test "))

    gains = {"default": [-0.0021, -0.01, 0.004], "linear": [0.01, 0.0, 0.02]}
    assert tested(direction="maximize", test_gains=gains).endswith("[0.9855, 1] (default 0.9963)")
    assert tested(direction="minimize", test_gains=gains).endswith("[0.9855, 1] (default 0.9921)")
    assert tested(direction="maximize", test_gains={}).endswith("[0.9855, 1]")


def test_a_default_that_won_is_not_compared_with_itself() -> None:
    lines = summary({**DOCUMENT, "default": {"slot": 17, "family": "mlp", "validation": 0.9876}})
    assert lines[0] == "breast_cancer-0: the default itself won"
    assert "default" not in lines[1]
    blend = summary(
        {**DOCUMENT, "default": {"slot": 17, "validation": 0.98}, "ensemble": {"taken": True, "validation": 0.985}}
    )
    assert blend[0] == "breast_cancer-0: not better than the default"
    assert "(default 0.98)" in blend[1]


def test_a_table_too_wide_goes_on_below_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with contextlib.redirect_stdout(Terminal()) as stream:
        print_table(
            [("wine", 1, "champion", "boosted_trees", "not better than the default", "wine-0")], tuple("abcdef")
        )
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(lines[1:]).split()[-5:] == ["better", "than", "the", "default", "wine-0"]


def test_a_last_column_without_room_stands_below_its_row_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    with contextlib.redirect_stdout(Terminal()) as stream:
        print_table(
            [("wine", 1, "mlp", "not better than the default"), ("digits", 12, "cnn", "better than default")],
            ("model", "version", "family", "verdict"),
        )
    assert stream.getvalue().splitlines() == [
        "model   version  family",
        "    verdict",
        "wine          1  mlp",
        "    not better than the default",
        "digits       12  cnn",
        "    better than default",
    ]


def test_wide_characters_take_two_columns_of_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("漢字", "x"), ("ab", "y")], ("name", "b"))
    assert capsys.readouterr().out.splitlines() == ["name  b", "漢字  x", "ab    y"]
    assert (shortened("漢字の列名はとても長い", 9), shortened("abcdefghij", 9)) == ("漢字…長い", "abcd…ghij")
