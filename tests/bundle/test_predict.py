"""Predictions come in the input's order, under the names that people expect, and are harmless in a spreadsheet."""

import csv
import io

import numpy as np

from automl.bundle import Predictions, load_model, predict_file
from automl.tasks import load_task


def _rows_file(task, tmp_path, *, shuffled: bool):
    rows = task.read()
    order = np.arange(len(rows.columns))[:: -1 if shuffled else 1]
    path = tmp_path / f"rows-{shuffled}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([rows.columns[index] for index in order])
        writer.writerows(rows.features[:7, order].tolist())
    return path


def test_a_table_gives_a_row_per_row_whatever_the_columns_order(made, tmp_path):
    model = load_model(made)
    task = load_task(model.manifest.facts.task)
    predictions = predict_file(made, _rows_file(task, tmp_path, shuffled=True))
    assert predictions == predict_file(made, _rows_file(task, tmp_path, shuffled=False))
    assert predictions.header == ("prediction", *(f"p_{label}" for label in model.schema.labels))
    assert [row[0] for row in predictions.rows] == model.predict(task.read().features[:7]).tolist()


def test_csv_text_that_a_spreadsheet_would_run_gets_an_apostrophe():
    stream = io.StringIO()
    cells = ("=1+1", "+x", "-cmd", "@x", "\tx", "-1", "plain", 0.5, -2.0)
    Predictions(("prediction",), tuple((cell,) for cell in cells)).write_csv(stream)
    written = [row[0] for row in csv.reader(io.StringIO(stream.getvalue()))]
    assert written == ["prediction", "'=1+1", "'+x", "'-cmd", "'@x", "'\tx", "-1", "plain", "0.5", "-2.0"]
