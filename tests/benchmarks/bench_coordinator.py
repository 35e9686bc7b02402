"""What a trial costs the coordinator's process: sampler, pruner, allocation, ledger on disk and outbox. Prints Markdown.

The executor is a stub in the same process: each of its 8 "workers" reports as soon as it is asked, and ends after ten reports
whatever is answered (the dearest case: a pruned trial is asked about ten times too). Its own processor time is measured
inside its methods and subtracted. Views are served by a link that encodes each record, as the real one does, and
acknowledges at once. Each size runs in a fresh process, so that memory can be compared.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from provenance import markdown

from automl.config import Budget, SearchConfig
from automl.coordinator.events import Closed, SearchEvent
from automl.coordinator.loop import Coordinator
from automl.coordinator.study import FamilyStudy
from automl.coordinator.trials import TrialDecision
from automl.executors.base import Ended, Event, Reported
from automl.ledger import Header, Ledger, SearchFolder
from automl.ledger.ledger import VIEWS
from automl.messages import Answer, Assignment, DataRef, Outcome, Report, Spec, State
from automl.tracking.link import Ack
from automl.tracking.postman import Postman

REPORTS = 10
WORKERS = 8
SPEC = Spec((), (), rows=1000, classes=2, loss="cross_entropy", max_resource=REPORTS)


def suggest(trial: Any, spec: Spec) -> dict[str, Any]:
    """Eight parameters of all kinds."""
    return {
        **{name: trial.suggest_float(name, 1e-5, 1.0, log=True) for name in ("a", "b", "c")},
        **{name: trial.suggest_float(name, 0.0, 1.0) for name in ("d", "e")},
        **{name: trial.suggest_int(name, 1, 64) for name in ("f", "g")},
        "h": trial.suggest_categorical("h", ["p", "q", "r"]),
    }


DEFAULT = {"a": 1e-3, "b": 1e-3, "c": 1e-3, "d": 0.5, "e": 0.5, "f": 8, "g": 8, "h": "p"}
SPACE = SimpleNamespace(INPUTS=("table",), DEFAULT=DEFAULT, suggest=suggest)


def loss_at(params: dict[str, Any], step: int) -> float:
    """A bowl that is reached from above."""
    bowl = (params["d"] - 0.3) ** 2 + (params["e"] - 0.6) ** 2 + abs(params["f"] - 20) / 64
    return float(bowl + (0.2 if params["h"] == "q" else 0.0) + params["a"] + 1.0 / step)


class FreeExecutor:
    """Workers that cost nothing; `seconds` is the processor time that pretending took."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._running: deque[tuple[Assignment, int]] = deque()
        self._told_to_stop: set[str] = set()

    def start(self) -> None:
        """Nothing to bring up."""

    def stop(self) -> None:
        """Nothing to end."""

    def cancel(self, assignment: str) -> None:
        """Never asked for here."""

    def idle(self) -> int:
        """Workers that are free."""
        return WORKERS - len(self._running)

    def submit(self, assignment: Assignment) -> None:
        """Begin with the first report."""
        self._running.append((assignment, 1))

    def answer(self, answer: Answer) -> None:
        """Remember that the end is a pruned one."""
        if answer.act == "stop":
            self._told_to_stop.add(answer.assignment)

    def wait(self, timeout: float) -> list[Event]:
        """Return the next word of the worker that has waited longest."""
        began = time.process_time()
        assignment, step = self._running.popleft()
        event: Event
        if step > REPORTS:
            event = Ended(assignment.id, (self._outcome(assignment),))
        else:
            value = loss_at(assignment.members[0].params, step)
            event = Reported(Report(assignment.id, 0, step, {"objective": value, "loss": value}, 0.1 * step))
            self._running.append((assignment, step + 1))
        self.seconds += time.process_time() - began
        return [event]

    def _outcome(self, assignment: Assignment) -> Outcome:
        params = assignment.members[0].params
        curve = tuple((s, {"objective": loss_at(params, s), "loss": loss_at(params, s)}) for s in range(1, REPORTS + 1))
        state: State = "pruned" if assignment.id in self._told_to_stop else "complete"
        self._told_to_stop.discard(assignment.id)
        cost = {"seconds": 1.0, "peak_memory_mb": 500.0}
        value = curve[-1][1]["objective"]
        return Outcome(assignment.id, 0, state, value=value, best_step=10, steps=10, curve=curve, cost=cost)


