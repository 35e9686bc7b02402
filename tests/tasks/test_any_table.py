"""Whatever a table holds, it is learned from or refused with a reason: tables are generated, and no other exception may come."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from automl.data import Schema, prepare, read_rows
from automl.errors import AutoMLError
from automl.tasks import Choices, load_task
from automl.tasks.own.columns import KINDS
from automl.tasks.own.taskfile import task_file

EXAMPLES = int(os.environ.get("AUTOML_TEST_EXAMPLES", "60"))
LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
NAMES = st.one_of(
    st.sampled_from(
        ["a", "b", "id", "Age", "y ", " x", "", '"', "a,b", "a\nb", "größe", "📈", "__class__", "kind", "1", "=1+1"]
    ),
    st.text(LETTERS, max_size=12),
)
NUMBERS = st.one_of(st.integers(-9, 9), st.integers(), st.floats(), st.floats(0, 1).map(lambda x: round(x, 3))).map(str)
WRITTEN = st.sampled_from(["{:,}", "${:,.2f}", "{:.1f}%", "({:.1f})", "{} €"]).flatmap(
    lambda form: st.integers(0, 10**7).map(lambda number: form.format(number / 4))
)
DAYS = st.datetimes().flatmap(
    lambda when: st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%m/%d/%Y"]).map(when.strftime)
)
GAPS = st.sampled_from(["", " ", "NA", "nan", "None", "?", "-"])
GARBAGE = st.one_of(
    st.text(LETTERS, max_size=20), st.sampled_from(["inf", "1e400", "1_0", "'", '"', "\r\n", "0x10", "1,5", "٣"])
)
SENTENCES = st.lists(
    st.sampled_from(["the", "a", "fox", "dog", "runs", "sleeps", "over", "under", "red", "blue", "12", "42"]),
    min_size=3,
    max_size=9,
).map(" ".join)


@st.composite
def columns(draw: st.DrawFn, rows: int) -> list[str]:
    """Cells of one nature, with a share of others among them."""
    few = st.sampled_from(draw(st.lists(st.one_of(NUMBERS, GARBAGE, DAYS), min_size=1, max_size=4)))
    nature = draw(st.sampled_from([NUMBERS, WRITTEN, DAYS, SENTENCES, GARBAGE, GAPS, few, st.integers(0, 3).map(str)]))
    seeds = draw(st.lists(nature, min_size=1, max_size=40))
    cells = [seeds[place % len(seeds)] for place in range(rows)]
    if draw(st.booleans()):  # count up: ids, and numbers that do not repeat
        cells = [cell if place % 2 else f"{place}" for place, cell in enumerate(cells)]
    for place, cell in draw(st.lists(st.tuples(st.integers(0, rows - 1), st.one_of(GAPS, GARBAGE)), max_size=3)):
        cells[place] = cell
    return cells


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    rows = draw(st.sampled_from([40, 90, 250, 21, 5]))
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=draw(st.sampled_from([str.strip, str.strip, id]))))
    usual = st.sampled_from([NUMBERS, st.sampled_from(["yes", "no"]), st.floats(-9, 9).map(str)])
    seeds = draw(usual.flatmap(lambda nature: st.lists(nature, min_size=30, max_size=30)))
    target = [seeds[place * 7 % len(seeds)] for place in range(rows)]
    if draw(st.sampled_from([False, False, False, True])):
        target = draw(columns(rows))
    return [*names, "target"], [*(draw(columns(rows)) for _ in names), target]


@st.composite
def choices(draw: st.DrawFn, names: list[str]) -> Choices:
    """Mostly nothing; now and then a person's word about kinds, a group or a time, right or wrong."""
    if draw(st.sampled_from([True, True, False])):
        return Choices("target")
    name = st.sampled_from([name.strip() for name in names])
    return Choices(
        "target",
        draw(st.sampled_from([None, "classification", "regression"])),
        draw(st.dictionaries(name, st.sampled_from(KINDS), max_size=2)),
        group=draw(st.none() | name),
        time_column=draw(st.none() | name),
    )


def written(path: Path, names: list[str], cells: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(zip(*cells, strict=True))
    path.write_text(text.getvalue(), newline="")


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=EXAMPLES == 60,
    database=None,
)
@given(table=tables(), order=st.randoms(use_true_random=False), data=st.data())
def test_a_table_is_learned_from_or_refused(table, order, data) -> None:
    names, cells = table
    said = data.draw(choices(names))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder / "d.csv", names, cells)
        try:
            task = load_task(str(folder / "d.csv"), said)
            prepared = prepare(task, seed=0, data_folder=folder / "data")
        except AutoMLError as error:
            event("refused: " + str(error).partition(": ")[2].translate(str.maketrans("", "", "0123456789"))[-40:])
            return
        event("learned from")
        schema = prepared.schema
        again = Schema.from_json(schema.to_json())
        places = order.sample(range(len(names)), len(names))
        if all(name.strip() for name in names):  # one without a name is known by its place
            names, cells = [names[place] for place in places], [cells[place] for place in places]
        written(folder / "shuffled.csv", names, cells)
        encoded = encoded_rows(folder / "d.csv", schema)
        assert encoded.shape == (len(cells[0]), *schema.shape)
        assert encoded.dtype == np.float32
        assert np.isfinite(encoded).all()
        assert np.array_equal(encoded, encoded_rows(folder / "d.csv", again))
        assert np.array_equal(encoded, encoded_rows(folder / "shuffled.csv", schema))
        known = task.read().take(np.arange(len(task.read())))
        assert np.isfinite(schema.encode(known)).all()
        (folder / "d.yaml").write_text(task_file(task, folder, len(task.read())))
        kept = load_task(str(folder / "d.yaml"))
        assert [(one.name, one.kind) for one in kept.columns] == [(one.name, one.kind) for one in task.columns]
        assert np.array_equal(kept.read().target, task.read().target)
        for part in ("known", "test"):
            targets = np.load(folder / "data" / prepared.ref.key / part / "target.npy")
            assert np.isfinite(targets).all()


def encoded_rows(path: Path, schema: Schema) -> np.ndarray:
    return np.concatenate([schema.encode(chunk.features) for chunk in read_rows(path, schema, lambda text: None)])
