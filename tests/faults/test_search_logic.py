"""Group C of the fault tables: a search that cannot go well, or goes on under other circumstances."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faultlib
import pytest
import stubs
from faultlib import FAMILY, LEFT_OUT, SPACE, Search, add_family, automl, finals, ledger_rows

import lightning_modules
import search_spaces
from automl.cli.main import run
from automl.config import SearchConfig, make_config
from automl.coordinator.events import Resumed, Said
from automl.coordinator.loop import Coordinator
from automl.coordinator.study import FamilyStudy
from automl.errors import AutoMLError, ConfigError, NoUsableTrial
from automl.executors.devices import Slot
from automl.executors.inline import InlineExecutor
from automl.executors.local import LocalExecutor
from automl.ledger import Home, Ledger, SearchFolder
from automl.messages import Assignment, Outcome, Report, State
from automl.run import search
from automl.tasks.task import Task
from automl.tracking.records import record
from automl.worker.perform import Channel, Places

TROUBLE = """
import ctypes
import os
import sys
import torch
from torch import nn
from lightning_modules.mlp import Module as Mlp


class Module(Mlp):
    def __init__(self, spec, *, act):
        if act == "cannot-be-built":
            raise ValueError("0 layers")
        super().__init__(spec, depth=1, width=8, dropout=0.0)
        self.act = act

    def losses(self, batch, step):
        if self.act == "segfault":
            ctypes.string_at(0)
        if self.act == "exit":
            sys.exit(0)
        if self.act == "exit-hard":
            os._exit(0)
        if self.act == "memory":
            raise MemoryError
        for loss in super().losses(batch, step):
            yield loss * float("nan") if self.act == "nan" else loss

    def evaluate(self, feed):
        values = super().evaluate(feed)
        if self.act == "unnamed":
            return {"loss": values["loss"]}
        if self.act == "infinite":
            values["accuracy"] = float("inf")
        if self.act == "exploding":
            values["loss"] = 1e30
        return values
