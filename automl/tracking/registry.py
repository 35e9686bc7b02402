"""MLflow's model registry as we use it: one version per bundle, found again by its digest, and the alias `champion`.

The alias is the one thing that lives in MLflow alone. Each version that becomes the champion bears the number of the one before,
so that a rollback needs no memory of ours. Knows no records and no ledger.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automl.bundle import check_bundle
from automl.data.durable import make_folder
from automl.errors import ConfigError, StorageError, did_you_mean
from automl.tracking.mlflow_store import pages

CHAMPION = "champion"
BUNDLE = "automl.bundle"
"""Tag of a version and of its logged model: the digest of the bundle's manifest."""
_PREVIOUS = "automl.previous"
"""Tag of a version that is or was the champion: the version whose place it took; empty for the first."""
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Version:
    """One registered bundle."""

    name: str
    number: int
    champion: bool
    tags: dict[str, str]
    description: str
    created_ms: int

    @property
    def digest(self) -> str:
        """Of its bundle's manifest; empty for a version that something else registered."""
        return self.tags.get(BUNDLE, "")


def names(client: Any) -> list[str]:
    """Return the names of all registered models."""
    return sorted(model.name for page in pages(client.search_registered_models, _PAGE) for model in page)


def versions(client: Any, name: str) -> list[Version]:
    """Return a model's versions, the newest first. Raises ConfigError where the model is not registered."""
    current = number_of(champion(client, name))
    return [version_from(found, current) for found in found_versions(client, name)]


def champion(client: Any, name: str) -> Version | None:
    """Return the version that bears the alias; None where the model or the alias is not there."""
    try:
        found = client.get_model_version_by_alias(name, CHAMPION)
    except Exception as error:
        if getattr(error, "error_code", None) in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND"):
            return None
        raise
    return version_from(found, int(found.version))


def pick(client: Any, name: str, which: str = CHAMPION) -> Version:
    """Return `champion` or the version of that number. Raises ConfigError with what there is."""
    all_versions = versions(client, name)
    for version in all_versions:
        if which == str(version.number) or (which == CHAMPION and version.champion):
            return version
    listed = ", ".join(str(version.number) for version in all_versions)
    if which == CHAMPION:
        raise ConfigError(
            f"model '{name}' has no champion. Versions: {listed}.", hint=f"Choose one: automl models promote {name} N"
        )
    raise ConfigError(f"model '{name}' has no version '{which}'. Versions: {listed}, or {CHAMPION}.")


def promote(client: Any, name: str, number: int) -> Version:
    """Let a version be the champion. Raises ConfigError where it is not there."""
    version, current = pick(client, name, str(number)), champion(client, name)
    if number_of(current) != version.number:
        crown(client, name, version.number, current)
    return pick(client, name, str(number))


def rollback(client: Any, name: str) -> Version:
    """Give the alias back to the version that bore it before. Raises ConfigError where there is none."""
    current = pick(client, name)
    before = current.tags.get(_PREVIOUS, "")
    if not before:
        raise ConfigError(
            f"version {current.number} of '{name}' took nobody's place.",
            hint=f"Choose a version: automl models promote {name} N",
        )
    version = pick(client, name, before)
    client.set_registered_model_alias(name, CHAMPION, str(version.number))
    return pick(client, name, before)


def fetch(client: Any, version: Version, exports: Path, into: Path) -> Path:
    """Return the folder of a version's bundle: the one in `exports` while it is there, else a download below `into`.

    Either way it is whole and has the digest that was registered. Raises StorageError where it is not, or ConfigError for a
    version that something else registered.
    """
    if not version.digest:
        raise ConfigError(f"version {version.number} of '{version.name}' holds no bundle: automl did not register it.")
    folder = f"v-{version.digest[:12]}"
    for place in (exports / version.name / folder, into / folder):
        if _is(place, version.digest):
            return place
    make_folder(into)
    with TemporaryDirectory(dir=into) as temporary:
        whole = Path(_download(client, version, temporary))
        if not _is(whole, version.digest):
            raise StorageError(
                f"version {version.number} of '{version.name}': MLflow holds another bundle than was registered. Do not use it."
            )
        place = into / folder
        shutil.rmtree(place, ignore_errors=True)
        shutil.move(whole, place)
    return place


def _download(client: Any, version: Version, into: str) -> str:
    from mlflow.artifacts import download_artifacts

    uri = client.get_model_version_download_uri(version.name, str(version.number))
    root = download_artifacts(artifact_uri=uri, dst_path=into, tracking_uri=client.tracking_uri)
    found = sorted(Path(root).glob("artifacts/*/manifest.json"))
    return str(found[0].parent) if found else root


def _is(folder: Path, digest: str) -> bool:
    try:
        return check_bundle(folder).digest == digest
    except StorageError:
        return False


def crown(client: Any, name: str, number: int, current: Version | None) -> None:
    """Move the alias; the number of the one before is written first, so that a kill in between loses no way back."""
    client.set_model_version_tag(name, str(number), _PREVIOUS, str(current.number) if current else "")
    client.set_registered_model_alias(name, CHAMPION, str(number))


def found_versions(client: Any, name: str, digest: str | None = None) -> list[Any]:
    """Return MLflow's own versions of a model, the newest first."""
    wanted = f"name = '{name}'" + (f" and tags.`{BUNDLE}` = '{digest}'" if digest else "")
    found = [one for page in pages(client.search_model_versions, _PAGE, filter_string=wanted) for one in page]
    if not found and digest is None:
        known = names(client)
        if name not in known:
            raise ConfigError(
                f"no model '{name}' is registered. Models: {', '.join(known) or 'none yet'}.{did_you_mean(name, known)}"
            )
    return sorted(found, key=lambda one: -int(one.version))


def version_from(found: Any, current: int | None) -> Version:
    number, text = int(found.version), found.description or ""
    return Version(found.name, number, number == current, dict(found.tags), text, found.creation_timestamp)


def number_of(version: Version | None) -> int | None:
    return version.number if version is not None else None
