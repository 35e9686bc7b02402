"""Why the exported model predicts what it does, on the test rows that a `score` reads anyway: columns, pixels, steps or words.

Chooses rows, keeps the time and says what is missing; `permuting` and `attributing` compute. Never fails a score.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from automl.data import Arrays, Schema
from automl.direction import sign
from automl.encoding import Forecast, Raw, Series, Steps, Subwords, words
from automl.messages import Assignment
from automl.tasks.metrics import EVEN, METRICS, measure
from automl.worker.hardest import row_losses

if TYPE_CHECKING:
    from torch import nn

EXAMPLES = 4
"""Wrong predictions and right ones that are explained, of each as many."""
LONGEST_TEXT = 40_000
"""Characters of a text that are kept to be shown."""
NO_TIME = "There was no time left to explain the model."
NO_CAPTUM = (
    "What the model looked at in single rows is shown where the extra is installed before the search: "
    'pip install "automl-search[explain]".'
)


def explain(
    assignment: Assignment,
    schema: Schema,
    network: nn.Module,
    train: Arrays,
    test: Arrays,
    raw: Raw,
    target: np.ndarray,
    prediction: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return arrays for the report: a `note` in words, empty where all is there, and what was found.

    Of a table `columns`, `kinds` and `importance` (columns, 2), see `permuting.Permuted`, and `counts` (repeats, rows, columns
    known). Of all else `rows` of the test part and `attributions`: of pictures (rows, height, width), with the pictures
    `inputs`; of texts (rows, words), NaN behind a text's end, with the `texts`; of series (rows, channels, steps), with the `lines` as
    many in their own units, the names of the `channels`, the number of the first step of each (`begins`), and of how many
    steps each is the mean (`every`); a line is NaN before a shorter series begins.
    """
    until = time.monotonic() + (assignment.explaining or 0.0)
    if not assignment.explaining:
        return {"note": np.array(NO_TIME)}
    try:
        if schema.input_kind == "table":
            return _of_columns(assignment, schema, network, test, target, until)
        return _of_rows(schema, network, train, test, raw, target, prediction, until)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "captum":
            return {"note": np.array(_trouble(error))}
        return {"note": np.array(NO_CAPTUM)}
    except Exception as error:  # what a family of one's own says to gradients must not cost the score
        return {"note": np.array(_trouble(error))}


def _trouble(error: Exception) -> str:
    return f"The model could not be explained: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _of_columns(
    assignment: Assignment, schema: Schema, network: nn.Module, test: Arrays, target: np.ndarray, until: float
) -> dict[str, np.ndarray]:
    from automl.bundle.load import network_outputs
    from automl.worker.permuting import permutation_importance

    threshold = assignment.thresholds.get("model", EVEN)
    upward = sign(METRICS[assignment.metric].direction)
    found = permutation_importance(
        schema,
        lambda rows: schema.decode(network_outputs(network, rows)),
        lambda true, predicted: upward * measure(assignment.metric, true, predicted, threshold),
        test.inputs,
        target,
        seed=assignment.members[0].seed,
        until=until,
    )
    if found is None:
        return {"note": np.array(NO_TIME)}
    return {
        "note": np.array(""),
        "columns": np.array(found.columns, dtype=np.str_),
        "kinds": np.array(found.kinds, dtype=np.str_),
        "importance": found.importance,
        "counts": np.array([found.repeats, found.rows, found.known]),
    }


