"""The model card: what a bundle is, in a page for people. States facts from the search and judges nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from automl.bundle.format import Facts
from automl.data import Schema
from automl.data.treatment import Treated, treated_columns
from automl.rounding import rounded
from automl.tasks.metrics import EVEN

MOST_COLUMNS = 50
MOST_IMPORTANT = 10
_LONGEST = 120
_MARKS = re.compile(r"[\\`*\[\]<>|&]")


def model_card(
    facts: Facts, model: bytes, schema: Schema, importance: Mapping[str, Sequence[float]] | None = None
) -> str:
    """Return Markdown from a bundle's facts, its `model.json`, its preprocessing, and the importance of a table's columns.

    Of a column importance is (mean, standard error).
    """
    described = json.loads(model)
    members = enumerate(described.get("members", ()), start=1)
    params = {f"member {place}: {one['family']}, weight {one['weight']:.3g}": one["params"] for place, one in members}
    params = params or described["params"]
    if described.get("temperature", 1.0) != 1.0:
        params["temperature"] = rounded(described["temperature"], 3)
    if described.get("threshold", EVEN) != EVEN:
        params["threshold"] = f"{described['threshold']:.3g}, the probability above which the second class is predicted"
    values = [f"| {name} | {rounded(value)} |" for name, value in facts.values.items()]
    choices = [f"| {name} | {value} |" for name, value in params.items()]
    return "\n".join(
        [
            f"# {facts.task}: {facts.family}",
            "",
            f"Found by search `{facts.search}` (slot {facts.slot}, seed {facts.seed}), which aimed to {facts.direction} "
            f"{facts.metric}. Trained on rows with content hash `{facts.data[:12]}`"
            + (f"; what is learned is log(1 + {_plain(schema.target)})." if schema.logarithmic else "."),
            "",
            f"| {facts.metric} | value |",
            "|---|---|",
            *values,
            "",
            "| parameter | value |",
            "|---|---|",
            *choices,
            "",
            *_columns(schema),
            *_important(facts.metric, importance or {}),
            "## Use",
            "",
            "```python",
            "from automl import load_model",
            "",
            'model = load_model("path/to/this/folder")',
            "model.predict(rows)  # raw rows, in the order of the columns in schema.json",
            "```",
            "",
            "`model.pt2` is for programs without automl: it maps encoded rows to raw outputs. Loading it unpickles, so open it only",
            "if you trust whoever wrote this folder. Predictions are as good as the test says only on rows like those of the search.",
            "",
        ]
    )


def _columns(schema: Schema) -> list[str]:
    """What a table's columns are taken for; nothing for inputs without columns of their own."""
    columns = treated_columns(schema)
    if not columns:
        return []
    rows = [f"| {_plain(one.name)} | {one.kind} | {_plain(one.why)} | {_gaps(one)} |" for one in columns[:MOST_COLUMNS]]
    more = [f"... and {len(columns) - MOST_COLUMNS} more in schema.json.", ""] if len(columns) > MOST_COLUMNS else []
    return [
        "## Columns",
        "",
        "| column | taken for | why | gaps in training rows |",
        "|---|---|---|---|",
        *rows,
        "",
        *more,
    ]


def _gaps(column: Treated) -> str:
    return f"{column.gaps:.1%}, filled with {column.filled}" if column.gaps else ""


def _important(metric: str, importance: Mapping[str, Sequence[float]]) -> list[str]:
    if not importance:
        return []
    first = list(importance.items())[:MOST_IMPORTANT]
    return [
        f"| column | loss of {metric} when it is shuffled | standard error |",
        "|---|---|---|",
        *(f"| {_plain(name)} | {rounded(mean, 3)} | {rounded(error, 2)} |" for name, (mean, error) in first),
        "",
        "On the test rows. Columns that tell the same share their importance.",
        "",
    ]


def _plain(name: str) -> str:
    """A name out of somebody's file, as text that no reader of Markdown takes for more."""
    shown = "".join(one if one.isprintable() else " " for one in name)
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    return _MARKS.sub(lambda found: f"&#{ord(found[0])};", shown)
