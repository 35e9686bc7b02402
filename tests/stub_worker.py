"""A worker without torch, and without Optuna either, so that a process that works for a test is there in a fifth of a second."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from automl.messages import Assignment, Outcome, Report
from automl.worker.perform import Channel, Places


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
        if answer is not None and answer.act == "finish":
            break
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