def _of_rows(
    schema: Schema,
    network: nn.Module,
    train: Arrays,
    test: Arrays,
    raw: Raw,
    target: np.ndarray,
    prediction: np.ndarray,
    until: float,
) -> dict[str, np.ndarray]:
    import captum.attr  # noqa: F401  # here, so that what it takes is part of the time

    from automl.worker.attributing import average_of, picture_attribution, series_attribution, word_attribution

    classes, found, form = len(schema.labels), dict[int, np.ndarray](), schema.encoders[0]
    average = None if schema.input_kind == "text" else average_of(train.inputs)
    for row in chosen_rows(target, prediction):
        if time.monotonic() >= until:
            break
        encoded = np.array(test.inputs[row])
        if average is None:
            found[row] = word_attribution(network, encoded, classes)
        elif isinstance(form, Steps):
            found[row] = series_attribution(network, encoded, average, classes, form.channels)
        else:
            found[row] = picture_attribution(network, encoded, average, classes)
    if not found:
        return {"note": np.array(NO_TIME)}
    rows = np.array(list(found))
    shared = {"note": np.array(""), "rows": rows, "attributions": _stacked(list(found.values()))}
    if isinstance(form, Series | Forecast):
        return {**shared, **_lines(form, np.array(test.inputs[rows]), np.asarray(raw)[rows])}
    if average is not None:
        return {**shared, "inputs": np.array(test.inputs[rows])}
    texts = words(np.asarray(raw[schema.columns[0]])[rows])
    if isinstance(form, Subwords):
        of_words = [form.by_word(text or "", found[row]) for row, text in zip(found, texts, strict=True)]
        shared["attributions"] = _stacked(of_words)
    return {**shared, "texts": np.array([(text or "")[:LONGEST_TEXT] for text in texts], dtype=np.str_)}


def _lines(form: Series | Forecast, encoded: np.ndarray, raw: np.ndarray) -> dict[str, np.ndarray]:
    """What the series are, in their own units, and which step each value is."""
    if isinstance(form, Forecast):  # numbered from the last step of the past, which is 0
        first = [1 - form.steps + (form.horizon if name in form.ahead else 0) for name in form.columns]
        names, every, lines = form.columns, 1, form.known(raw)
    else:
        names, every = form.columns if form.is_long else ("series",), form.every
        lines = encoded[:, : form.channels] * np.reshape(form.scales, (-1, 1)) + np.reshape(form.means, (-1, 1))
        lacking = every * lines.shape[2] - form.steps  # of the oldest mean
        first = [every - lacking] * form.channels
        known = ~np.isnan(form.by_channel(raw))
        begun = np.where(
            known.any(axis=2), known.argmax(axis=2), form.steps
        )  # a shorter series is drawn from its beginning on
        lines[np.arange(lines.shape[2]) < ((begun + lacking) // every)[:, :, None]] = np.nan
    found = {"channels": np.array(names, dtype=np.str_), "begins": np.array(first), "every": np.array(every)}
    return {**found, "lines": lines}


def chosen_rows(target: np.ndarray, prediction: np.ndarray) -> list[int]:
    """Return rows to explain, a wrong one and a right one in turn: the worst, and of each class the surest.

    Of numbers there is neither: those furthest off and those that are closest.
    """
    losses = row_losses(target, prediction)
    worst, best = np.argsort(-losses, kind="stable"), np.argsort(losses, kind="stable")
    if prediction.shape != target.shape:
        right = prediction.argmax(axis=1) == target
        worst, best = worst[~right[worst]], best[right[best]]
        firsts = np.sort(np.unique(target[best], return_index=True)[1])
        best = np.concatenate((best[firsts], np.delete(best, firsts)))
    pairs = np.full((EXAMPLES, 2), -1)
    pairs[: len(worst[:EXAMPLES]), 0] = worst[:EXAMPLES]
    pairs[: len(best[:EXAMPLES]), 1] = best[:EXAMPLES]
    return list(dict.fromkeys(row for row in pairs.reshape(-1).tolist() if row >= 0))


def _stacked(found: list[np.ndarray]) -> np.ndarray:
    """Rows of unequal length side by side, NaN behind the end of a shorter one."""
    if found[0].ndim > 1:
        return np.stack(found)
    stacked = np.full((len(found), max(map(len, found))), np.nan)
    for row, values in zip(stacked, found, strict=True):
        row[: len(values)] = values
    return stacked
