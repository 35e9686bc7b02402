"""Predict with this folder alone: `python predict.py ROWS.csv` writes CSV to stdout. Needs numpy, and torch or onnxruntime.

This file and the folder encoding beside it were copied here by automl and do not need it; nor does a program that imports them:

    model = load(".")
    probabilities = model(rows)  # a mapping from a column's name to its cells, or an array in the order of schema.json
    decide(read_threshold("."), probabilities)  # each row's place in the labels of schema.json

A `.pt2` is opened by torch.export.load, which can run code of whoever made it: open it only if you trust where it came from. The
hashes in manifest.json show that a file is unchanged, not who wrote it.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

ONNX, PT2 = "model.onnx", "model.pt2"
_MOST_NUMBERS = 1 << 17
"""Of encoded rows that a network is given at once: it may make a hundred of each."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def load(folder: str | Path) -> Callable[[Any], np.ndarray]:
    """Return raw rows -> probabilities (rows, classes), -> numbers (rows,), or -> forecasts (series, steps).

    Of long rows, those of one id make one series: see `encoding.gathered`. Raises ValueError where a file was changed.
    """
    folder = Path(folder)
    check(folder)
    schema, network = read_schema(folder), open_network(folder)
    encoding = _encoding()
    encoders = [encoding.encoder_from(one) for one in schema["encoders"]]

    def predict(rows: Any) -> np.ndarray:
        _, series = encoding.gathered(encoders, rows)
        units = encoding.units(encoders, series)
        outputs = network(encoding.encode(encoders, series))
        return decode(schema, outputs) if units is None else encoding.in_units(in_units_of(schema, outputs), units)

    return predict


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
    """The fitted preprocessing's code: beside this file, or where automl has it. No folder becomes one to import from."""
    beside = Path(__file__).resolve().parent / "encoding"
    if not beside.is_dir():
        return importlib.import_module("automl.encoding")
    # A name for each folder: two exported models in one program may come with different code.
    name = f"_automl_encoding_{hashlib.sha256(str(beside).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(
        name, beside / "__init__.py", submodule_search_locations=[str(beside)]
    )
    if found is None or found.loader is None:
        raise ImportError(f"{beside} holds no code that can be imported; export the model again")
    sys.modules[name] = module = importlib.util.module_from_spec(found)  # where its files look for each other
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def decode(schema: dict[str, Any], outputs: np.ndarray) -> np.ndarray:
    """Logits -> probabilities in the order of `labels`; standardised numbers -> the target's own units."""
    values = np.asarray(outputs, dtype=np.float64)
    if not schema["labels"]:
        return in_units_of(schema, values.reshape(len(values)))
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def read_threshold(folder: Path | str) -> float:
    """Return the probability above which the second of two classes is predicted."""
    return float(json.loads((Path(folder) / "model.json").read_bytes()).get("threshold", 0.5))


def decide(threshold: float, probabilities: np.ndarray) -> np.ndarray:
    """Probabilities (rows, classes) -> (rows,) places among the labels: of two by the threshold, of more the most probable."""
    two = np.array([threshold, 1.0 - threshold])
    return np.asarray((probabilities * two if probabilities.shape[1] == 2 else probabilities).argmax(axis=1))


def in_units_of(schema: dict[str, Any], outputs: np.ndarray) -> np.ndarray:
    """Standardised numbers -> the target's own units; of a forecast -> those of each window."""
    numbers = np.asarray(outputs, dtype=np.float64) * schema["target_scale"] + schema["target_mean"]
    return np.asarray(np.maximum(np.expm1(np.minimum(numbers, 250.0)), 0.0) if schema.get("logarithmic") else numbers)


def open_network(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Return encoded rows -> outputs, some rows at a time, through whichever form of the network lies in the folder."""
    if (folder / ONNX).exists():
        import onnxruntime

        session = onnxruntime.InferenceSession(str(folder / ONNX), providers=["CPUExecutionProvider"])
        return lambda rows: np.concatenate([session.run(None, {"rows": some})[0] for some in _slices(rows)])
    import torch

    program = torch.export.load(folder / PT2).module()
    return lambda rows: np.concatenate([program(torch.from_numpy(some)).detach().numpy() for some in _slices(rows)])


def _slices(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Of no rows the network is asked once, for the shape of its answer."""
    size = max(1, _MOST_NUMBERS // int(np.prod(rows.shape[1:])))
    for start in range(0, max(1, len(rows)), size):
        yield rows[start : start + size]


def read_rows(path: str, schema: dict[str, Any]) -> dict[str, np.ndarray]:
    """Read a CSV whose columns may come in any order, and more of them; empty cells are missing. Raises ValueError for another file."""
    names = [name for one in schema["encoders"] for name in one.get("columns", [one.get("name")])]
    names += [one[key] for one in schema["encoders"] for key in ("id", "time") if one.get(key)]
    wanted = f"the columns {', '.join(names[:8])} ({len(names)} in all)"
    csv.field_size_limit(1 << 24)  # of a long text's cell
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if absent := [name for name in names if name not in (reader.fieldnames or ())]:
                raise ValueError(f"{path} needs {wanted}, but has no {absent[0]}")
            lines = [[line[name] or None for name in names] for line in reader]
    except (UnicodeDecodeError, csv.Error, IsADirectoryError):
        raise ValueError(
            f"{path} is no CSV in UTF-8: one with {wanted} is read. README.txt says how its rows are made"
        ) from None
    return {name: np.array(cells, dtype=object) for name, cells in zip(names, zip(*lines, strict=True), strict=True)}


def ids_of(schema: dict[str, Any], rows: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Which series each prediction is of; empty where rows are not told apart by an id."""
    encoding = _encoding()
    ids: tuple[str, ...] = encoding.gathered([encoding.encoder_from(schema["encoders"][0])], rows)[0]
    return ids


def main() -> None:
    """Predict the rows of a CSV file."""
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        raise ValueError("one CSV file is needed: python predict.py ROWS.csv")
    folder = Path(__file__).resolve().parent
    model, schema = load(folder), read_schema(folder)
    rows = read_rows(sys.argv[1], schema)
    write(sys.stdout, schema, model(rows), ids_of(schema, rows), read_threshold(folder))


def write(stream: TextIO, schema: dict[str, Any], outputs: np.ndarray, ids: tuple[str, ...], threshold: float) -> None:
    """Write a row per row or series, or per step of a forecast, as CSV that is harmless in a spreadsheet."""
    predicted, labels = outputs.tolist(), [harmless(label) for label in schema["labels"]]
    writer = csv.writer(stream, lineterminator="\n")
    first, is_forecast = schema["encoders"][0], schema["encoders"][0]["kind"] == "forecast"
    named = [harmless(first["id"])] if ids else []
    chances = [harmless(f"p_{label}") for label in schema["labels"]]
    writer.writerow([*named, *(["step"] if is_forecast else []), "prediction", *chances])
    decided = decide(threshold, outputs).tolist() if labels else []
    for place, row in enumerate(predicted):
        name = [harmless(one) for one in ids[place : place + 1]]
        if is_forecast:
            writer.writerows([*name, step, value] for step, value in enumerate(row, start=1))
        else:
            writer.writerow([*name, labels[decided[place]], *row] if labels else [*name, row])


def harmless(cell: str) -> str:
    """Return text that no spreadsheet takes for a formula; a number stays as it is."""
    return "'" + cell if cell.startswith(_FORMULA_STARTS) and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as wrong:
        sys.exit(f"error: {wrong}")
