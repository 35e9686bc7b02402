"""The whole examination, in the order in which it is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from automl.doctor.address import mlflow_finding
from automl.doctor.disk import disk_findings
from automl.doctor.finding import Finding
from automl.doctor.machine import device_findings, version_findings
from automl.doctor.searches import search_findings
from automl.ledger import Home


def examine(home: Home, *, environ: Mapping[str, str] = os.environ, cwd: Path | None = None) -> Iterator[Finding]:
    """Yield what was found about the installation, the devices, the disk, each search, and MLflow."""
    here = cwd or Path.cwd()
    yield from version_findings()
    yield from device_findings(environ)
    yield from disk_findings(home, here)
    yield from search_findings(home)
    yield mlflow_finding(environ, here)