class FreeLink:
    """A carrier that has delivered everything by the time it is asked."""

    def __init__(self) -> None:
        self.connection = self
        """Anything but None: alive."""
        self._offered: list[int] = []

    def start(self) -> None:
        """Never asked for here."""

    def offer(self, records: list[dict[str, Any]]) -> None:
        """Encode, as the real link does."""
        for record in records:
            json.dumps(record).encode()
            self._offered.append(record["id"])

    def worked(self) -> float:
        """Use no processor."""
        return 0.0

    def hurry(self) -> None:
        """It could not be faster."""

    def receive(self) -> list[Ack]:
        """Acknowledge all of it."""
        sent, self._offered = tuple(self._offered), []
        return [Ack(sent)] if sent else []


class Memory:
    """Observer that notes resident memory when a tenth of the slots is final."""

    def __init__(self, trials: int) -> None:
        self.at_a_tenth = 0.0
        self._left = max(1, trials // 10)

    def __call__(self, event: SearchEvent) -> None:
        """Count final slots."""
        if isinstance(event, Closed):
            self._left -= 1
            if self._left == 0:
                self.at_a_tenth = resident_mb()


def measure(trials: int, folder: Path) -> dict[str, float]:
    """Run one search of stubs in this process."""
    search = SearchFolder(folder / "search")
    search.create()
    ledger = Ledger.open(search.ledger)
    ledger.begin(header(trials))
    study = FamilyStudy(SPACE, SPEC, direction="minimize", sampler="tpe", pruner="auto", seed=0)
    config, data = SearchConfig(budget=Budget(trials=trials)), DataRef("key", "content")
    decision = TrialDecision({"stub": study}, SPEC, data, config, metric="loss", direction="minimize")
    executor, memory = FreeExecutor(), Memory(trials)
    postmen = tuple(Postman(ledger, view, FreeLink()) for view in VIEWS)
    coordinator = Coordinator(ledger, executor, search.results, observer=memory, postmen=postmen)
    began, wall = time.process_time(), time.perf_counter()
    coordinator.carry_out(decision, "trial")
    spent, took = time.process_time() - began, time.perf_counter() - wall
    assert len(ledger.attempts(kind="trial", final=True)) == trials
    return {
        "cpu_ms": 1e3 * (spent - executor.seconds) / trials,
        "stub_ms": 1e3 * executor.seconds / trials,
        "wall_ms": 1e3 * took / trials,
        "mb_at_a_tenth": memory.at_a_tenth,
        "mb_at_the_end": resident_mb(),
        "ledger_mb": search.ledger.stat().st_size / 1e6,
    }


def header(trials: int) -> Header:
    """The first row of a ledger."""
    task = {"name": "stub", "source": "made up", "metric": "loss", "direction": "minimize"}
    config = {"budget": {"trials": trials, "seconds": None}, "seed": 0, "sampler": "tpe"}
    data = {"content": "c0ffee", "rows": 1000, "features": 8}
    return Header("ab" * 16, "stub-0", 0, task, config, {}, data, {"git_commit": "0" * 40})


def resident_mb() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            print(json.dumps(measure(args.trials[0], Path(folder))))
        return
    rows = []
    for trials in args.trials:
        command = [sys.executable, __file__, "--child", "--trials", str(trials)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        f = json.loads(done.stdout)
        times = [f"{f[key]:.2f}" for key in ("cpu_ms", "stub_ms", "wall_ms")]
        sizes = [f"{f[key]:.0f}" for key in ("mb_at_a_tenth", "mb_at_the_end")]
        rows.append((f"{trials:,}", *times, *sizes, f"{f['ledger_mb']:.1f}"))
    header_row = (
        "trials",
        "CPU ms/trial",
        "stub's own (subtracted)",
        "wall ms/trial",
        "RSS MB at 10 %",
        "RSS MB at 100 %",
    )
    notes = [f"8 parameters, {REPORTS} reports a trial, TPE, pruner auto, {WORKERS} stub workers, ledger on disk."]
    print(markdown("Coordinator's processor time", (*header_row, "ledger MB"), rows, notes))


if __name__ == "__main__":
    main()
