"""Predictions come in the input's order, under the names that people expect, and are harmless in a spreadsheet."""

import csv
import io
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from automl.bundle import load_model, predict_file, standalone, write_predictions
from automl.bundle.predict import harmless
from automl.cli.main import run
from automl.data import Chunk
from automl.errors import DataError
from automl.tasks import load_task


def _rows_file(task, tmp_path, *, shuffled: bool):
    rows = task.read()
    order = np.arange(len(rows.columns))[:: -1 if shuffled else 1]
    path = tmp_path / f"rows-{shuffled}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([rows.columns[index] for index in order])
        writer.writerows(rows.array()[:7, order].tolist())
    return path


def _predict(bundle, path) -> list[list[str]]:
    stream = io.StringIO()
    count = predict_file(bundle, path, stream, print)
    table = list(csv.reader(io.StringIO(stream.getvalue())))
    assert count == len(table) - 1
    return table


def test_a_table_gives_a_row_per_row_whatever_the_columns_order(made, tmp_path):
    model = load_model(made)
    task = load_task(model.manifest.facts.task)
    header, *rows = _predict(made, _rows_file(task, tmp_path, shuffled=True))
    assert [header, *rows] == _predict(made, _rows_file(task, tmp_path, shuffled=False))
    assert header == ["prediction", *(f"p_{label}" for label in model.schema.labels)]
    assert [row[0] for row in rows] == [str(value) for value in model.predict(task.read().array()[:7]).tolist()]


@pytest.mark.parametrize("harmless", [harmless, standalone.harmless])
@pytest.mark.parametrize(
    "text", ["=1+1", "+x", "-cmd", "@x", "\tx", "\rx", "\nx", "\uff1d1", "\uff0bx", "\uff0dx", "\uff20x"]
)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text, harmless):
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("harmless", [harmless, standalone.harmless])
@pytest.mark.parametrize("text", ["-1", "+2.5e3", "plain", "1=1", ""])
def test_numbers_and_plain_text_stay_as_they_are(text, harmless):
    assert harmless(text) == text


@pytest.mark.parametrize("kind", ["series", "forecast"])
def test_ids_and_their_header_are_harmless_with_us_and_without(kind):
    labels = ("=a", "b") if kind == "series" else ()
    outputs = np.array([[0.75, 0.25]])
    model = SimpleNamespace(
        schema=SimpleNamespace(labels=labels, horizon=0 if labels else 2, id="=id"),
        predict_proba=lambda features: outputs,
        predict=lambda features: outputs,
        decide=lambda probabilities: np.array(["=a"]),
    )
    ours, theirs = io.StringIO(), io.StringIO()
    write_predictions(model, [Chunk(np.zeros((1, 2)), ids=("@one",))], ours)
    schema = {"labels": list(labels), "encoders": [{"kind": kind, "id": "=id"}]}
    standalone.write(theirs, schema, outputs, ("@one",), 0.5)
    wanted = {
        "series": [["'=id", "prediction", "p_=a", "p_b"], ["'@one", "'=a", "0.75", "0.25"]],
        "forecast": [["'=id", "step", "prediction"], ["'@one", "1", "0.75"], ["'@one", "2", "0.25"]],
    }
    assert list(csv.reader(io.StringIO(ours.getvalue()))) == wanted[kind]
    assert theirs.getvalue() == ours.getvalue()


def test_classes_and_file_names_in_the_output_are_harmless_and_files_come_first():
    model = SimpleNamespace(
        schema=SimpleNamespace(labels=("=a", "b"), horizon=0),
        predict_proba=lambda features: np.tile([0.75, 0.25], (len(features), 1)),
        decide=lambda probabilities: np.array(["=a"] * len(probabilities)),
    )
    stream = io.StringIO()
    write_predictions(model, [Chunk(np.zeros((1, 2)), (name,)) for name in ("@x.png", "a,b.png")], stream)
    assert list(csv.reader(io.StringIO(stream.getvalue()))) == [
        ["file", "prediction", "p_=a", "p_b"],
        ["'@x.png", "'=a", "0.75", "0.25"],
        ["a,b.png", "'=a", "0.75", "0.25"],
    ]


def test_a_frame_without_a_column_or_with_one_twice_is_refused_by_a_model_too(made):
    model = load_model(made)
    rows = load_task(model.manifest.facts.task).read()
    frame = pd.DataFrame(rows.array()[:3], columns=rows.columns)
    first = rows.columns[0]
    acts = [model.predict] + ([model.predict_proba] if model.schema.labels else [])
    for act in acts:
        with pytest.raises(DataError, match=f"the rows: column '{first}' not found"):
            act(frame.drop(columns=first))
        with pytest.raises(DataError, match=f"the rows: column '{first}' occurs 2 times"):
            act(pd.concat([frame, frame[[first]]], axis=1))
        with pytest.raises(DataError, match="not found"):
            act(frame.set_axis(range(len(rows.columns)), axis=1))
        assert np.array_equal(act(frame.assign(more=1)), act(rows.array()[:3]))


def test_the_command_says_which_version_a_name_means(made, tmp_path, capsys):
    version = tmp_path / "exports" / "task" / "v-0123456789ab"
    shutil.copytree(made, version)
    (version.parent / "LATEST").write_text(version.name)
    rows = str(_rows_file(load_task(load_model(made).manifest.facts.task), tmp_path, shuffled=False))
    assert run(["predict", "task", rows]) == 0
    assert capsys.readouterr().err.splitlines()[0] == f"model exports/task/{version.name}"
    assert run(["predict", str(version), rows]) == 0
    assert "model " not in capsys.readouterr().err


def test_the_command_writes_a_file_whole_or_not_at_all(made, tmp_path, capsys):
    task = load_task(load_model(made).manifest.facts.task)
    rows = _rows_file(task, tmp_path, shuffled=False)
    out = tmp_path / "out.csv"
    assert run(["predict", str(made), str(rows), "--out", str(out)]) == 0
    whole = out.read_text()
    assert len(whole.splitlines()) == 8
    before = sorted(path.name for path in tmp_path.iterdir())
    rows.write_text(rows.read_text() + "x" + "," * (len(task.read().columns) - 1) + "\n")
    assert run(["predict", str(made), str(rows), "--out", str(out)]) == 3
    assert "row 8: 'x' is not a finite number" in capsys.readouterr().err
    assert out.read_text() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_an_out_that_is_no_file_is_written_to_and_a_link_is_followed(made, tmp_path):
    task = load_task(load_model(made).manifest.facts.task)
    rows = _rows_file(task, tmp_path, shuffled=False)
    assert run(["predict", str(made), str(rows), "--out", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert run(["predict", str(made), str(rows), "--out", str(tmp_path / "link.csv")]) == 0
    assert len((tmp_path / "real.csv").read_text().splitlines()) == 8
    assert (tmp_path / "link.csv").is_symlink()


def test_an_out_in_a_folder_that_is_not_there_is_a_storage_error(made, tmp_path, capsys):
    task = load_task(load_model(made).manifest.facts.task)
    out = tmp_path / "nowhere" / "out.csv"
    assert run(["predict", str(made), str(_rows_file(task, tmp_path, shuffled=False)), "--out", str(out)]) == 5
    assert f"Cannot write predictions to {out}: no folder {out.parent}." in capsys.readouterr().err
