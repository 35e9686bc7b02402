"""What was left out, imputed and made of each column stands in the schema, and is told in the report and the model card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from automl.bundle import Facts
from automl.data import Schema, prepare
from automl.data.treatment import Treated, treated_columns
from automl.errors import DataError
from automl.export.card import MOST_COLUMNS, model_card
from automl.tasks import Choices, load_task

HEADER = "id,n,heavy,w,when,y\n"


@pytest.fixture
def schema(tmp_path: Path) -> Schema:
    lines = [
        f"{row},{'' if row % 5 == 0 else row % 7},{10 ** (row % 20 == 0) ** 9 if row % 4 else ''},"
        f"{'' if row % 10 == 0 else 'ab'[row % 2]},2025-01-{row % 28 + 1:02d},{['no', 'yes'][row % 3 == 0]}"
        for row in range(200)
    ]
    (tmp_path / "d.csv").write_text(HEADER + "\n".join(lines) + "\n")
    task = load_task(str(tmp_path / "d.csv"), Choices("y"))
    return prepare(task, seed=0, data_folder=tmp_path / "data").schema


def test_each_column_is_told_with_its_gaps_and_what_fills_them(schema: Schema) -> None:
    told = {one.name: one for one in treated_columns(schema)}
    assert list(told) == ["n", "heavy", "w", "when", "id"]
    assert told["id"] == Treated("id", "left out", "numbers the rows")
    assert (told["n"].kind, told["n"].filled, told["n"].features) == ("number", "the mean, marked", 2)
    assert told["n"].gaps == pytest.approx(0.2, abs=0.06)
    assert (told["w"].filled, told["w"].features) == ("a level of its own", 1)
    assert (told["when"].gaps, told["when"].filled, told["when"].features) == (0.0, "the mean", 5)
    assert told["when"].why == "dates (iso)"


def test_the_mean_and_the_median_are_what_the_encoder_puts_in(schema: Schema) -> None:
    gap = np.array([np.nan])
    for encoder in schema.encoders[:2]:
        assert encoder.encode(gap).tolist() == [[0.0, 1.0]]


def test_a_schema_of_an_older_build_is_read_and_a_wrong_one_refused(schema: Schema) -> None:
    document = json.loads(schema.to_json())
    old = {key: value for key, value in document.items() if key not in ("why", "gaps")}
    assert [one.kind for one in treated_columns(Schema.from_json(json.dumps(old)))][:2] == ["number", "number"]
    for wrong in ({"gaps": {"n": "much"}}, {"why": {"n": 3}}, {"gaps": {"n": True}}):
        with pytest.raises(DataError):
            Schema.from_json(json.dumps({**document, **wrong}))


FACTS = Facts("t", "mlp", "t-0", 0, 0, "accuracy", "maximize", {}, "0" * 64)
MODEL = b'{"family": "mlp", "params": {}}'


def test_the_card_tells_the_columns(schema: Schema) -> None:
    card = model_card(FACTS, MODEL, schema)
    assert "| w | category | 2 different words | " in card
    assert "filled with a level of its own |" in card
    assert "| id | left out | numbers the rows |  |" in card


def test_hostile_names_are_no_markup_in_the_card_and_many_columns_are_cut(schema: Schema) -> None:
    names = ["<img src=x onerror=alert(1)>", "a|b", "[x](javascript:1)", "two\nlines", "|x|", *map(str, range(60))]
    document = {**json.loads(schema.to_json()), "unused": dict.fromkeys(names, "# why")}
    card = model_card(FACTS, MODEL, Schema.from_json(json.dumps(document)))
    assert not [bad for bad in ("<img", "a|b", "[x]", "two\n", "|x|") if bad in card]
    assert f"... and {4 + len(names) - MOST_COLUMNS} more in schema.json." in card
