"""The story of one search, from a task to a verdict. Every step is done by the package that its name says."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from automl.bundle import Facts
from automl.catalog import add_families_from, families_for, space
from automl.config import SearchConfig, check_name
from automl.data import prepare, spec_for
from automl.errors import AutoMLError, NoUsableTrial
from automl.executors.choice import ExecutorFactory, make_executor
from automl.executors.devices import device_slots
from automl.export import publish, verify_in_clean_process
from automl.ledger import Attempt, Header, Home, Ledger, SearchFolder, SearchLock, require_writable
from automl.messages import DataRef, Kind, Outcome, Spec
from automl.report import build_report
from automl.report.document import partial_document, slot_rows
from automl.search.coordinator import Coordinator, StopRequest
from automl.search.deadline import Deadline
from automl.search.events import Began, Closed, Observer, PhaseBegan, Resumed, Said, SearchEvent, silent
from automl.search.opening import compare, describe, objective
from automl.search.plan import Plan
from automl.search.reconcile import reconcile
from automl.search.signals import stop_on_signals
from automl.search.space import default_point, overrides_for
from automl.search.study import FamilyStudy
from automl.search.trials import TrialDecision
from automl.tasks import Task, load_task
from automl.tracking.postman import Postman
from automl.tracking.views import open_views
from automl.winner import bootstrap, decide, read_scores
from automl.winner.confirm import Candidate, WinnerWork
from automl.worker.perform import Places


def search(
    task: str | Task,
    config: SearchConfig | None = None,
    *,
    name: str | None = None,
    home: Home | None = None,
    observer: Observer = silent,
    executor_for: ExecutorFactory = make_executor,
) -> dict[str, Any]:
    """Search a task's hyperparameters, or resume the search of that name; returns the JSON document of `design.md`.

    Raises AutoMLError: bad settings before anything is done, SearchHeld while another process works on the search, Stopped
    after a signal, NoUsableTrial when nothing completed. Whatever is raised, the same call again goes on where this one ended.
    """
    task = load_task(task) if isinstance(task, str) else task
    config = config or SearchConfig()
    if config.families_from:
        add_families_from(config.families_from)
    families = families_for(task.input_kind, task.name, config.families)
    objective(task, config)
    slots = device_slots(config.devices, config.workers)
    home = home or Home.from_environment()
    folder = home.search(check_name(name or f"{task.name}-{config.seed}"))
    home.create()
    folder.create()
    for later in ("exports", "reports"):
        require_writable(Path(later) / task.name)
    stop = StopRequest()
    with ExitStack() as stack:
        stack.enter_context(SearchLock(folder.root))
        stack.enter_context(stop_on_signals(stop, lambda text: observer(Said(text))))
        ledger = stack.enter_context(closing(Ledger.open(folder.ledger)))
        phases = Phases(observer)
        phases.begin("start")
        executor = executor_for(config, slots, Places(home.data, folder.root))
        stack.callback(executor.stop)
        executor.start()  # its workers import torch while the data is read here

        prepared = prepare(task, seed=config.seed, data_folder=home.data)
        for text in prepared.summary.warnings:
            observer(Said(text, "warning"))
        spec = spec_for(task, prepared, max_epochs=config.max_epochs)
        header = describe(folder.name, task, config, families, prepared, spec)
        if (stored := ledger.header()) is not None:
            for text in compare(stored, header, strict=config.strict):
                observer(Said(text, "warning"))
            if (done := _finished(stored, config, ledger)) is not None:
                observer(Said(f"budget {done['slots']['planned']} already done in search '{stored.name}'"))
                return done
            header = replace(stored, config=header.config)
            ledger.reconfigure(header.config)
            observer(Resumed(len(ledger.attempts(kind="trial", final=True)), reconcile(ledger, folder.results)))
        else:
            ledger.begin(header)

        observer(Began(header.name, header.task["metric"], header.task["direction"], config.budget.slots))
        postmen = stack.enter_context(
            open_views(
                ledger, header, folder, mlflow=config.tracking, warn=lambda text: observer(Said(text, "warning"))
            )
        )
        deadline = Deadline(
            config.budget.seconds, started=phases.started, workers=len(slots), confirmations=2 * config.confirm_seeds
        )
        coordinator = Coordinator(
            ledger,
            executor,
            folder.results,
            max_attempts=config.max_attempts,
            observer=_teaching(deadline, observer),
            postmen=postmen,
            stop=stop,
        )
        stage = Stage(task, config, header, folder, ledger, coordinator, deadline, phases, observer)
        trials = _run_trials(stage, spec, prepared.ref)
        document = _conclude(stage, spec, prepared.ref, trials)
        return _sync(stage, document, postmen)


@dataclass(frozen=True, slots=True)
class Stage:
    """What every step of one search needs."""

    task: Task
    config: SearchConfig
    header: Header
    folder: SearchFolder
    ledger: Ledger
    coordinator: Coordinator
    deadline: Deadline
    phases: Phases
    observer: Observer


def _run_trials(stage: Stage, spec: Spec, data: DataRef) -> list[Attempt]:
    """Spend the budget of slots; returns the final attempts."""
    config, header = stage.config, stage.header
    metric, direction = header.task["metric"], header.task["direction"]
    studies = {}
    for family in header.config["families"]:
        overrides = overrides_for(family, config.overrides)
        for text in default_point(space(family), spec, overrides)[1]:
            stage.observer(Said(f"default of {family} clipped to your range: {text}", "warning"))
        studies[family] = FamilyStudy(
            space(family),
            spec,
            direction=direction,
            sampler=config.sampler,
            pruner=config.pruner,
            seed=config.seed,
            overrides=overrides,
        )
    decision = TrialDecision(
        studies,
        spec,
        data,
        metric=metric,
        direction=direction,
        seed=config.seed,
        slots=config.budget.slots,
        max_failed=config.max_failed,
        precision=config.precision,
        out_of_time=stage.deadline.trials_over,
        discard=stage.folder.discard,
    )
    stage.phases.begin("search")
    try:
        stage.coordinator.carry_out(decision, "trial")
    except NoUsableTrial as error:
        error.hint = error.hint or f"Tracebacks are in {stage.folder.logs}."
        raise
    if decision.ended_early:
        stage.observer(Said(f"the search ended early: {decision.ended_early}", "warning"))
    trials = stage.ledger.attempts(kind="trial", final=True)
    if not any(trial.state == "complete" for trial in trials):
        raise NoUsableTrial(
            _why_nothing_completed(trials, decision.reasons()), hint=f"What workers said is in {stage.folder.logs}."
        )
    return trials


def _conclude(stage: Stage, spec: Spec, data: DataRef, trials: list[Attempt]) -> dict[str, Any]:
    """Confirm, refit, score once, export, judge; returns the document, stored in the ledger."""
    config, header = stage.config, stage.header
    metric, direction = header.task["metric"], header.task["direction"]
    work = WinnerWork(spec, data, metric, direction, config.seed, config.confirm_seeds, config.precision)

    stage.phases.begin("confirm")
    best = work.best_trial(trials)
    assert best is not None
    default = next(trial for trial in trials if trial.family == best.family)
    rivals = [best] if best is default or default.state != "complete" else [best, default]
    plan = Plan(work.confirmations(rivals), work.describe, stage.deadline.confirmation_over)
    stage.coordinator.carry_out(plan, "confirm")
    confirmed = [work.candidate(trial, plan.outcomes) for trial in rivals]
    winner = confirmed[0] if work.better(confirmed[0], confirmed[-1]) else confirmed[-1]  # a tie goes to the default

    stage.phases.begin("export")
    refit = Plan([work.refit(winner)], work.describe)
    stage.coordinator.carry_out(refit, "refit")
    weights = _done(refit, "refit", winner).artifacts["weights"].path
    final = Plan(work.finishing(winner, weights), work.describe)
    stage.coordinator.carry_out(final, "export", "score")
    score = _done(final, "score", winner)
    staging = (stage.folder.root / next(iter(_done(final, "export", winner).artifacts.values())).path).parent
    assert score.value is not None
    scores = read_scores(stage.folder.root / score.artifacts["predictions"].path)
    interval = bootstrap(metric, scores.target, scores.predictions["model"], seed=config.seed)
    baselines = {name: score.values[name] for name in scores.predictions if name != "model"}
    values = {"validation": winner.mean, "test": score.value, "test_low": interval.low, "test_high": interval.high}
    facts = Facts(
        task=stage.task.name,
        family=winner.attempt.family,
        search=header.name,
        slot=winner.attempt.slot,
        seed=config.seed,
        metric=metric,
        direction=direction,
        values={**values, **baselines},
        data=data.content,
    )
    verify = partial(verify_in_clean_process, families_from=config.families_from)
    bundle = publish(staging, Path("exports") / stage.task.name, facts, verify=verify)

    verdict = decide(*_paired(confirmed), direction=direction, test=score.value, baselines=baselines)
    stage.phases.begin("report")
    attempts = stage.ledger.attempts()
    document = {
        **partial_document(header, attempts),
        "best": {
            "family": winner.attempt.family,
            "slot": winner.attempt.slot,
            "params": winner.attempt.params,
            "trial_value": winner.attempt.value,
            "validation": winner.mean,
            "epochs": winner.epochs,
            "test": score.value,
            "test_interval": [interval.low, interval.high],
        },
        "default": {"slot": default.slot, "validation": confirmed[-1].mean}
        if default in (c.attempt for c in confirmed)
        else None,
        "baselines": baselines,
        "test_readings": sum(1 for attempt in attempts if attempt.kind == "score"),
        "verdict": verdict.words,
        "reasons": list(verdict.reasons),
        "bundle": str(bundle),
        "registered": None,
        "report": str(Path("reports") / header.name / "index.html"),
    }
    document |= {"seconds": stage.phases.total, "phases": dict(stage.phases.seconds)}
    build_report(document, slot_rows(trials), Path(document["report"]))
    stage.phases.end()
    stage.ledger.finish(document)
    return document


def _sync(stage: Stage, document: dict[str, Any], postmen: tuple[Postman, ...]) -> dict[str, Any]:
    """Bring the views into step, as far as they answer; the search is done whether they do or not."""
    stage.phases.begin("sync")
    for postman in postmen:
        postman.drain()
    stage.phases.end()
    document |= {
        "mlflow": mlflow_state(stage.ledger, stage.header, tracking=stage.config.tracking),
        "seconds": stage.phases.total,
        "phases": dict(stage.phases.seconds),
    }
    stage.ledger.amend(document)
    return document


def mlflow_state(ledger: Ledger, header: Header, *, tracking: bool) -> dict[str, Any] | None:
    """Return how far MLflow has followed the ledger; None with tracking off."""
    if not tracking:
        return None
    final = len(ledger.attempts(kind="trial", final=True))
    synced = final - ledger.count_unsent("mlflow", "slot")
    return {"experiment": header.task["name"], "synced": synced, "pending": ledger.count_unsent("mlflow")}


def _finished(stored: Header, config: SearchConfig, ledger: Ledger) -> dict[str, Any] | None:
    """Return the stored document where this command would add nothing to it."""
    if stored.result is None:
        return None
    slots, seconds = config.budget.slots, config.budget.seconds
    done = ledger.attempts(kind="trial", final=True)
    if slots is not None:
        return stored.result if len(done) >= slots else None
    before = stored.config["budget"]["seconds"]
    return stored.result if before is not None and seconds is not None and seconds <= before else None


def _teaching(deadline: Deadline, observer: Observer) -> Observer:
    """Let the deadline learn from trials that ran to their end."""

    def observe(event: SearchEvent) -> None:
        if isinstance(event, Closed) and event.attempt.state == "complete" and event.attempt.outcome is not None:
            deadline.learn(event.attempt.outcome.cost.get("seconds", 0.0))
        observer(event)

    return observe


def _done(plan: Plan, kind: Kind, winner: Candidate) -> Outcome:
    outcome = plan.outcomes.get((kind, winner.attempt.slot, 0))
    if outcome is None or outcome.state != "complete":
        why = outcome.reason if outcome is not None else "it was never carried out"
        raise AutoMLError(f"the winner's {kind} failed: {why}.", hint="Run the same command again to go on from here.")
    return outcome


def _paired(confirmed: list[Candidate]) -> tuple[list[float], list[float]]:
    """Return values of best and default on the seeds that both have; the trials' own where time allowed none."""
    best, default = confirmed[0], confirmed[-1]
    common = min(len(best.values), len(default.values))
    if common == 0:
        return [best.mean], [default.mean]
    return list(best.values[:common]), list(default.values[:common])


def _why_nothing_completed(trials: list[Attempt], reasons: str) -> str:
    if trials and all(trial.state == "pruned" for trial in trials):
        return f"all {len(trials)} slots were pruned; loosen the pruner (--pruner none)."
    if not trials:
        return "no trial completed in the time given; give more with --time."
    return f"no trial completed: {reasons or 'the time was too short'}."


class Phases:
    """How long each phase took, in seconds of a clock that nobody sets."""

    def __init__(self, observer: Observer) -> None:
        self.started = time.monotonic()
        self.seconds: dict[str, float] = {}
        self._observer = observer
        self._name, self._began = "", self.started

    def begin(self, name: str) -> None:
        """End the phase that runs and begin another."""
        self.end()
        self._name, self._began = name, time.monotonic()
        self._observer(PhaseBegan(name))

    def end(self) -> None:
        """End the phase that runs."""
        if self._name:
            spent = time.monotonic() - self._began
            self.seconds[self._name] = round(self.seconds.get(self._name, 0.0) + spent, 3)
            self._name = ""

    @property
    def total(self) -> float:
        """Seconds since the command began."""
        return round(time.monotonic() - self.started, 3)
