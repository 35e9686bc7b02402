"""kill -9 at random moments after the trials: confirm, refit, export, registration. One bundle, one version, never half of either."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from automl.bundle import resolve
from automl.bundle.format import LATEST, check_bundle
from automl.errors import AutoMLError
from automl.ledger import Home, Ledger

COMMAND = Path(__file__).with_name("finishing_search.py")


class Reader:
    """Opens the latest bundle as fast as it can, and keeps what was wrong with it."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.reads, self.broken = 0, []  # type: int, list[str]

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._over.wait(0.02):
            if (self._target / LATEST).exists():
                try:
                    check_bundle(resolve(self._target))
                    self.reads += 1
                except AutoMLError as error:
                    self.broken.append(str(error))


def finish_under_kills(folder: Path, *, wanted: int, kills_each: int, after: str, length: float) -> Counter[str]:
    """Run searches to their end, each killed some times, until so many kills hit; returns how many fell into which phase.

    A kill comes at a random moment within `length` seconds from the beginning of the phase `after`; sooner after one that came too late.
    """
    chance, kills, searches = random.Random(0), Counter[str](), 0
    with Reader(folder / "exports" / "diabetes") as reader:
        while kills.total() < wanted:
            for _ in range(kills_each):
                hit = _kill_once(folder, searches, after, chance.uniform(0.0, length))
                kills += Counter(hit)
                length *= 1.0 if hit else 0.9
            _end(folder, searches)
            searches += 1
    documents = [_document(folder, f"finish-{number}") for number in range(searches)]
    print(
        f"{searches} searches, kills by phase: {dict(kills)}; {reader.reads} whole bundles read, {len(reader.broken)} broken"
    )
    assert reader.broken == []
    assert reader.reads > 0
    _assert_one_of_each(folder, documents)
    return kills


def _finish_alone(folder: Path) -> float:
    """Return the seconds from the first confirmation to the end of a command that nobody disturbs."""
    place = folder / "alone"
    place.mkdir()
    process = _start(place, 0)
    while process.poll() is None and "confirm" not in _phases(place):
        time.sleep(0.01)
    began = time.monotonic()
    assert process.wait(timeout=300) == 0, (place / "stderr.log").read_text()
    return time.monotonic() - began


def _start(folder: Path, number: int) -> subprocess.Popen[bytes]:
    (folder / "phases.log").unlink(missing_ok=True)
    with open(folder / "stderr.log", "wb") as log:
        command = [sys.executable, str(COMMAND), f"finish-{number}", str(number)]
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)


def _kill_once(folder: Path, number: int, after: str, delay: float) -> dict[str, int]:
    """Kill the command some seconds after a phase began; returns the phase that it was in, or nothing where it had ended."""
    process = _start(folder, number)
    while process.poll() is None and after not in _phases(folder):
        time.sleep(0.01)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return {_phases(folder)[-1]: 1}
    assert process.returncode == 0, (folder / "stderr.log").read_text()
    return {}


def _end(folder: Path, number: int) -> None:
    """Let the command end, with all of it in MLflow."""
    assert _start(folder, number).wait(timeout=300) == 0, (folder / "stderr.log").read_text()
    assert not _document(folder, f"finish-{number}")["mlflow"]["pending"]


def _phases(folder: Path) -> list[str]:
    log = folder / "phases.log"
    return log.read_text().split() if log.exists() else []


def _document(folder: Path, name: str) -> dict[str, Any]:
    with closing(Ledger.open(Home(folder / ".automl").existing(name).ledger)) as ledger:
        header = ledger.header()
    assert header is not None
    assert header.result is not None
    return header.result


def _assert_one_of_each(folder: Path, documents: list[dict[str, Any]]) -> None:
    """Each search's bundle is one version in the registry, and there are no others."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient

    versions = MlflowClient(f"sqlite:///{folder}/mlflow.db").search_model_versions("name = 'diabetes'")
    registered = Counter(version.tags["automl.bundle"] for version in versions)
    wanted = {Path(document["bundle"]).name.removeprefix("v-") for document in documents}
    assert {digest[:12] for digest in registered} == wanted
    assert set(registered.values()) == {1}, json.dumps(registered)
    assert [document["registered"]["name"] for document in documents] == ["diabetes"] * len(documents)


@pytest.mark.slow
def test_a_finish_survives_a_kill(tmp_path: Path) -> None:
    """While it refits, scores or exports, which takes longer than that second."""
    assert finish_under_kills(tmp_path, wanted=1, kills_each=1, after="export", length=1.0).total() == 1


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_a_finish_survives_fifty_kills_at_random_moments(tmp_path: Path) -> None:
    length = _finish_alone(tmp_path)
    kills = finish_under_kills(tmp_path, wanted=50, kills_each=6, after="confirm", length=length)
    assert kills.total() >= 50
    assert min(kills["confirm"], kills["export"]) >= 5
