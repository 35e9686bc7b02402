"""The sealed test: the only work that reads the test part. Scores one set of weights, and baselines fitted on all other rows."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np

from automl.bundle.load import network_outputs
from automl.data import load_part, load_schema
from automl.data.durable import replace_file
from automl.errors import ConfigError, DataError
from automl.messages import Artifact, Assignment, Outcome
from automl.tasks.metrics import METRICS, measure
from automl.worker.baselines import fit_baselines
from automl.worker.exporting import artifact, combined, rebuild
from automl.worker.perform import Places


def score(assignment: Assignment, places: Places) -> tuple[Outcome, ...]:
    """Measure each role's members as one model (`model` is what is exported), and the baselines, on the test part.

    `value` is the steering metric; `values` holds every metric that fits the target, and the steering metric of each baseline
    under the baseline's name. The artifact `predictions` is an `.npz`: `target`, one array per role, and one array per baseline, as
    `measure` takes them. Raises ConfigError for an assignment of another kind.
    """
    if assignment.kind != "score":
        raise ConfigError(f"Only a score assignment may read the test part, but this is a {assignment.kind}.")
    schema = load_schema(places.data, assignment.data)
    test = load_part(places.data, assignment.data, "test")
    known = [load_part(places.data, assignment.data, part) for part in ("train", "validation")]
    predictions = {}
    for name in dict.fromkeys(member.role for member in assignment.members):
        members = [member for member in assignment.members if member.role == name]
        modules = [rebuild(assignment, member, places) for member in members]
        network = combined(assignment, members, modules, assignment.temperature if name == "model" else 1.0)
        predictions[name] = schema.decode(network_outputs(network, test.inputs))
    predictions |= fit_baselines(schema, known, test.inputs)
    target = np.array(test.target) if schema.kind == "classification" else schema.decode(test.target)
    scores = {name: measure(assignment.metric, target, rows) for name, rows in predictions.items()}
    value = scores.pop("model")
    saved = _save(assignment, places, {"target": target, **predictions})
    values = {**_all_metrics(schema.kind, target, predictions["model"]), **scores}
    return (Outcome(assignment.id, 0, "complete", value=value, values=values, artifacts={"predictions": saved}),)


def _all_metrics(kind: str, target: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    values = {}
    for name, metric in METRICS.items():
        if metric.kind == kind:
            with suppress(DataError):  # the area under a curve needs two classes
                values[name] = measure(name, target, prediction)
    return values


def _save(assignment: Assignment, places: Places, arrays: dict[str, np.ndarray]) -> Artifact:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    path = places.search / "artifacts" / f"{assignment.id}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, buffer.getvalue())
    return artifact(path, places)
