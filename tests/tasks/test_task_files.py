"""A task file is read strictly: what it says is meant, what it does not know is refused with its line, and it runs no code."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from automl.errors import ConfigError, DataError
from automl.tasks import Choices, Task, load_again, load_task
from automl.tasks.own.taskfile import read_task_file, task_file

DATA = "n,w,no,1e-3,y\n" + "".join(
    f"{row}.5,{'abc'[row % 3]},{row * 7 % 5},{row % 4 / 2},{row % 2}\n" for row in range(60)
)


def written(folder: Path, text: str | bytes, name: str = "churn.yaml") -> Path:
    (folder / "data.csv").write_text(DATA)
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def loaded(folder: Path, text: str, choices: Choices | None = None) -> Task:
    return load_task(str(written(folder, text)), choices)


def refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read_task_file(written(folder, text), Choices())
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith(f"{folder}/churn.yaml: ")
    return str(caught.value)


def test_a_task_file_names_data_beside_it_and_gives_the_task_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "path: data.csv\ntarget: y\nmetric: log_loss\ncolumns:\n  n: left out\ngroup: w\n"
    written(tmp_path, text, "my churn.v2.yaml")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    task = load_task("../my churn.v2.yaml")
    assert (task.name, task.target, task.metric) == ("my-churn.v2", "y", "log_loss")
    assert [name for name, _ in task.objectives] == ["log_loss", "roc_auc", "accuracy"]
    assert {column.name for column in task.columns if column.kind == "left out"} >= {"n", "w"}


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    text = "path: data.csv\ntarget: y\nkind: classification\ncolumns: {n: text, w: left out}\nencoding: latin-1\n"
    flags = Choices("no", "regression", {"n": "category"}, group="1e-3")
    _, choices = read_task_file(path := written(tmp_path, text), flags)
    beside = {"target": "no", "kind": "regression", "columns": {"n": "category"}, "group": "1e-3"}
    assert choices == Choices(
        "no",
        "regression",
        {"n": "category", "w": "left out"},
        "1e-3",
        encoding="latin-1",
        name="churn",
        file=str(path),
        beside=beside,
    )


@pytest.mark.parametrize("target", ["no", "1e-3"])
def test_a_value_that_yaml_takes_for_a_truth_value_or_number_is_the_name_it_spells(tmp_path: Path, target: str) -> None:
    task = loaded(tmp_path, f"path: data.csv\ntarget: {target}\ncolumns:\n  1e-3: category\n  no: number\n")
    assert task.target == target


def test_columns_that_are_known_ahead_are_a_list(tmp_path: Path) -> None:
    text = "path: data.csv\nkind: forecast\nhorizon: 3\nknown: [no, 1e-3]\n"
    _, choices = read_task_file(path := written(tmp_path, text), Choices())
    assert choices.known == ("no", "1e-3")
    assert read_task_file(path, Choices(known=("n",)))[1].known == ("n",)
    assert "'known', line 2" in refused(tmp_path, "path: data.csv\nknown: price\n")
    assert "'known' must be text, but is a list, line 2." in refused(tmp_path, "path: data.csv\nknown: [[a], b]\n")


def test_an_empty_value_is_one_that_is_left_out(tmp_path: Path) -> None:
    assert loaded(tmp_path, "path: data.csv\ntarget: y\ngroup:\nmetric: ''\ncolumns:\n").metric == "roc_auc"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "path: data.csv\ntarget: y\n\ntarge: y\n",
            "unknown key 'targe' (did you mean 'target'?), line 4. Keys: path,",
        ),
        ("path: data.csv\nn_trails: 3\n", "unknown key 'n_trails', line 2."),
        ("path: data.csv\n<<: {target: y}\n", "unknown key '<<', line 2."),
        ("path: data.csv\ntarget: y\ntarget: z\n", "key 'target' occurs twice, in lines 2 and 3. Delete one."),
        ("path: d.csv\ncolumns:\n  a: text\n  a: date\n", "key 'a' occurs twice, in lines 3 and 4. Delete one."),
        ("target: y\n", "'path' is missing: where is the data?"),
        (
            "path: data.csv\nkind: clasification\n",
            "'kind', line 2, must be 'classification', 'regression' or 'forecast', but is",
        ),
        ("path: data.csv\nkind: clasification\n", "Did you mean 'classification'?"),
        (
            "path: d.csv\ncolumns:\n  a: text\n  b: nummer\n",
            "'columns.b', line 4, must be 'number', 'category', 'date',",
        ),
        ("path: data.csv\ncolumns: all\n", "'columns', line 2, is wrong"),
        ("path: data.csv\ntarget: {a: b}\n", "'target', line 2, is wrong"),
        ("path: data.csv\ntarget: [y]\n", "'target' must be text, but is a list, line 2."),
        ("path: data.csv\n? [a]\n: b\n", "a key must be text, line 2."),
        ("path: other.yml\n", "'path' must be data, not another task file"),
        ("- path\n", "a task file holds lines such as"),
        ("", "a task file holds lines such as"),
        ("just words", "a task file holds lines such as"),
        ("path: 'data.csv\n", "cannot be read as a task file, line 2: found unexpected end of stream."),
        ("path: data.csv\n\ttarget: y\n", "cannot be read as a task file, line 2:"),
        ("path: a\n---\npath: b\n", "cannot be read as a task file, line 2:"),
        (b"path: \xff\n", "not UTF-8 at byte 6."),
        (b"path: \x00\n", "not YAML:"),
        ("path: d.csv\ntarget: !!python/object/apply:os.system ['touch x']\n", "line 2: tags such as"),
        ("path: d.csv\ntarget: !!python/name:os.system\n", "line 2: tags such as"),
        ("path: d.csv\ntarget: !!str y\n", "line 2: tags such as"),
        ("path: &a d.csv\ntarget: *a\n", "line 1: anchors and aliases are not read."),
        ("path: d.csv\ntarget: *a\n", "line 2: anchors and aliases are not read."),
        ("path: d.csv\ntarget: " + "[" * 10_000, "line 2: it is nested more than 20 deep."),
        ("path: d.csv\ntarget: " + "{a: " * 10_000, "line 2: it is nested more than 20 deep."),
        ("# " + "a" * (1 << 20), "a task file has at most 1 MB. Is this the data?"),
    ],
)
def test_what_is_not_meant_is_refused_with_its_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in refused(tmp_path, text)


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
    assert "anchors and aliases are not read" in refused(tmp_path, "\n".join(lines))


def test_no_tag_runs_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tag in ("object/apply:os.system", "object/new:os.system", "name:os.system", "module:os", "object:os.system"):
        refused(tmp_path, f"path: !!python/{tag} [touch {tmp_path}/marker]\n")
    assert not (tmp_path / "marker").exists()


def test_a_missing_task_file_names_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, "")
    with pytest.raises(
        ConfigError, match=r"chrun.yaml: cannot be read: No such file or directory. Did you mean 'churn.yaml'"
    ):
        load_task(str(tmp_path / "chrun.yaml"))


def test_missing_data_is_the_fault_of_the_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"date.csv: no such file. Did you mean 'data.csv'\?"):
        loaded(tmp_path, "path: date.csv\ntarget: y\n")


def test_a_metric_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Metric 'rmse' does not fit classification. Metrics for it: .*accuracy"):
        loaded(tmp_path, "path: data.csv\ntarget: y\nmetric: rmse\n")


def test_a_search_remembers_what_its_task_file_said(tmp_path: Path) -> None:
    task = loaded(tmp_path, "path: data.csv\ntarget: y\nmetric: log_loss\ncolumns:\n  n: left out\n")
    (tmp_path / "churn.yaml").unlink()
    again = load_again(task.name, task.choices)
    assert (again.name, again.columns, again.objectives) == (task.name, task.columns, task.objectives)


def test_a_task_file_says_what_was_inferred_and_is_read_back(tmp_path: Path) -> None:
    written(tmp_path, "")
    task = load_task(str(tmp_path / "data.csv"), Choices("y", group="w"))
    (tmp_path / "tasks").mkdir()
    text = task_file(task, tmp_path / "tasks", 60)
    assert text.splitlines()[1:] == [
        "path: ../data.csv  # 60 rows",
        "# test: FILE  # rows to test with; left out, a test part is set apart from path",
        "target: y",
        "kind: classification  # 2 different whole numbers",
        "metric: roc_auc  # steers; recorded too: accuracy, log_loss",
        "group: w  # rows with equal values here stay in one part, such as a patient's",
        "# time_column: COLUMN  # when a row was: the newest rows become the test part",
        "# id: COLUMN  # which series a row is of, where several rows make one",
        "encoding: utf-8",
        "columns:  # number, category, date, text or left out",
        "  n: number  # numbers",
        "  w: left out  # says which rows belong together",
        "  no: number  # whole numbers",
        '  "1e-3": number  # numbers',
    ]
    (tmp_path / "tasks" / "t.yaml").write_text(text)
    again = load_task(str(tmp_path / "tasks" / "t.yaml"))
    assert [(c.name, c.kind) for c in again.columns] == [(c.name, c.kind) for c in task.columns]
    assert (again.kind, again.objectives) == (task.kind, task.objectives)


NAMES = [
    "a: b",
    "- a",
    "#a",
    "'a'",
    '"',
    "a\\b",
    "größe",
    "📈",
    "[x]",
    "*a",
    "&a",
    "!a",
    "a\nb",
    "\x85",
    "null",
    "~",
    "<<",
    "?",
    "%a",
    "a" * 1500,
]


def test_odd_names_of_columns_are_read_back(tmp_path: Path) -> None:
    with open(tmp_path / "odd.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*NAMES, "y"])
        writer.writerows([*[(row * place) % 7 for place in range(1, len(NAMES) + 1)], row % 2] for row in range(40))
    task = load_task(str(tmp_path / "odd.csv"), Choices("y"))
    (tmp_path / "t.yaml").write_text(task_file(task, tmp_path, 40))
    again = load_task(str(tmp_path / "t.yaml"))
    assert [(c.name, c.kind) for c in again.columns] == [(c.name, c.kind) for c in task.columns]
