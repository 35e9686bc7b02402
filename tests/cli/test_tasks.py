"""`automl tasks show` and `init`: what is inferred from a file, said to people and programs, and kept in a task file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl.cli.main import run


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    lines = [f"c{row}x,{row * 7 % 50 + 18},{'ab'[row % 3 == 0]},{['no', 'yes'][row % 5 == 0]}" for row in range(60)]
    path = tmp_path / "churn.csv"
    path.write_text("customer,age,plan,churned\n" + "\n".join(lines) + "\n,33,,\n")
    return path


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(list(words)) == 0
    return capsys.readouterr().out


def test_show_says_what_was_inferred_and_why(churn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "tasks", "show", "churn.csv", "--target", "churned")
    for words in (
        "kind        classification",
        "why         2 different words",
        "rows        60",
        "objectives  roc_auc (maximize), accuracy (maximize), log_loss (minimize)",
        "  customer  left out   an id: 60 different words in 60 rows",
        "  age       number     whole numbers",
        "  plan      category   2 different words",
        "1 row without a target was left out.",
    ):
        assert words in text
    assert "families    " in text


def test_show_answers_programs(churn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(
        capsys,
        "tasks",
        "show",
        "churn.csv",
        "--target",
        "churned",
        "--column",
        "age=category",
        "--group",
        "plan",
        "--json",
    )
    facts = json.loads(text)
    assert (facts["task"], facts["kind"], facts["rows"], facts["group"]) == ("churn", "classification", 60, "plan")
    assert facts["columns"][1] == {"name": "age", "kind": "category", "why": "as you said"}
    assert "mlp" in facts["families"]


def test_show_of_a_built_in_task_reads_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(printed(capsys, "tasks", "show", "digits", "--json"))
    assert facts["shape"] == [1, 8, 8]
    assert "rows" not in facts


def test_init_writes_a_file_that_show_and_search_take(churn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "tasks", "init", "churn.csv", "--target", "churned", "--out", "my.yaml")
    assert text == "my.yaml: classification of churned by roc_auc, 2 of 3 columns\nnext: automl search my.yaml\n"
    assert "  customer: left out  # an id: 60 different words in 60 rows\n" in Path("my.yaml").read_text()
    facts = json.loads(printed(capsys, "tasks", "show", "my.yaml", "--json"))
    assert (facts["task"], facts["target"]) == ("my", "churned")


def test_init_overwrites_nothing(churn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("churn.yaml").write_text("mine")
    assert run(["tasks", "init", "churn.csv", "--target", "churned"]) == 2
    assert "churn.yaml is there already" in capsys.readouterr().err
    assert Path("churn.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("tasks show churn.csv", 2, "Name it with --target. Columns: customer, age, plan, churned."),
        ("tasks show churn.csv --target chrned", 3, "Did you mean 'churned'?"),
        ("tasks show churn.csv --target churned --kind regresion", 2, "Did you mean 'regression'?"),
        ("tasks show churn.csv --target churned --column age=nummer", 2, "Did you mean 'number'?"),
        ("tasks show digits --target y", 2, "'digits' is a built-in task"),
        ("tasks init digits", 2, "'digits' is no table"),
        ("tasks init churn.csv --target churned --out churn.txt", 2, "--out must end in .yaml or .yml"),
        ("tasks init churn.csv --target churned --out nowhere/churn.yaml", 5, "Cannot write nowhere/churn.yaml"),
        (
            "search bad.yaml --trials 1",
            2,
            "bad.yaml: 'trials', line 2, is no part of a task. Say it on the command line: --trials.",
        ),
        ("search none.yaml --trials 1", 2, "none.yaml: cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    line: str, code: int, words: str, churn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.yaml").write_text("path: churn.csv\ntrials: 3\n")
    assert run(line.split()) == code
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_long_names_of_columns_are_shortened_in_the_table_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    names = [f"{20 * 'How content are you? '}{place}" for place in "ab"]
    lines = [f"{row}.5,{row % 9},{row % 2}" for row in range(40)]
    (tmp_path / "d.csv").write_text("\n".join([f"{','.join(names)},y", *lines]))
    text = printed(capsys, "tasks", "show", "d.csv", "--target", "y")
    table = text[text.index("columns\n") :].splitlines()
    assert max(map(len, table)) == 100
    assert all("…" in line for line in table[2:4])
    assert table[2].index("number") == table[3].index("number")
    facts = json.loads(printed(capsys, "tasks", "show", "d.csv", "--target", "y", "--json"))
    assert [one["name"] for one in facts["columns"]] == names


def test_a_name_cannot_forge_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.csv").write_text('"a\x1b[31m\nb",y\n' + "".join(f"{row}.5,{row % 2}\n" for row in range(40)))
    text = printed(capsys, "tasks", "show", "d.csv", "--target", "y")
    assert "a\\x1b[31m\\nb" in text
