"""The model card: what a bundle is, in a page for people. States facts from the search and judges nothing."""

from __future__ import annotations

import json

from automl.bundle.format import Facts
from automl.tasks.metrics import EVEN


def model_card(facts: Facts, model: bytes) -> str:
    """Return Markdown from a bundle's facts and its `model.json`."""
    described = json.loads(model)
    members = enumerate(described.get("members", ()), start=1)
    params = {f"member {place}: {one['family']}, weight {one['weight']:.3g}": one["params"] for place, one in members}
    params = params or described["params"]
    if described.get("temperature", 1.0) != 1.0:
        params["temperature"] = f"{described['temperature']:.3g}"
    if described.get("threshold", EVEN) != EVEN:
        params["threshold"] = f"{described['threshold']:.3g}, the probability above which the second class is predicted"
    values = [f"| {name} | {value:.4g} |" for name, value in facts.values.items()]
    choices = [f"| {name} | {value} |" for name, value in params.items()]
    return "\n".join(
        [
            f"# {facts.task}: {facts.family}",
            "",
            f"Found by search `{facts.search}` (slot {facts.slot}, seed {facts.seed}), which aimed to {facts.direction} "
            f"{facts.metric}. Trained on rows with content hash `{facts.data[:12]}`.",
            "",
            f"| {facts.metric} | value |",
            "|---|---|",
            *values,
            "",
            "| parameter | value |",
            "|---|---|",
            *choices,
            "",
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
