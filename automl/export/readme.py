"""README.txt of a converted model: how a program without us uses it. Plain text, from facts and schema alone."""

from __future__ import annotations

from automl.bundle.format import Facts
from automl.data import Schema
from automl.encoding import Steps
from automl.sources.pictures import MODES
from automl.tasks.metrics import EVEN

_IMPORTS = {"pt2": "import json, numpy as np, torch", "onnx": "import json, numpy as np, onnxruntime"}
_RUNS = {
    "pt2": 'outputs = torch.export.load("model.pt2").module()(torch.from_numpy(encoded)).detach().numpy()',
    "onnx": 'outputs = onnxruntime.InferenceSession("model.onnx").run(None, {"rows": encoded})[0]',
}
_NEEDS = {"pt2": "torch and numpy", "onnx": "onnxruntime and numpy"}
_WARNINGS = {
    "pt2": "model.pt2 is opened by torch.export.load, which can run code of whoever made it: open it only if you trust them.",
    "onnx": "model.onnx holds numbers and a graph of known operations, no code.",
}
_COLUMNS = 8


def readme(form: str, facts: Facts, schema: Schema, libraries: dict[str, str], threshold: float = EVEN) -> str:
    """Return the text for `pt2` or `onnx`; the five lines of Python in it run as they stand, given `rows`."""
    return f"""{facts.task}: {facts.family}, as {form}

Needs Python with {_NEEDS[form]}; automl is not needed. Made with torch {libraries.get("torch", "of an unknown version")}.

    python predict.py ROWS.csv

reads a CSV with the columns {_listed(schema.columns)} in any order, and writes {_written(schema)}. From a program, in this folder:

{snippet(form)}

`rows` {_rows(schema)}.
`encoded` is float32 (rows, {", ".join(map(str, schema.shape))}). The folder encoding beside this file needs numpy alone.
{_meaning(schema, threshold)}
{_pictures(schema)}
{_WARNINGS[form]}
manifest.json lists the SHA-256 of each file; predict.py checks them before it opens the model. They show that a file is
unchanged, not who wrote it.
"""


def snippet(form: str) -> str:
    """Return the lines that turn raw rows into outputs."""
    return f"""    {_IMPORTS[form]}
    import encoding
    encoders = [encoding.encoder_from(one) for one in json.load(open("schema.json"))["encoders"]]
    encoded = encoding.encode(encoders, rows)
    {_RUNS[form]}"""


def _pictures(schema: Schema) -> str:
    """How a picture becomes a row, as `automl.sources.pictures` does it; nothing for what is learned from no pictures."""
    if schema.input_kind != "image" or schema.shape[0] not in MODES:
        return ""
    channels, height, width = schema.shape
    mode, paper = MODES[channels], ""
    if mode != "RGBA":
        paper = """
            if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:  # on white paper
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)"""
    return f"""
A picture (PNG, JPEG, BMP) becomes a row by these lines, which need Pillow: turned as its EXIF says, in mode {mode}, resized to
{width} x {height} by Pillow's BILINEAR, then channel by channel, row by row, from 0 (black) to {schema.white:g} (white).

    import numpy as np
    from PIL import Image, ImageOps
    def row(path):
        with Image.open(path) as image:
            image.draft(None, ({2 * width}, {2 * height}))  # a JPEG is decoded no larger than needed
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):  # 16 bits a pixel
                image = Image.fromarray((np.asarray(image, float) / 257).round().clip(0, 255).astype(np.uint8)){paper}
            image = image.convert("{mode}").resize(({width}, {height}), Image.Resampling.BILINEAR)
        return np.asarray(image).reshape({height}, {width}, {channels}).transpose(2, 0, 1).ravel() * ({schema.white!r} / 255)
    rows = np.stack([row(path) for path in paths])
"""


def _meaning(schema: Schema, threshold: float) -> str:
    if schema.labels:
        decided = (
            f" The second class is predicted where its probability is above {threshold!r}." if threshold != EVEN else ""
        )
        return (
            f'`outputs` are logits, one per class in the order of "labels": {_listed(schema.labels)}. '
            f"Softmax makes them probabilities.{decided}"
        )
    if schema.horizon:
        return (
            f"`outputs` are standardised, (series, {schema.horizon} steps), and told in what each window is:\n"
            'encoding.in_units(outputs * schema["target_scale"] + schema["target_mean"], encoding.units(encoders, rows)) is '
            f"{schema.target}."
        )
    numbers = 'outputs * schema["target_scale"] + schema["target_mean"]'
    if schema.logarithmic:
        return f"`outputs` are standardised logarithms: np.maximum(np.expm1({numbers}), 0) is {schema.target}."
    return f"`outputs` are standardised: {numbers} is {schema.target}."


def _written(schema: Schema) -> str:
    if schema.horizon:
        return f"the next {schema.horizon} steps" + (f" of each {schema.id}" if schema.id else "")
    return f"one prediction per {schema.id or 'series'}" if schema.is_long else "one prediction per row"


def _rows(schema: Schema) -> str:
    first = schema.encoders[0]
    if isinstance(first, Steps) and first.is_long:
        return (
            f"maps each column's name to an array of its cells, and all rows of one series make one encoded row; or it is a float\n"
            f"array (series, {first.width}): the last {first.steps} steps, channel by channel, NaN where missing"
            f"{_ahead(schema)}"
        )
    if not schema.named:
        return f"is a float array (rows, {len(schema.columns)}), its columns in the order of schema.json, NaN where missing"
    return "maps each column's name to an array of its cells (text, numbers, None where missing); a pandas frame does"


def _ahead(schema: Schema) -> str:
    if not schema.ahead:
        return ""
    return (
        f". Of {_listed(schema.ahead)} it is the last steps\nup to {schema.horizon} after the last {schema.target}: in a table rows must "
        f"follow for these, with {schema.target} empty"
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_COLUMNS]) + (f", ... ({len(names)} in all)" if len(names) > _COLUMNS else "")
