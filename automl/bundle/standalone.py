"""Predict with this folder alone: `python predict.py ROWS.csv` writes CSV to stdout. Needs numpy, and torch or onnxruntime.

This file and encoding.py beside it were copied here by automl and do not need it; nor does a program that imports them:

    model = load(".")
    probabilities = model(rows)  # a mapping from a column's name to its cells, or an array in the order of schema.json
    decide(read_threshold("."), probabilities)  # each row's place in the labels of schema.json

A `.pt2` is opened by torch.export.load, which can run code of whoever made it: open it only if you trust where it came from. The
hashes in manifest.json show that a file is unchanged, not who wrote it.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ONNX, PT2 = "model.onnx", "model.pt2"


def load(folder: str | Path) -> Callable[[Any], np.ndarray]:
    """Return raw rows -> probabilities (rows, classes), or -> numbers (rows,). Raises ValueError where a file was changed."""
    folder = Path(folder)
    check(folder)
    schema, network = read_schema(folder), open_network(folder)
    encoding = _encoding()
    encoders = [encoding.encoder_from(one) for one in schema["encoders"]]
    return lambda rows: decode(schema, network(encoding.encode(encoders, rows)))


def check(folder: Path) -> None:
    """Compare the manifest with its own digest, and every file with the manifest's SHA-256. Raises ValueError."""
    content = (folder / "manifest.json").read_bytes()
    manifest = json.loads(content)
    digest = manifest.pop("digest", "")
    if hashlib.sha256(_spell(manifest)).hexdigest() != digest or _spell({**manifest, "digest": digest}) != content:
        raise ValueError(f"{folder / 'manifest.json'} was changed since it was exported; do not use it")
    for name, listed in manifest["files"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != listed["sha256"]:
            raise ValueError(f"{folder / name} was changed since it was exported; do not use it")


def _spell(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def read_schema(folder: Path) -> dict[str, Any]:
    """Return encoders, labels and the rest of the fitted preprocessing."""
    schema: dict[str, Any] = json.loads((folder / "schema.json").read_bytes())
    return schema


def _encoding() -> Any:
    """The fitted preprocessing's code: beside this file, or where automl has it."""
    beside = str(Path(__file__).resolve().parent)
    if beside not in sys.path:
        sys.path.insert(0, beside)
    try:
        return importlib.import_module("encoding")
    except ModuleNotFoundError:
        return importlib.import_module("automl.encoding")


def decode(schema: dict[str, Any], outputs: np.ndarray) -> np.ndarray:
    """Logits -> probabilities in the order of `labels`; standardised numbers -> the target's own units."""
    values = np.asarray(outputs, dtype=np.float64)
    if not schema["labels"]:
        return values.reshape(len(values)) * schema["target_scale"] + schema["target_mean"]
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def read_threshold(folder: Path | str) -> float:
    """Return the probability above which the second of two classes is predicted."""
    return float(json.loads((Path(folder) / "model.json").read_bytes()).get("threshold", 0.5))


def decide(threshold: float, probabilities: np.ndarray) -> np.ndarray:
    """Probabilities (rows, classes) -> (rows,) places among the labels: of two by the threshold, of more the most probable."""
    two = np.array([threshold, 1.0 - threshold])
    return np.asarray((probabilities * two if probabilities.shape[1] == 2 else probabilities).argmax(axis=1))


def open_network(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Return encoded rows -> outputs, through whichever form of the network lies in the folder."""
    if (folder / ONNX).exists():
        import onnxruntime

        session = onnxruntime.InferenceSession(str(folder / ONNX), providers=["CPUExecutionProvider"])
        return lambda rows: np.asarray(session.run(None, {"rows": rows})[0])
    import torch

    program = torch.export.load(folder / PT2).module()
    return lambda rows: np.asarray(program(torch.from_numpy(rows)).detach())


def read_rows(path: str, schema: dict[str, Any]) -> dict[str, np.ndarray]:
    """Read a CSV whose columns may come in any order, and more of them; empty cells are missing."""
    names = [name for one in schema["encoders"] for name in one.get("columns", [one.get("name")])]
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = [[line[name] or None for name in names] for line in csv.DictReader(file)]
    return {name: np.array(cells, dtype=object) for name, cells in zip(names, zip(*lines, strict=True), strict=True)}


def main() -> None:
    """Predict the rows of a CSV file."""
    folder = Path(__file__).resolve().parent
    schema = read_schema(folder)
    predicted = load(folder)(read_rows(sys.argv[1], schema))
    writer, labels = csv.writer(sys.stdout, lineterminator="\n"), schema["labels"]
    writer.writerow(["prediction", *(f"p_{label}" for label in labels)])
    if not labels:
        writer.writerows([row] for row in predicted.tolist())
        return
    decided = decide(read_threshold(folder), predicted)
    writer.writerows([labels[place], *row] for place, row in zip(decided.tolist(), predicted.tolist(), strict=True))


if __name__ == "__main__":
    main()
