"""A worker, a space and a search without torch: the core is tested in milliseconds. No test of models belongs here."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from automl.coordinator.study import FamilyStudy
from automl.coordinator.trials import TrialDecision
from automl.ledger import Header, Ledger, SearchFolder
from automl.messages import Assignment, DataRef, Outcome, Report, Spec
from automl.worker.perform import Channel, Places

SPEC = Spec((), (), rows=100, classes=2, loss="cross_entropy", max_resource=5)
DATA = DataRef("key", "content")


def suggest(trial: Any, spec: Spec) -> dict[str, Any]:
    """A bowl with its optimum at x = 0.7, and a choice that does not matter."""
    return {"x": trial.suggest_float("x", 0.0, 1.0), "kind": trial.suggest_categorical("kind", ["a", "b"])}


SPACE = SimpleNamespace(INPUTS=("table",), DEFAULT={"x": 0.5, "kind": "a"}, suggest=suggest)


def loss_at(params: dict[str, Any], step: int) -> float:
    """The bowl, reached from above as epochs pass."""
    return float((params["x"] - 0.7) ** 2 + 0.5 / step)


def perform(assignment: Assignment, channel: Channel, places: Places) -> tuple[Outcome, ...]:
    """Behave like a worker, or misbehave as `<search>/misbehave` says: one word per slot, `slot:act` lines."""
    member = assignment.members[0]
    act = _misbehaviour(places.search, member.slot, member.attempt)
    with open(places.search / "executions.log", "a") as log:
        log.write(f"{assignment.id} {member.params}\n")
    _act(act)
    curve = []
    pause = float(os.environ.get("STUB_PAUSE", "0"))
    for step in range(1, assignment.max_resource + 1):
        time.sleep(pause)
        value = loss_at(member.params, step)
        curve.append((step, {"objective": value}))
        channel.report(Report(assignment.id, 0, step, {"objective": value}))
        answer = channel.answer(wait=True)
        if answer is not None and answer.act == "interrupt":
            return (Outcome(assignment.id, 0, "interrupted", reason="stopped"),)
        if answer is not None and answer.act == "stop":
            return (Outcome(assignment.id, 0, "pruned", value=value, steps=step, curve=tuple(curve)),)
    if act == "fail":
        return (Outcome(assignment.id, 0, "failed", reason="ValueError: on purpose"),)
    if act == "memory":
        return (
            Outcome(assignment.id, 0, "failed", reason="CUDA out of memory", constraints={"memory": 1.0}, recycle=True),
        )
    if act == "fatal":
        return (Outcome(assignment.id, 0, "failed", reason="metric 'x' was not logged; logged: loss", fatal=True),)
    outcome = Outcome(assignment.id, 0, "complete", value=value, best_step=step, steps=step, curve=tuple(curve))
    if act == "die-after-result":
        from automl.worker.results import write_result

        write_result(places.search / "results", assignment.id, (outcome,))
        os.kill(os.getpid(), signal.SIGKILL)
    return (outcome,)


def _misbehaviour(search: Path, slot: int, attempt: int) -> str:
    """`3:kill` misbehaves on the first attempt at slot 3, `3*:kill` on every one."""
    script = search / "misbehave"
    if not script.exists():
        return ""
    for line in script.read_text().split():
        where, _, act = line.partition(":")
        if where == f"{slot}*" or (where == str(slot) and attempt == 0):
            return act
    return ""


def _act(act: str) -> None:
    match act:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "exit":
            sys.exit(0)
        case "exit-hard":
            os._exit(0)
        case "hang":
            time.sleep(1000)
        case "hold-gil":
            ctypes.PyDLL(None).sleep(1000)
        case "stop-process":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "slow":
            for _ in range(6):
                time.sleep(0.1)


def study(seed: int = 0, **choices: Any) -> FamilyStudy:
    """A study of the bowl."""
    settings: dict[str, Any] = {"direction": "minimize", "sampler": "tpe", "pruner": "none", "seed": seed, **choices}
    return FamilyStudy(SPACE, SPEC, **settings)


def decision(
    slots: int | None = 6, *, families: tuple[str, ...] = ("bowl",), seed: int = 0, **choices: Any
) -> TrialDecision:
    """Trials on the bowl."""
    study_choices = {key: choices.pop(key) for key in ("sampler", "pruner", "window") if key in choices}
    studies = {family: study(seed, **study_choices) for family in families}
    settings: dict[str, Any] = {"metric": "loss", "direction": "minimize", "seed": seed, "max_failed": 10, **choices}
    return TrialDecision(studies, SPEC, DATA, slots=slots, **settings)


def header(name: str = "bowl-0") -> Header:
    """The first row of a ledger."""
    task = {"name": "bowl", "source": "made up", "metric": "loss", "direction": "minimize"}
    data = {"content": "c0ffee", "rows": 100, "features": 1}
    config = {"budget": {"trials": 6, "seconds": None}, "seed": 0, "sampler": "tpe"}
    return Header("ab" * 16, name, 1_700_000_000_000, task, config, {}, data, {"git_commit": "0" * 40})


def new_search(folder: Path) -> tuple[Ledger, SearchFolder]:
    """An open ledger in a fresh search folder."""
    search = SearchFolder(folder / "search")
    search.create()
    ledger = Ledger.open(search.ledger)
    if ledger.header() is None:
        ledger.begin(header())
    return ledger, search


def assert_each_slot_final_once(ledger: Ledger, slots: int) -> None:
    """The guarantee of the exact budget, read from the ledger alone."""
    finals = sorted(attempt.slot for attempt in ledger.attempts(kind="trial", final=True))
    assert finals == list(range(slots))
    assert ledger.attempts(state="open") == []
    assert all(a.value is None or math.isfinite(a.value) for a in ledger.attempts())