"""
ACTS = "none", "nan", "cannot-be-built", "segfault", "exit", "exit-hard", "memory", "infinite", "exploding"


def trouble_space(*acts: str) -> str:
    return (
        f'INPUTS = ("table",)\nDEFAULT = {{"act": "{acts[0]}"}}\n\n\n'
        f'def suggest(trial, spec):\n    return {{"act": trial.suggest_categorical("act", {list(acts)})}}\n'
    )


def trouble(folder: Path, *acts: str) -> tuple[str, ...]:
    """Flags for a search over a family that misbehaves as its only parameter says, each way once."""
    families = add_family(folder / "families", "trouble", trouble_space(*acts), TROUBLE)
    return (
        *("search", "wine", "--families-from", families, "--families", "trouble", "--max-epochs", "2"),
        *("--sampler", "grid", "--pruner", "none", "--no-tracking"),
    )


# -- C1 to C4, C6, C17 and A11, A12, A17 with a real family


@pytest.mark.slow
def test_each_way_to_fail_has_its_reason_and_the_search_goes_on(tmp_path: Path) -> None:
    """C1, C2, C3, C17, A11, A12, A17: nine points, each of which goes wrong in its own way, but for two."""
    done = automl(*trouble(tmp_path, *ACTS), "--trials", "9", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["slots"] == {"planned": 9, "complete": 2, "pruned": 0, "failed": 7, "retried": 6}
    folder = tmp_path / ".automl" / "searches" / "wine-0"
    rows = ledger_rows(folder, "SELECT params, state, reason FROM attempt WHERE final AND kind = 'trial'")
    found = {json.loads(params)["act"]: (state, reason) for params, state, reason in rows}
    assert found == {
        "none": ("complete", ""),
        "exploding": ("complete", "loss exploded (1e+30 at epoch 1)"),
        "nan": ("failed", "diverged (NaN at epoch 1)"),
        "infinite": ("failed", "diverged (inf at epoch 1)"),
        "cannot-be-built": ("failed", "ValueError: 0 layers"),
        "memory": ("failed", "out of memory"),
        "segfault": ("lost", "killed by signal 11 (SIGSEGV)"),
        "exit": ("lost", "exited without a result (code 0)"),
        "exit-hard": ("lost", "exited without a result (code 0)"),
    }
    retries = dict(ledger_rows(folder, "SELECT params, count(*) FROM attempt WHERE kind = 'trial' GROUP BY slot"))
    assert {json.loads(params)["act"]: count for params, count in retries.items() if count > 1} == {
        "segfault": 3,
        "exit": 3,
        "exit-hard": 3,
    }
    logs = "".join(path.read_text() for path in (folder / "logs").glob("worker-*.log"))
    assert "Fatal Python error: Segmentation fault" in logs
    assert "ValueError: 0 layers" in "".join(path.read_text() for path in (folder / "logs").glob("trial-*.txt"))


@pytest.mark.slow
def test_a_metric_that_is_not_logged_ends_the_search_after_the_first_trial(tmp_path: Path) -> None:
    """C4."""
    done = automl(*trouble(tmp_path, "unnamed"), "--trials", "5", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 4
    assert "metric 'accuracy' was not logged; logged: loss" in done.stderr
    assert "Traceback" not in done.stderr
    assert finals(tmp_path / ".automl" / "searches" / "wine-0") == [0]


@pytest.mark.slow
def test_an_absurd_learning_rate_diverges_without_a_retry(tmp_path: Path) -> None:
    """C1 with a family of ours; and the reasons are counted, C6."""
    flags = ("--families", "mlp", "--set", "mlp.lr=1e38", "--max-epochs", "3", "--trials", "3", "--no-tracking")
    done = automl("search", "wine", *flags, cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "default of mlp clipped to your range: lr: 0.001 -> 1e+38" in done.stderr
    assert "no trial completed: 3 x diverged (NaN at epoch 1)" in done.stderr
    folder = tmp_path / ".automl" / "searches" / "wine-0"
    assert ledger_rows(folder, "SELECT max(attempt) FROM attempt") == [(0,)]


# -- C6 to C9: nothing usable


class Toy:
    """The toy search within this process, trials by the stub in a thread; ends at its refit, which is left out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.search = self.home.search("toy-0").root
        self.events: list[Any] = []
        self.search.mkdir(parents=True)

    def run(
        self,
        *,
        task: Task | None = None,
        name: str | None = None,
        perform: Any = faultlib.perform,
        space: str = SPACE,
        module: str = FAMILY,
        executor: type[InlineExecutor] = InlineExecutor,
        **choices: Any,
    ) -> None:
        """Search, or resume; a search that goes well returns, any other raises."""
        for package in ("search_spaces", "lightning_modules"):
            sys.modules.pop(f"{package}.bowl", None)
        importlib.invalidate_caches()
        families = add_family(self.folder, "bowl", space, module)
        settings = {
            "families": ("bowl",),
            "families_from": families,
            "max_epochs": 5,
            "pruner": "none",
            "tracking": False,
        }
        config = make_config(**{**settings, "budget": {"trials": 3}, **choices})
        self.events.clear()
        with contextlib.suppress(LeftOut):
            self._search(task or faultlib.toy_task(), config, name, lambda places: executor(places, perform))

    def _search(self, task: Task, config: SearchConfig, name: str | None, executor: Any) -> None:
        try:
            search(
                task,
                config,
                name=name,
                home=self.home,
                observer=self.events.append,
                executor_for=lambda config, slots, places: executor(places),
            )
        except AutoMLError as error:
            if "refit failed: left out" in str(error):
                raise LeftOut from error
            raise

    def said(self) -> str:
        """All lines for people."""
        return "\n".join(event.text for event in self.events if isinstance(event, Said))

    def ledger(self) -> Ledger:
        """The search's ledger."""
        return Ledger.open(self.search / "ledger.db")


def resumptions(toy: Toy) -> list[tuple[list[int], int]]:
    """Slots that were done, and how many were requeued, at each resumption."""
    return [([a.slot for a in e.done], e.requeued) for e in toy.events if isinstance(e, Resumed)]


class Unstartable(InlineExecutor):
    """Stands where no worker may be started: seconds of imports for nothing."""

    def start(self) -> None:
        raise AssertionError("started")


class LeftOut(Exception):
    """The search went well up to its refit."""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    for package in (search_spaces, lightning_modules):
        monkeypatch.setattr(package, "__path__", list(package.__path__))
    yield Toy(tmp_path)
    for package in ("search_spaces", "lightning_modules"):
        sys.modules.pop(f"{package}.bowl", None)


