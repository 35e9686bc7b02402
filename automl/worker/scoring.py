"""The sealed test: the only work that reads the test part. Measures the exported model and all that it has to stand up to."""

from __future__ import annotations

from functools import partial
from zipfile import BadZipFile

import numpy as np

from automl.bundle.load import load_model, network_outputs
from automl.data import Schema, load_part, load_raw_test, load_schema
from automl.encoding import Raw, Steps
from automl.errors import ConfigError, DataError, StorageError
from automl.messages import Assignment, Outcome
from automl.tasks.metrics import EVEN, measure, measure_all
from automl.worker.artifacts import write_arrays
from automl.worker.explaining import explain
from automl.worker.exporting import combined, rebuild
from automl.worker.hardest import hardest
from automl.worker.perform import Places


def score(assignment: Assignment, places: Places) -> tuple[Outcome, ...]:
    """Measure what is exported (the members of the role `model`) on the test part, and on the same rows all it has to stand up to.

    Those are the members of each other role as one model, and, where the assignment names them, what the baselines predicted and
    the champion's bundle; a champion that cannot be scored is left out, and `reason` says why. Each decides between two classes by
    a threshold of its own: a role by that of the assignment, a baseline by that of rows it was not fitted on, the champion by that
    of its bundle.

    `value` is the steering metric; `values` holds every metric that fits the target, and the steering metric of each baseline
    under the baseline's name. The artifact `predictions` is an `.npz`: `target`, one array per role and one per baseline, as
    `measure` takes them, `thresholds`, a number for each in that order, and of forecasts `clusters`, see `Arrays`; `hardest` holds
    the rows that were predicted worst, and `explained`, where the assignment leaves time for it, what the model goes by. Raises
    ConfigError for an assignment of another kind.
    """
    if assignment.kind != "score":
        raise ConfigError(f"Only a score assignment may read the test part, but this is a {assignment.kind}.")
    schema = load_schema(places.data, assignment.data)
    test = load_part(places.data, assignment.data, "test")
    predictions, networks = {}, {}
    for name in dict.fromkeys(member.role for member in assignment.members):
        members = [member for member in assignment.members if member.role == name]
        modules = [rebuild(assignment, member, places) for member in members]
        temperature = assignment.temperature if name == "model" else 1.0
        networks[name] = combined(assignment, members, modules, temperature)
        predictions[name] = schema.decode(network_outputs(networks[name], test.inputs), test.units)
    baselines, chosen = _baselines(assignment, places)
    predictions |= baselines
    thresholds = {**assignment.thresholds, **chosen}
    raw = load_raw_test(places.data, assignment.data)
    champion, thresholds["champion"], reason = _champion(assignment, places, schema, raw)
    if champion is not None:
        predictions["champion"] = champion
    target = np.array(test.target) if schema.kind == "classification" else schema.decode(test.target, test.units)
    lines = {name: thresholds.get(name, EVEN) for name in predictions}
    scores = {name: measure(assignment.metric, target, rows, lines[name]) for name, rows in predictions.items()}
    value = scores.pop("model")
    tested = {"target": target, **predictions, "thresholds": np.array(list(lines.values()))}
    if test.clusters is not None:
        tested["clusters"] = test.clusters
    worst = hardest(schema, test.inputs, raw, target, predictions["model"])
    save = partial(write_arrays, places.search, assignment.id)
    saved = {"predictions": save(tested), "hardest": save(worst, ".hardest")}
    if assignment.explaining is not None:
        train = load_part(places.data, assignment.data, "train")
        found = explain(assignment, schema, networks["model"], train, test, raw, target, predictions["model"])
        saved["explained"] = save(found, ".explained")
    values = {**measure_all(schema.kind, target, predictions["model"], lines["model"]), **scores}
    return (Outcome(assignment.id, 0, "complete", reason, value=value, values=values, artifacts=saved),)


def _baselines(assignment: Assignment, places: Places) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return what each baseline predicted for the test rows, and its threshold; nothing where they could not be fitted."""
    if assignment.baselines is None:
        return {}, {}
    path = places.search / assignment.baselines
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        raise StorageError(f"What the baselines predicted cannot be read: {path} ({error}).") from None
    lines = found.pop("thresholds").tolist()
    thresholds = dict(zip(found, lines, strict=True))
    finite = {
        name: rows for name, rows in found.items() if np.isfinite(rows).all()
    }  # one that is not stands up to nothing
    return finite, {name: thresholds[name] for name in finite}


def _champion(
    assignment: Assignment, places: Places, schema: Schema, rows: Raw
) -> tuple[np.ndarray | None, float, str]:
    """Return the champion's predictions of the raw test rows, classes in this task's order, and its threshold, or why there are none."""
    if assignment.champion is None:
        return None, EVEN, ""
    try:
        model = load_model(places.search / assignment.champion)
        if not _reads(model.schema, schema, rows) or sorted(model.schema.labels) != sorted(schema.labels):
            raise DataError("it was trained for other columns or classes.")
        if model.schema.horizon != schema.horizon:
            raise DataError(f"it predicts {model.schema.horizon} steps, not {schema.horizon}.")
        rows = _as_long(model.schema, schema, rows)
        if not schema.labels:
            return _finite(model.predict(rows)), EVEN, ""
        order = [model.schema.labels.index(label) for label in schema.labels]
        threshold = 1 - model.threshold if order == [1, 0] else model.threshold
        return _finite(model.predict_proba(rows))[:, order], threshold, ""
    except Exception as error:  # of an older version's family it may be any
        return None, EVEN, f"the champion cannot be scored: {error}"


def _finite(predictions: np.ndarray) -> np.ndarray:
    if not np.isfinite(predictions).all():
        raise DataError("some of its predictions are no finite numbers.")
    return predictions


def _reads(champion: Schema, schema: Schema, rows: Raw) -> bool:
    """Whether the rows have what the champion reads; of a table it may be fewer columns, in another order."""
    if isinstance(rows, np.ndarray):
        return champion.columns == schema.columns and champion.ahead == schema.ahead
    return set(champion.columns) <= set(rows)


def _as_long(champion: Schema, schema: Schema, rows: Raw) -> Raw:
    """Series with as many steps as the champion reads: the newest, or with gaps before them where it reads more."""
    theirs, ours = champion.encoders[0], schema.encoders[0]
    if not isinstance(theirs, Steps) or not isinstance(ours, Steps):
        return rows
    series = np.reshape(rows, (-1, ours.channels, ours.steps)).astype(np.float64)
    kept = series[:, :, -theirs.steps :]
    gaps = np.full((*kept.shape[:2], theirs.steps - kept.shape[2]), np.nan)
    return np.concatenate([gaps, kept], axis=2).reshape(len(series), -1)
