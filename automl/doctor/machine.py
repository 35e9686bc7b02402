"""Versions of the libraries, and the devices that a search would use. Imports none of the libraries."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.version import Version

from automl.doctor.finding import Finding
from automl.errors import ConfigError
from automl.executors.devices import seats_on

TESTED = {
    "torch": "2.13.0",
    "pytorch-lightning": "2.6.6",
    "optuna": "5.0.0",
    "mlflow": "3.17.2",
    "pandas": "3.1.1",
}
"""What `constraints.txt` pins; a test compares the two, since an installed package has no such file."""
TESTED_PYTHON = "3.11"
_AS_TESTED = "pip install -c constraints.txt -e ."


def installed(package: str) -> str | None:
    """Return the installed version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def version_findings(look_up: Callable[[str], str | None] = installed) -> Iterator[Finding]:
    """Yield a finding for Python and each library: the tested version, another that is allowed, or one that is not."""
    ours = ".".join(platform.python_version_tuple()[:2])
    other = "" if ours == TESTED_PYTHON else f" (tested: {TESTED_PYTHON})"
    yield Finding("versions", "python", "note" if other else "ok", f"{platform.python_version()}{other}")
    allowed = {wanted.name: wanted.specifier for wanted in map(Requirement, requires("automl-search") or [])}
    for package, tested in TESTED.items():
        found = look_up(package)
        if found is None:
            yield Finding("versions", package, "problem", "not installed", f"Install it: {_AS_TESTED}")
        elif package in allowed and not allowed[package].contains(Version(found), prereleases=True):
            yield Finding(
                "versions", package, "problem", f"{found}, needed: {allowed[package]}", f"Install it: {_AS_TESTED}"
            )
        elif Version(found).public != tested:  # `2.13.0+cpu` is the same release in a smaller build
            yield Finding("versions", package, "note", f"{found} (tested: {tested})")
        else:
            yield Finding("versions", package, "ok", f"{found}, as tested")
    if look_up("lightning") is not None:
        # Both hold the same code under two names: a callback of the one is none of the other.
        yield Finding(
            "versions", "lightning", "problem", "installed beside pytorch-lightning", "Run: pip uninstall lightning"
        )


def device_findings(
    environ: Mapping[str, str],
    *,
    list_gpus: Callable[[], list[str]] | None = None,
    look_up: Callable[[str], str | None] = installed,
) -> Iterator[Finding]:
    """Yield what `automl search` would run on here, with the choices that the environment makes."""
    try:
        seats = seats_on(
            environ.get("AUTOML_DEVICES") or "auto",
            _workers(environ.get("AUTOML_WORKERS")),
            environ=environ,
            list_gpus=list_gpus,
        )
    except ConfigError as error:
        yield Finding("devices", "workers", "problem", str(error), "Correct AUTOML_DEVICES and AUTOML_WORKERS.")
        return
    gpus = sorted({seat.device for seat in seats} - {"cpu"})
    yield Finding("devices", "gpus", "ok", f"{len(gpus)}: {', '.join(gpus)}" if gpus else "none: searches use the CPU")
    if gpus and "+cpu" in (look_up("torch") or ""):
        yield Finding(
            "devices", "torch build", "problem", "for the CPU only", "Install torch's CUDA build, or use --devices cpu."
        )
    workers = f"{len(seats)}, one per device slot, {seats[0].threads} CPU thread{'s' * (seats[0].threads > 1)} each"
    yield Finding("devices", "workers", "ok", workers)


def _workers(text: str | None) -> int | None:
    if not text:
        return None
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise ConfigError(f"AUTOML_WORKERS must be a whole number of at least 1, but got {text!r}.")
    return count
