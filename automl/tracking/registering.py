"""A bundle made a version of a registered model, once, whatever was cut short before. Knows no records and no ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automl.bundle import check_bundle
from automl.errors import StorageError
from automl.tracking.mlflow_store import patient_uploads
from automl.tracking.registry import BUNDLE, Version, champion, crown, found_versions, number_of, version_from

_ALIAS = "automl.alias"
"""Tag of a version: `pending` until it is settled whether it becomes the champion, then `moved` or `kept`."""
_LONGEST_DESCRIPTION = 5000


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be registered."""

    name: str
    bundle: Path
    digest: str
    tags: dict[str, str]
    metrics: dict[str, float]
    ended_ms: int
    champion_was: int | None
    """The champion that it was compared with."""
    moves: bool
    """Whether it takes that one's place."""


def register(client: Any, entry: Entry, *, experiment: str, run: str, check: Callable[[str, str], None]) -> Version:
    """Return the version of this bundle, made unless it is there; done twice, it changes nothing.

    The alias moves once at most, and only while the version that it was compared with bears it: what a person did meanwhile stays.
    `check` is asked before files are written, with what they belong to and where that keeps them. Raises StorageError where the
    bundle is gone or another one, and not registered yet.
    """
    found = next(iter(found_versions(client, entry.name, entry.digest)), None)
    if found is None:
        _make_registered_model(client, entry.name)
        model = _logged_model(client, entry, experiment, run, check)
        found = client.create_model_version(
            entry.name,
            f"models:/{model}",
            run_id=run,
            tags={**entry.tags, BUNDLE: entry.digest, _ALIAS: "pending"},
            description=_card(entry.bundle),
            model_id=model,
        )
    number, current = int(found.version), champion(client, entry.name)
    if found.tags.get(_ALIAS) == "pending":
        if entry.moves and number_of(current) == entry.champion_was:
            crown(client, entry.name, number, current)
            current = champion(client, entry.name)
        settled = "moved" if number_of(current) == number else "kept"
        client.set_model_version_tag(entry.name, str(number), _ALIAS, settled)
    return version_from(found, number_of(current))


def _make_registered_model(client: Any, name: str) -> None:
    try:
        client.create_registered_model(name, tags={"task": name})
    except Exception as error:
        if getattr(error, "error_code", None) != "RESOURCE_ALREADY_EXISTS":
            raise


def _logged_model(client: Any, entry: Entry, experiment: str, run: str, check: Callable[[str, str], None]) -> str:
    """Return the id of the bundle's logged model, ready and among the run's outputs."""
    from mlflow.entities import LoggedModelOutput, Metric

    found = client.search_logged_models([experiment], f"tags.`{BUNDLE}` = '{entry.digest}'")
    model = (
        found[0]
        if found
        else client.create_logged_model(
            experiment, name=entry.name, source_run_id=run, tags={**entry.tags, BUNDLE: entry.digest}
        )
    )
    if str(model.status) != "READY":
        check(f"MLflow's logged model {model.model_id}", model.artifact_location)
        with TemporaryDirectory() as folder:
            _save(entry, Path(folder) / "model")
            with patient_uploads():
                client.log_model_artifacts(model.model_id, str(Path(folder) / "model"))
        points = [
            Metric(key, value, entry.ended_ms, 0, model_id=model.model_id, run_id=run)
            for key, value in entry.metrics.items()
        ]
        client.log_batch(run, metrics=points)
        outputs = client.get_run(run).outputs
        if all(one.model_id != model.model_id for one in (outputs.model_outputs if outputs else ())):
            client.log_outputs(run, [LoggedModelOutput(model.model_id, 0)])  # a second time is an error
        client.finalize_logged_model(model.model_id, "READY")  # last: what is ready is not looked at again
    return str(model.model_id)


def _save(entry: Entry, to: Path) -> None:
    """Write the bundle as a models-from-code pyfunc with signature and input example."""
    import mlflow.pyfunc

    from automl.tracking.signature import example, libraries, signature

    bundle, manifest = entry.bundle, check_bundle(entry.bundle)
    if manifest.digest != entry.digest:
        raise StorageError(f"Bundle {bundle} is not the one that this search exported.")
    mlflow.pyfunc.save_model(
        to,
        python_model=str(Path(__file__).with_name("serving.py")),
        artifacts={"bundle": str(bundle)},
        signature=signature(bundle, manifest),
        input_example=example(bundle, manifest),
        pip_requirements=libraries(manifest),
    )


def _card(bundle: Path) -> str:
    text = (bundle / "MODEL_CARD.md").read_text(encoding="utf-8")
    return text if len(text) <= _LONGEST_DESCRIPTION else text[: _LONGEST_DESCRIPTION - 4] + "\n..."