def ends(state: State, **more: Any) -> Callable[..., tuple[Outcome, ...]]:
    """A worker whose every assignment ends in one way, after one epoch."""

    def perform(assignment: Assignment, channel: Channel, places: Places) -> tuple[Outcome, ...]:
        channel.report(Report(assignment.id, 0, 1, {"objective": 1.0}))
        channel.answer(wait=True)
        return (Outcome(assignment.id, 0, state, **more),)

    return perform


def test_failures_in_a_row_end_the_search_with_their_reasons_counted(toy: Toy) -> None:
    """C6."""
    with pytest.raises(
        NoUsableTrial, match=r"3 slots in a row failed and none completed: 3 x ValueError: no\."
    ) as caught:
        toy.run(perform=ends("failed", reason="ValueError: no"), budget={"trials": 50}, max_failed=3)
    assert caught.value.exit_code == 4
    assert str(toy.search / "logs") in caught.value.hint
    assert finals(toy.search) == [0, 1, 2]


def test_failures_after_a_success_end_the_trials_early_and_the_best_is_kept(toy: Toy) -> None:
    """C6: what was found is not thrown away."""
    (toy.search / "misbehave").write_text("\n".join(f"{slot}:fail" for slot in range(2, 9)))
    toy.run(budget={"trials": 50}, max_failed=4)
    assert finals(toy.search) == [0, 1, 2, 3, 4, 5]
    assert "the search ended early: 4 slots in a row failed: 4 x ValueError: on purpose" in toy.said()


def test_a_success_between_failures_starts_their_count_anew(toy: Toy) -> None:
    """C6: in a row."""
    (toy.search / "misbehave").write_text("\n".join(f"{slot}:fail" for slot in (1, 2, 4, 5)))
    toy.run(budget={"trials": 7}, max_failed=3)
    assert finals(toy.search) == list(range(7))


def test_all_pruned_says_which_screw_to_turn(toy: Toy) -> None:
    """C7."""
    with pytest.raises(NoUsableTrial, match=r"all 3 slots were pruned; loosen the pruner") as caught:
        toy.run(perform=ends("pruned", value=1.0))
    assert caught.value.exit_code == 4


def test_the_default_survives_a_pruner_that_stops_everyone(monkeypatch: pytest.MonkeyPatch, toy: Toy) -> None:
    """C7: so with a working default there is always something to confirm."""
    monkeypatch.setattr(FamilyStudy, "should_prune", lambda self, slot, step, values: True)
    toy.run(pruner="median", budget={"trials": 4})
    states = ledger_rows(toy.search, "SELECT slot, state FROM attempt WHERE kind = 'trial' ORDER BY slot")
    assert states == [(0, "complete"), (1, "pruned"), (2, "pruned"), (3, "pruned")]


@pytest.mark.parametrize("pause", ["0", "0.3"])
def test_a_time_too_short_for_any_trial_is_said(toy: Toy, monkeypatch: pytest.MonkeyPatch, pause: str) -> None:
    """C8: before the first trial begins, and while it runs."""
    monkeypatch.setenv("STUB_PAUSE", pause)
    with pytest.raises(NoUsableTrial, match="no trial completed in the time given; give more with --time") as caught:
        toy.run(budget={"trials": None, "seconds": 0.01 if pause == "0" else 2.0})
    assert caught.value.exit_code == 4
    assert ledger_rows(toy.search, "SELECT count(*) FROM attempt WHERE state = 'open'") == [(0,)]


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--trials", "-1", "--trials must be at least 1, but got -1."),
        ("--trials", "0", "--trials must be at least 1, but got 0."),
        ("--trials", "1.5", "--trials must be a whole number, but got '1.5'."),
        ("--trials", "1e99", "--trials must be a whole number, but got '1e99'."),
        ("--trials", str(10**30), "--trials must be at most 10000000"),
        ("--trials", "", "--trials must be a whole number, but got ''."),
        ("--trials", "nan", "--trials must be a whole number, but got 'nan'."),
        ("--time", "0", "--time must be positive, but got '0'."),
        ("--time", "-5s", "--time must be a duration, but got '-5s'."),
        ("--time", "", "--time must be a duration, but got ''."),
        ("--time", "9" * 400, "--time"),
        ("--max-epochs", "0", "--max-epochs must be at least 1, but got 0."),
        ("--workers", "0", "--workers must be at least 1, but got 0."),
        ("--seed", "-1", "--seed must be at least 0, but got -1."),
    ],
)
def test_a_senseless_budget_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flag: str, value: str, words: str
) -> None:
    """C9: before anything is created."""
    assert run(["search", "wine", f"{flag}={value}"]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# -- C10 to C15: resuming under other circumstances


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ("0.0, 1.0)", "0.0, 2.0)", "bowl.x: float 0..1 -> float 0..2"),
        ("0.0, 1.0)", "0.1, 1.0, log=True)", "bowl.x: float 0..1 -> float 0.1..1 log"),
        ('suggest_float("x", 0.0, 1.0)', 'suggest_int("x", 0, 1)', "bowl.x: float 0..1 -> int 0..1"),
        ('["a", "b"]', '["a", "b", "c"]', "bowl.kind: a|b -> a|b|c"),
        ('"x": trial.suggest_float("x", 0.0, 1.0), ', '"x": 0.5, ', "bowl.x: float 0..1 -> absent"),
    ],
)
def test_another_search_space_is_refused_with_the_difference(
    toy: Toy, before: str, after: str, difference: str
) -> None:
    """C10."""
    toy.run()
    assert before in SPACE
    with pytest.raises(ConfigError, match=re.escape(f"the search space changed: {difference}.")) as caught:
        toy.run(space=SPACE.replace(before, after))
    assert "--name" in caught.value.hint
    assert finals(toy.search) == [0, 1, 2]


