"""The live view: what it knows, how it lays it out, and what it leaves in a log."""

from __future__ import annotations

import contextlib
import io
import random
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from automl.cli.live.draw import ASCII, about, duration, frame, sparkline
from automl.cli.live.notable import Notable
from automl.cli.live.plain import PlainView
from automl.cli.live.tally import Tally
from automl.cli.live.terminal import TerminalView
from automl.coordinator.events import (
    Advanced,
    Began,
    Closed,
    Lagging,
    PhaseBegan,
    Placed,
    Planned,
    Resumed,
    Said,
    SearchEvent,
)
from automl.ledger import Attempt
from automl.messages import Outcome, State

PARAMS = {"width": 16, "blocks": 1, "optimizer": "adamw", "lr": 0.01, "schedule": "one_cycle", "dropout": 0.25}


class Clock:
    """Stands still until it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def trial(slot: int, family: str = "cnn", **more: Any) -> Attempt:
    return Attempt("trial", slot, 0, 0, family, {**PARAMS, "lr": 0.01 + slot / 1000}, seed=slot, **more)


def closed(attempt: Attempt, state: State, value: float | None = None, **more: Any) -> Closed:
    ended = replace(attempt, state=state, final=state in ("complete", "pruned", "failed"), value=value, **more)
    return Closed(replace(ended, outcome=Outcome(attempt.key, 0, state, value=value)), retry=False)


def begun(clock: Clock, slots: int | None = 40, seconds: float | None = None, direction: str = "maximize") -> Tally:
    tally = Tally(clock)
    for event in (PhaseBegan("start"), Began("digits-0", "accuracy", direction, slots, seconds), PhaseBegan("search")):
        tally.take(event)
    return tally


def run_trials(tally: Tally, clock: Clock, count: int, *, every: float = 0.5) -> None:
    for slot in range(count):
        tally.take(Placed(trial(slot), 30))
        clock.now += every
        tally.take(closed(trial(slot), "complete", 0.9 + slot / 1000))


def screen(tally: Tally, width: int, height: int = 24, **more: Any) -> list[str]:
    return [line.plain for line in frame(tally, width, height, **more)]


# -- what it knows


def test_a_slot_counts_once_and_a_retry_not_at_all() -> None:
    tally = begun(Clock())
    lost = replace(trial(0), state="lost", reason="killed, signal 9")
    tally.take(Placed(trial(0), 30))
    assert tally.take(Closed(lost, retry=True)).text == "trial 0 lost (killed, signal 9), retry 1"  # type: ignore[union-attr]
    tally.take(closed(trial(0), "pruned", 0.5))
    tally.take(closed(trial(1), "complete", 0.9))
    assert (tally.done, tally.retried, tally.states) == (2, 1, {"complete": 1, "pruned": 1, "failed": 0})


@pytest.mark.parametrize(("direction", "best"), [("maximize", 0.9), ("minimize", 0.2)])
def test_the_best_follows_the_direction_and_pruned_trials_are_not_it(direction: str, best: float) -> None:
    tally = begun(Clock(), direction=direction)
    for slot, value in enumerate((0.5, 0.9, 0.2)):
        tally.take(closed(trial(slot), "complete", value))
    tally.take(closed(trial(3), "pruned", 1.5 if direction == "maximize" else 0.0))
    assert tally.best is not None
    assert tally.best.value == best == tally.bests[-1]


def test_a_resumed_search_shows_what_was_done_before() -> None:
    tally = Tally(Clock())
    tally.take(Began("digits-0", "accuracy", "maximize", 40))
    done = (closed(trial(0), "complete", 0.97).attempt, closed(trial(1), "pruned", 0.4).attempt)
    line = tally.take(Resumed(done, 1))
    assert line is not None
    assert line.text == "resumed: 2 of 40 done, 1 requeued"
    assert (tally.counts(), tally.best and tally.best.value) == ("2/40 slots, 1 pruned, best 0.97", 0.97)


def test_a_worker_keeps_its_place_while_others_come_and_go() -> None:
    tally = begun(Clock())
    for slot in range(3):
        tally.take(Placed(trial(slot), 30))
    tally.take(closed(trial(1), "pruned", 0.1))
    tally.take(Placed(trial(3), 30))
    assert [row and row.attempt.slot for row in tally.rows] == [0, 3, 2]
    tally.take(closed(trial(3), "interrupted"))
    assert [row and row.attempt.slot for row in tally.rows] == [0, None, 2]


def test_time_left_follows_the_speed_of_late() -> None:
    clock = Clock()
    tally = begun(clock)
    run_trials(tally, clock, 2)
    assert tally.left is None, "two ends are no speed"
    run_trials(tally, clock, 18)
    assert tally.left == pytest.approx(20 * 0.5)
    clock.now += 10.0  # nothing ends any more
    assert tally.left == pytest.approx(20 * 1.0)


def test_a_confirmation_counts_its_own_trainings() -> None:
    clock = Clock()
    tally = begun(clock)
    run_trials(tally, clock, 40)
    tally.take(PhaseBegan("confirm"))
    tally.take(Planned(12))
    for part in range(3):
        clock.now += 2.0
        tally.take(closed(replace(trial(0), kind="confirm", part=part), "complete", 0.9))
    assert tally.left == pytest.approx(9 * 2.0)
    assert tally.done == 40
    assert any("3/12 trainings" in line for line in screen(tally, 80))


def test_a_confirmation_names_its_seed_and_not_the_hash_that_keeps_it_apart() -> None:
    tally = begun(Clock())
    tally.take(PhaseBegan("confirm"))
    tally.take(Placed(replace(trial(3), kind="confirm", part=123456789, suggestion={"number": 1}), 30))
    tally.take(Placed(replace(trial(4), kind="confirm", part=2), 30))
    assert sum("cnn 3 seed 2" in line or "cnn 4 seed 3" in line for line in screen(tally, 80)) == 2


def test_further_seeds_come_on_top_of_the_trainings_that_are_done() -> None:
    tally = begun(Clock())
    tally.take(PhaseBegan("confirm"))
    for planned, seen in (4, "4/4 trainings"), (2, "6/6 trainings"):
        tally.take(Planned(planned))
        for part in range(planned):
            tally.take(closed(replace(trial(0), kind="confirm", part=part), "complete", 0.9))
        assert any(seen in line for line in screen(tally, 80))


def test_only_mlflow_can_lag_for_people() -> None:
    tally = begun(Clock())
    tally.take(Lagging("mlflow", 7))
    tally.take(Lagging("optuna", 99))
    assert any("MLflow 7 behind" in line for line in screen(tally, 80))
    tally.take(Lagging("mlflow", 0))
    assert not any("MLflow" in line for line in screen(tally, 80))


def test_a_flood_of_equal_failures_is_three_lines() -> None:
    tally = begun(Clock())
    lines = [tally.take(closed(trial(slot), "failed", reason="ValueError: x")) for slot in range(50)]
    said = [line.text for line in lines if line is not None]
    assert said[-1] == "trial 2 (cnn) failed: ValueError: x; more of these are only counted"
    assert len(said) == 3
    assert tally.states["failed"] == 50


# -- which parameters matter


def test_parameters_that_vary_are_shown_optimizer_and_rate_first() -> None:
    notable = Notable()
    notable.learn("cnn", PARAMS)
    assert notable.words("cnn", PARAMS).startswith("adamw lr=0.01 width=16 blocks=1 schedule=one_cycle")
    other = {**PARAMS, "width": 31, "lr": 0.00123456}
    notable.learn("cnn", other)
    assert notable.words("cnn", other) == "lr=0.00123 width=31"


# -- how it is laid out


def busy(workers: int = 2) -> Tally:
    clock = Clock()
    tally = begun(clock)
    run_trials(tally, clock, 18)
    for slot in range(18, 18 + workers):
        tally.take(Placed(trial(slot, "cnn" if slot % 2 else "mlp"), 30))
        tally.take(Advanced(trial(slot), 12, 0.9 + slot / 1000))
    tally.take(Lagging("mlflow", 3))
    return tally


def test_eighty_columns_show_all_that_is_asked_for() -> None:
    title, budget, best, speed, *workers = screen(busy(), 80)
    assert title.split() == ["digits-0", "searching", "0:09"]
    assert budget == "━━━━━━━━━───────────  18/40 slots · 18 complete"
    assert best == "best accuracy 0.917  ▁▂▃▃▄▅▆▆▇█  cnn slot 17: lr=0.027"
    assert speed == "2.0 slots/s · about 10 s left, then confirm and export · MLflow 3 behind"
    assert workers == [
        "mlp 18 ━━━━────── 12/30  0.918   +0.001   adamw lr=0.028 width=16 blocks=1 sche…",
        "cnn 19 ━━━━────── 12/30  0.919   +0.002   lr=0.029",
    ]


@pytest.mark.parametrize("width", [10, 40, 60, 80, 120])
@pytest.mark.parametrize("height", [1, 2, 5, 23])
def test_no_frame_is_larger_than_its_terminal(width: int, height: int) -> None:
    lines = screen(busy(workers=64), width, height)
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width


def test_while_no_worker_has_work_the_screen_says_what_the_command_does() -> None:
    tally = busy()
    tally.take(PhaseBegan("export"))
    said = [screen(tally, 80)[-1]]
    for kinds in (("refit", "baselines"), ("export",), ("score",)):
        works = [Attempt(kind, 17, 0, 0, "cnn", {}, seed=0) for kind in kinds]
        for work in works:
            tally.take(Placed(work, 30))
        assert "no worker" not in "".join(screen(tally, 80))
        for work in works:
            tally.take(closed(work, "complete"))
        said.append(screen(tally, 80)[-1])
    assert said == [
        "no worker has work: choosing what is exported",
        "no worker has work: preparing the export",
        "no worker has work: asking MLflow for the champion",
        "no worker has work: weighing the test, verifying the model apart",
    ]
    tally.take(PhaseBegan("report"))
    assert "no worker" not in "".join(screen(tally, 80))


def test_workers_that_do_not_fit_are_counted() -> None:
    lines = screen(busy(workers=64), 80, 12)
    assert len(lines) == 12
    assert lines[-1] == "… and 57 more workers"


def test_narrow_and_wide_differ_in_what_they_leave_out() -> None:
    narrow, wide = screen(busy(), 60)[-2], screen(busy(), 120)[-2]
    assert "+0.001" not in narrow
    assert "schedule=one_cycle" not in narrow
    assert "+0.001   adamw lr=0.028 width=16 blocks=1 schedule=one_cycle dropout=0.25" in wide


def test_without_unicode_a_frame_is_ascii() -> None:
    assert all(line.isascii() for line in screen(busy(workers=64), 80, 12, glyphs=ASCII))


def test_names_reach_no_terminal_raw() -> None:
    tally = begun(Clock())
    evil = "e\x1b[2J\nvil\u202e"
    tally.take(Placed(replace(trial(0, evil), params={evil: evil}), 30))
    tally.take(closed(replace(trial(1, evil), params={evil: evil}), "complete", 0.9))
    text = "\n".join(screen(tally, 200))
    assert "e\\x1b[2J\\nvil\\u202e" in text
    assert not {"\x1b", "\u202e"} & set(text)


def test_a_time_budget_shows_the_time_of_the_whole_command() -> None:
    clock = Clock()
    tally = begun(clock, slots=None, seconds=120.0)
    run_trials(tally, clock, 60)
    _, budget, _, speed = screen(tally, 80)[:4]
    assert budget.startswith("━━━━━───────────────  60 slots")
    assert speed == "2.0 slots/s · 1:30 of 2:00 left in all"


@pytest.mark.parametrize(
    ("values", "curve"),
    [([], ""), ([0.5], "▁"), ([1, 1, 1], "▁▁▁"), ([0, 1], "▁█"), (list(range(100)), "▁▂▃▄▅▆▇█"[:8])],
)
def test_a_sparkline_keeps_first_and_last(values: list[float], curve: str) -> None:
    assert sparkline(values, 8) == curve


def test_times_are_as_coarse_as_they_are_known() -> None:
    assert [about(s) for s in (0, 17, 52, 58, 150, 5400)] == [
        "about 5 s", "about 15 s", "about 50 s", "about 1 min", "about 2 min", "about 1.5 h",
    ]  # fmt: skip
    assert [duration(s) for s in (7, 754, 3723)] == ["0:07", "12:34", "1:02:03"]


# -- where it is shown


def whole_search(clock: Clock, show: Any) -> None:
    """Forty trials of half a second, as two workers report them, then all phases that follow."""
    show(PhaseBegan("start"))
    clock.now += 3.0
    show(Began("digits-0", "accuracy", "maximize", 40))
    show(PhaseBegan("search"))
    rng = random.Random(0)
    for slot in range(40):
        show(Placed(trial(slot), 30))
        for step in range(1, 11):
            clock.now += 0.05
            show(Advanced(trial(slot), step, rng.random()))
        if slot % 3:
            show(closed(trial(slot), "pruned", 0.5))
        else:
            show(closed(trial(slot), "complete", 0.9 + slot / 1000))
    for phase in ("confirm", "export", "report", "sync"):
        show(PhaseBegan(phase))
        clock.now += 5.0


def test_a_log_of_forty_trials_is_a_screenful() -> None:
    clock, stream = Clock(), io.StringIO()
    with PlainView(clock, stream) as view:
        whole_search(clock, view)
    lines = stream.getvalue().splitlines()
    assert 10 <= len(lines) <= 25
    assert lines[1] == "digits-0: searching 40 slots, maximizing accuracy"
    assert lines[2].startswith("1/40: best accuracy 0.9, cnn slot 0: adamw lr=0.01 width=16")
    assert lines[-4] == "confirming on fresh seeds (40/40 slots, 26 pruned, best 0.939)"
    assert "\x1b" not in stream.getvalue()


def test_a_quiet_stretch_has_a_heartbeat_and_no_more() -> None:
    clock, stream = Clock(), io.StringIO()
    view = PlainView(clock, stream)
    view(PhaseBegan("search"))
    before = len(stream.getvalue())
    for step in range(600):
        clock.now += 0.125
        view(Advanced(trial(0), step, 0.5))
    assert stream.getvalue()[before:].count("\n") == 5


def test_an_end_by_a_signal_says_how_far_it_came() -> None:
    stream = io.StringIO()
    with contextlib.suppress(KeyboardInterrupt), PlainView(Clock(), stream) as view:
        view(Began("digits-0", "accuracy", "maximize", 40))
        view(closed(trial(0), "complete", 0.9))
        raise KeyboardInterrupt
    assert stream.getvalue().splitlines()[-1] == "1/40 slots, 0 pruned, best 0.9"


def test_a_terminal_keeps_what_happened_above_the_frame() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24, no_color=True, _environ={})
    with TerminalView(console) as view:
        events: list[SearchEvent] = [Began("digits-0", "accuracy", "maximize", 40), PhaseBegan("search")]
        for event in [*events, Said("[red]disk[/] nearly\x1b full", "warning"), Placed(trial(0), 30)]:
            view(event)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert "warning: [red]disk[/] nearly\\x1b full" in written
    assert "0/40 slots" in written
    assert written.rstrip().endswith("\x1b[1A\x1b[2K"), "the frame is gone at the end"


def test_a_resized_terminal_keeps_nothing_of_the_old_frame() -> None:
    """Forty-one rows up: two full lines of 80 cells are wrapped to 4 cells each, the third takes one row."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24, no_color=True, _environ={})
    with TerminalView(console) as view:
        view._live.refresh()
        view.drawn = [80, 80, 4]
        console.file.truncate(0)  # type: ignore[attr-defined]
        console.width = 4
        view._live.refresh()
        written = console.file.getvalue()  # type: ignore[attr-defined]
    assert written.partition("starting")[0].count("\x1b[1A") == 40


def test_a_terminal_that_is_gone_does_not_end_a_search() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    with TerminalView(Console(file=Gone(), force_terminal=True, width=80, height=24, _environ={})) as view:
        view(Said("still here"))


def test_a_familys_parameters_keep_their_order_however_they_are_handed_over() -> None:
    notable = Notable()
    notable.learn("mlp", {"width": 16, "depth": 1, "lr": 0.1})
    other = {"depth": 2, "lr": 0.2, "width": 32}
    notable.learn("mlp", other)
    assert notable.words("mlp", other) == "lr=0.2 width=32 depth=2"
    assert notable.words("mlp", dict(reversed(other.items()))) == "lr=0.2 width=32 depth=2"
