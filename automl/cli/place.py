"""Which folder a model's name on the command line means: one on disk, or a registered version. Opens no model."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from automl.errors import ConfigError, did_you_mean

_REGISTERED = re.compile(r"(?:models:/)?(?P<name>[^/@]+)@(?P<which>champion|\d+)")


def model_folder(model: str) -> Path:
    """Return a bundle's folder, or the folder of a task's versions under `exports/`; `NAME@champion` and `NAME@3` ask MLflow.

    Raises ConfigError where there is no such model, StorageError where MLflow does not answer.
    """
    from automl.bundle.format import LATEST, MANIFEST

    folders = [folder for folder in (Path(model), Path("exports") / model) if folder.is_dir()]
    if folders:  # a folder of pictures may have the task's name
        return next((one for one in folders if (one / MANIFEST).exists() or (one / LATEST).exists()), folders[0])
    if (found := _REGISTERED.fullmatch(model)) is None:
        exported = [folder.name for folder in Path("exports").glob("*") if folder.is_dir()]
        raise ConfigError(
            f"No model at {model!r}: neither a folder, nor a task under exports/, nor NAME@champion."
            + (did_you_mean(model, exported) or " Run: automl search TASK")
        )
    from automl.ledger import Home
    from automl.tracking import registry

    with open_registry(found["name"]) as client:
        version = registry.pick(client, found["name"], found["which"])
        return registry.fetch(client, version, Path("exports"), Home.from_environment().models)


def has_registry() -> bool:
    """Whether there is anything to ask: MLflow's file is not made by looking for models in it."""
    from automl.tracking.uri import database_path, tracking_uri

    path = database_path(tracking_uri(os.environ, Path.cwd()))
    return path is None or path.exists()


@contextmanager
def open_registry(name: str | None = None) -> Iterator[Any]:
    """Yield MLflow's client; whatever goes wrong on the way to it is a StorageError. The environment is left as it was.

    `name` is the model that is asked for: where it is not there, `naming_the_cure` says why that may be.
    """
    from automl.errors import AutoMLError, StorageError
    from automl.tracking.mlflow_store import close, connect
    from automl.tracking.uri import redact, tracking_uri

    uri, before, client = tracking_uri(os.environ, Path.cwd()), dict(os.environ), None
    try:
        with naming_the_cure(name):
            if not has_registry():
                raise ConfigError(f"no model '{name}' is registered. Models: none yet.")
            client = connect(uri)
            yield client
    except AutoMLError:
        raise
    except Exception as error:
        raise StorageError(
            f"MLflow at {redact(uri, uri)}: {redact(str(error), uri).partition(chr(10))[0][:300]}"
        ) from error
    finally:
        close(client)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def naming_the_cure(name: str | None) -> Iterator[None]:
    """Add to a ConfigError from within which searches of this folder MLflow has not been told of yet: a model may only seem missing."""
    try:
        yield
    except ConfigError as error:
        if (cure := unsent(name)) is None:
            raise
        raise ConfigError(str(error), hint=cure) from None


def unsent(name: str | None = None, there: Container[str | None] = ()) -> str | None:
    """Return a line on the searches whose model (all, or one of that name) waits to be registered; None where none does.

    `there` are searches whose model MLflow has all the same: a carrier may have been ended before it could say so.
    """
    from automl.ledger import Home
    from automl.tracking.views import unregistered

    if not (waiting := [one for one in unregistered(Home.from_environment(), name) if one not in there]):
        return None
    return f"Not in MLflow yet: the model of search {', '.join(map(repr, waiting))}. Send it: automl searches sync {waiting[0]}"