def test_another_metric_or_direction_is_refused(toy: Toy) -> None:
    """C11."""
    toy.run()
    with pytest.raises(ConfigError, match="search 'toy-0' has metric log_loss, not accuracy"):
        toy.run(metric="accuracy")
    other = dataclasses.replace(faultlib.toy_task(), objectives=(("log_loss", "maximize"),))
    with pytest.raises(ConfigError, match="search 'toy-0' has direction minimize, not maximize"):
        toy.run(task=other)


@pytest.mark.parametrize("choice", [{"sampler": "random"}, {"seed": 1}, {"max_epochs": 4}, {"pruner": "median"}])
def test_another_deciding_setting_is_refused(toy: Toy, choice: dict[str, Any]) -> None:
    """C11: what makes it another search. A seed names another search by default, so it is given the name."""
    toy.run()
    flag = "--" + next(iter(choice)).replace("_", "-")
    with pytest.raises(ConfigError, match=f"search 'toy-0' has {flag}"):
        toy.run(name="toy-0", **choice)


def test_other_data_is_refused_with_both_hashes_and_row_counts(toy: Toy) -> None:
    """C12."""
    toy.run()
    with pytest.raises(
        ConfigError, match=r"data changed: sha256 [0-9a-f]{8}\.\. -> [0-9a-f]{8}\.\., rows 120 -> 121\."
    ):
        toy.run(task=faultlib.toy_task(rows=121))


def test_other_code_is_warned_of_and_refused_when_strict(toy: Toy) -> None:
    """C13."""
    toy.run()
    changed = FAMILY + "\n# changed\n"
    toy.run(module=changed)
    assert "the code of family 'bowl' changed since this search began: " in toy.said()
    with pytest.raises(ConfigError, match="--strict: the code of family 'bowl' changed"):
        toy.run(module=changed, strict=True)


def test_a_finished_search_says_so_and_does_nothing(toy: Toy) -> None:
    """C14."""
    toy.run()
    ledger = toy.ledger()
    ledger.finish({"slots": {"planned": 3}})
    ledger.close()
    before = (toy.search / "executions.log").read_text()
    toy.run(executor=Unstartable)
    assert "budget 3 already done in search 'toy-0'" in toy.said()
    assert (toy.search / "executions.log").read_text() == before


def test_a_raised_budget_runs_exactly_the_difference(toy: Toy) -> None:
    """C15."""
    toy.run(budget={"trials": 3})
    toy.run(budget={"trials": 5})
    assert resumptions(toy) == [([0, 1, 2], 0)]
    executed = (toy.search / "executions.log").read_text().splitlines()
    assert [line.split()[0] for line in executed if line.startswith("trial-")] == [f"trial-{n}-0-0" for n in range(5)]
    assert finals(toy.search) == [0, 1, 2, 3, 4]


# -- C16, C18, C20, C21


