"""What must hold after any storm, read from the ledger, the workers' own log and MLflow. Knows nothing of how it was made."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.ledger import Attempt, Header, Home, Ledger, SearchFolder


@dataclass(frozen=True, slots=True)
class History:
    """One search, once it is over."""

    folder: SearchFolder
    header: Header
    attempts: list[Attempt]
    executions: list[str]
    """Assignment ids in the order in which workers began them."""

    @classmethod
    def read(cls, home: Path, name: str) -> History:
        """Read what a search left behind."""
        folder = Home(home).existing(name)
        with closing(Ledger.open(folder.ledger)) as ledger:
            header, attempts = ledger.header(), ledger.attempts()
        assert header is not None
        return cls(folder, header, attempts, (folder.root / "executions.log").read_text().split())

    @property
    def trials(self) -> list[Attempt]:
        """Attempts at slots."""
        return [attempt for attempt in self.attempts if attempt.kind == "trial"]

    def trial_executions(self) -> int:
        """How often a worker began a trial."""
        return sum(key.startswith("trial-") for key in self.executions)


def assert_exact(history: History, slots: int) -> None:
    """Each slot is final once, nothing ran twice, and a retry is the same point."""
    finals = sorted(attempt.slot for attempt in history.trials if attempt.final)
    assert finals == list(range(slots))
    assert [attempt.key for attempt in history.attempts if attempt.state == "open"] == []
    again = [key for key, count in Counter(history.executions).items() if count > 1]
    assert again == [], f"executed twice: {again}"
    known = {attempt.key for attempt in history.attempts}
    assert set(history.executions) <= known, "executed without being committed first"
    done = {attempt.key for attempt in history.attempts if attempt.state in ("complete", "pruned")}
    assert done <= set(history.executions), "an outcome that no execution made"
    assert_retries_equal(history.attempts)
    assert history.header.result is not None


def assert_retries_equal(attempts: list[Attempt]) -> None:
    """Attempts at the same work count 0, 1, 2, ..., share family, parameters and seed, and only the last is final."""
    by_work = defaultdict(list)
    for attempt in attempts:
        by_work[attempt.work].append(attempt)
    for work, tries in by_work.items():
        assert [each.attempt for each in tries] == list(range(len(tries))), work
        assert all(
            (each.family, each.params, each.seed) == (tries[0].family, tries[0].params, tries[0].seed) for each in tries
        )
        assert [each.final for each in tries] == [False] * (len(tries) - 1) + [True], work


def assert_each_slot_once_in_mlflow(uri: str, history: History) -> None:
    """One ended run per slot and one for the search, with the ledger's parameters and states."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(history.header.task["name"])
    assert experiment is not None
    uuid = history.header.uuid
    runs: list[Any] = client.search_runs(
        [experiment.experiment_id], f"tags.`automl.trial_key` LIKE '{uuid}%'", max_results=5000
    )
    assert [run.info.run_id for run in runs if run.info.status == "RUNNING"] == []
    finals = {attempt.slot: attempt for attempt in history.trials if attempt.final}
    wanted = sorted([uuid, *(f"{uuid}/{slot}" for slot in finals)])
    assert sorted(run.data.tags["automl.trial_key"] for run in runs) == wanted
    for run in runs:
        if "slot" in run.data.tags:
            attempt = finals[int(run.data.tags["slot"])]
            assert run.data.tags["state"] == ("failed" if attempt.state == "lost" else attempt.state)
            assert run.data.params["lr"] == str(attempt.params["lr"])