def test_a_repeated_point_is_a_slot_of_its_own_with_another_seed(toy: Toy) -> None:
    """C16: in a space of one point the budget is spent exactly, on so many seeds of it."""
    toy.run(overrides={"bowl.x": "0.5", "bowl.kind": "a"}, budget={"trials": 5})
    rows = ledger_rows(toy.search, "SELECT DISTINCT params FROM attempt WHERE kind = 'trial'")
    assert [json.loads(params) for (params,) in rows] == [{"x": 0.5, "kind": "a"}]
    assert ledger_rows(toy.search, "SELECT count(DISTINCT seed) FROM attempt WHERE kind = 'trial'") == [(5,)]
    assert finals(toy.search) == [0, 1, 2, 3, 4]


def test_a_grid_gives_each_point_once_and_then_ends(toy: Toy) -> None:
    """C18 without kills: twelve points, though twenty slots were asked for."""
    toy.run(space=GRID, sampler="grid", budget={"trials": 20})
    assert_twelve_points(toy.search)
    assert "the search ended early: the grid is exhausted after 12 slots" in toy.said()


@pytest.mark.slow
def test_retries_of_grid_points_skip_none_and_repeat_none(tmp_path: Path) -> None:
    """C18: workers are killed at four of twelve points, and the coordinator in the midst of them."""
    misbehave = "1:kill 4:kill 8:kill 11:kill"
    choices: dict[str, Any] = {"misbehave": misbehave, "pause": 0.05, "sampler": "grid", "budget": {"trials": 12}}
    first = Search(tmp_path, space=GRID, **choices)
    first.wait_for_trials(7)
    first.kill_all()
    first.process.wait()
    again = Search(tmp_path, space=GRID, **choices)
    assert again.end() == LEFT_OUT, again.errors
    assert_twelve_points(again.search)
    assert ledger_rows(again.search, "SELECT count(*) FROM attempt WHERE state IN ('lost', 'interrupted')") >= [(5,)]


def test_zombies_are_closed_at_start_and_counted(toy: Toy) -> None:
    """C20: attempts that a dead coordinator left open, however old."""
    toy.run(budget={"trials": 2})
    ledger = toy.ledger()
    points = [a for a in ledger.attempts(kind="trial") if a.slot == 1]
    for slot in (2, 3):
        ledger.open_attempt(dataclasses.replace(points[0], id=0, slot=slot, state="open", final=False, outcome=None))
    ledger.close()
    toy.run(budget={"trials": 4})
    assert resumptions(toy) == [([0, 1], 2)]
    assert finals(toy.search) == [0, 1, 2, 3]
    rows = ledger_rows(toy.search, "SELECT reason FROM attempt WHERE state = 'interrupted'")
    assert rows == [("the coordinator ended",)] * 2


def test_no_jump_of_the_clock_makes_anything_stale(tmp_path: Path) -> None:
    """C21: the wall clock goes back an hour and forth a year between any two events; it only labels them."""
    jumps = itertools.cycle((1.8e9, 1.8e9 - 3600, 1.83e9))
    folder = SearchFolder(tmp_path / "search")
    folder.create()
    ledger = Ledger.open(folder.ledger, clock=lambda: next(jumps))
    ledger.begin(stubs.header())
    executor = LocalExecutor(
        (Slot("cpu", 1),),
        Places(tmp_path, folder.root),
        perform="stub_worker:perform",
        preload=("stub_worker",),
        stall_timeout=30.0,
    )
    executor.start()
    try:
        Coordinator(ledger, executor, folder.results).carry_out(stubs.decision(4), "trial")
    finally:
        executor.stop()
    stubs.assert_each_slot_final_once(ledger, 4)
    assert {attempt.attempt for attempt in ledger.attempts()} == {0}
    for message, topic, attempt in ledger.unsent("mlflow"):
        if attempt is not None:
            sent = record(stubs.header(), "mlflow", message, topic, attempt)
            assert sent["started_ms"] <= sent["curve"][0][2] <= sent["curve"][-1][2] <= sent["ended_ms"]


GRID = """
INPUTS = ("table",)
DEFAULT = {"x": 0.1, "kind": "a"}


def suggest(trial, spec):
    return {
        "x": trial.suggest_categorical("x", [0.1, 0.2, 0.3, 0.4]),
        "kind": trial.suggest_categorical("kind", ["a", "b", "c"]),
    }
"""


def assert_twelve_points(folder: Path) -> None:
    """Twelve final slots with twelve different points."""
    assert finals(folder) == list(range(12))
    points = ledger_rows(folder, "SELECT DISTINCT params FROM attempt WHERE final AND kind = 'trial'")
    assert len(points) == 12
