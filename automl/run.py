"""The story of one search, from a task to a verdict. Every step is done by the package that its name says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.catalog import add_families_from, families_for
from automl.config import SearchConfig, check_name
from automl.coordinator.deadline import Deadline
from automl.coordinator.events import Began, Closed, Lagging, Observer, Placed, Resumed, Said, SearchEvent, silent
from automl.coordinator.loop import Coordinator, StopRequest
from automl.coordinator.opening import compare, describe, finished, planned_slots
from automl.coordinator.phases import Phases
from automl.coordinator.reconcile import reconcile
from automl.coordinator.signals import stop_on_signals
from automl.coordinator.spend import spend_budget
from automl.coordinator.stage import Stage
from automl.data import prepare, spec_for
from automl.errors import ConfigError, DataError
from automl.executors.choice import ExecutorFactory, make_executor
from automl.executors.devices import seats_on
from automl.ledger import Header, Home, Ledger, SearchFolder, SearchLock, open_to_read, require_writable
from automl.report import build_report, gather
from automl.report.document import partial_document
from automl.tasks import Task, load_task, require_package
from automl.tracking.postman import Postman
from automl.tracking.question import ChampionQuestion
from automl.tracking.views import mlflow_state, open_views
from automl.winner.conclude import Conclusion, conclude
from automl.worker.perform import Places


def search(
    task: str | Task,
    config: SearchConfig | None = None,
    *,
    name: str | None = None,
    home: Home | None = None,
    observer: Observer = silent,
    executor_for: ExecutorFactory = make_executor,
    started: float | None = None,
) -> dict[str, Any]:
    """Search a task's hyperparameters, or resume the search of that name; returns the document that `--json` prints.

    `started` is when the person began to wait, by `time.monotonic`, if that was before this call: a time budget counts from there.

    Raises AutoMLError: bad settings before anything is done, SearchHeld while another process works on the search, Stopped
    after a signal, NoUsableTrial when nothing completed. Whatever is raised, the same call again goes on where this one ended.
    """
    config = config or SearchConfig()
    task = (load_task(task) if isinstance(task, str) else task).steered_by(config.metric)
    require_package(task)
    if config.families_from:
        add_families_from(config.families_from)
    families = families_for(task.reads, task.name, config.families)
    seats = seats_on(config.devices, config.workers)
    home = home or Home.from_environment()
    folder = home.search(check_name(f"{task.name}-{config.seed}" if name is None else name))
    home.create()
    is_new = not folder.root.exists()
    folder.create()
    for later in ("exports", "reports"):
        require_writable(Path(later) / task.name)
    stop = StopRequest()
    with ExitStack() as stack:
        stack.enter_context(SearchLock(folder.root))
        if is_new:
            stack.enter_context(_forgetting_what_never_began(home, folder))
        stack.enter_context(stop_on_signals(stop, lambda text: observer(Said(text, "stopping"))))
        ledger = stack.enter_context(closing(Ledger.open(folder.ledger)))
        phases = Phases(observer, started)
        phases.begin("start")
        stored = ledger.header()
        done = finished(stored, config) if stored is not None else None
        executor = executor_for(config, seats, Places(home.data, folder.root))
        stack.callback(executor.stop)
        if done is None:
            executor.start()  # its workers import torch while the data is read here

        prepared = prepare(task, seed=config.seed, data_folder=home.data)
        if task.why:
            observer(Said(task.summary(prepared.summary.total)))
        for text in prepared.summary.warnings:
            observer(Said(text, "warning"))
        spec = spec_for(task, prepared, max_epochs=config.max_epochs)
        header = describe(folder.name, task, config, families, prepared, spec)
        metric, direction = header.task["metric"], header.task["direction"]
        asked, planned = config.budget.slots, planned_slots(config, ledger.attempts(kind="trial"))
        observer(Began(header.name, metric, direction, planned, config.budget.seconds))

        deadline = Deadline(
            config.budget.seconds,
            started=phases.started,
            workers=len(seats),
            direction=direction,
            folds=prepared.ref.folds,
        )
        data = replace(prepared.ref, most_rows=deadline.most_rows(spec) if seats[0].device == "cpu" else None)
        if data.most_rows is not None:
            share = f"{data.most_rows:,} of {spec.rows:,} training rows"
            observer(Said(f"in the time given a model learns from {share}; for more, give more with --time", "warning"))
        observer = _teaching(deadline, observer)

        def views(header: Header) -> tuple[Postman, ...]:
            warn, lag = (lambda text: observer(Said(text, "warning"))), (lambda view, n: observer(Lagging(view, n)))
            return stack.enter_context(open_views(ledger, header, folder, mlflow=config.tracking, warn=warn, lag=lag))

        if stored is not None:
            for text in compare(stored, header, strict=config.strict):
                observer(Said(text, "warning"))
            if asked is not None and planned is not None and asked < planned:
                observer(Said(f"search '{stored.name}' has {planned} slots, {asked} asked: nothing to add"))
            elif done is not None:
                observer(Said(f"budget {done['slots']['planned']} already done in search '{stored.name}'"))
            if done is not None:
                behind = config.tracking and ledger.count_unsent("mlflow")
                return _bring_into_step(ledger, stored, done, views(stored)) if behind else done
            header = replace(stored, config=header.config)
            ledger.reconfigure(header.config)
            requeued = reconcile(ledger, folder.results)
            trials = sorted(ledger.attempts(kind="trial", final=True), key=lambda trial: trial.slot)
            observer(Resumed(tuple(trials), requeued))
        else:
            ledger.begin(header)

        postmen = views(header)
        coordinator = Coordinator(
            ledger,
            executor,
            folder.results,
            max_attempts=config.max_attempts,
            observer=observer,
            postmen=postmen,
            stop=stop,
        )
        champion = ChampionQuestion(postmen, folder)
        stage = Stage(
            task,
            config,
            header,
            spec,
            data,
            home.data,
            folder,
            ledger,
            coordinator,
            deadline,
            phases,
            champion,
            observer,
        )
        trials = spend_budget(stage)
        if header.result is not None and len(trials) <= header.concluded:
            observer(Said(f"no trial was added: the result of search '{header.name}' stands"))
            return _bring_into_step(ledger, header, header.result, postmen, deadline.left_for_views())
        document = _report(stage, conclude(stage, trials))
        return _sync(stage, document, postmen)


@contextmanager
def _forgetting_what_never_began(home: Home, folder: SearchFolder) -> Iterator[None]:
    """Delete a search's new folder where its settings or its data forbid it to begin: there is nothing in it to go on with."""
    try:
        yield
    except (ConfigError, DataError):
        with closing(open_to_read(folder)) as ledger:
            has_begun = ledger.header() is not None
        if not has_begun:
            home.delete(folder)
        raise


def _report(stage: Stage, conclusion: Conclusion) -> dict[str, Any]:
    """Write the report and commit the document: from here on the search is finished."""
    stage.phases.begin("report")
    attempts = stage.ledger.attempts()
    document = {
        **partial_document(stage.header, attempts),
        **conclusion.document(),
        "test_readings": sum(1 for attempt in attempts if attempt.kind == "score"),
        "report": str(Path("reports") / stage.header.name / "index.html"),
        "seconds": stage.phases.total,
        "phases": dict(stage.phases.seconds),
    }
    build_report(gather(stage.header, attempts, stage.folder, document), Path(document["report"]))
    stage.phases.end()
    stage.ledger.finish(document)
    return document


def _sync(stage: Stage, document: dict[str, Any], postmen: tuple[Postman, ...]) -> dict[str, Any]:
    """Bring the views into step; the search is done whether they answer or not."""
    stage.phases.begin("sync")
    document = _bring_into_step(stage.ledger, stage.header, document, postmen, stage.deadline.left_for_views())
    stage.phases.end()
    document |= {"seconds": stage.phases.total, "phases": dict(stage.phases.seconds)}
    stage.ledger.amend(document)
    return document


def _bring_into_step(
    ledger: Ledger,
    header: Header,
    document: dict[str, Any],
    postmen: tuple[Postman, ...],
    most: float | None = None,
) -> dict[str, Any]:
    """Send what the views lack, as far as they answer and within `most` seconds; returns the document with what they said."""
    until = None if most is None else time.monotonic() + most
    for postman in postmen:
        postman.drain(most=None if until is None else until - time.monotonic())
        document |= {"registered": postman.answer("export") or document.get("registered")}
    document |= {"mlflow": mlflow_state(ledger, header, tracking=any(postman.view == "mlflow" for postman in postmen))}
    ledger.amend(document)
    return document


def _teaching(deadline: Deadline, observer: Observer) -> Observer:
    """Let the deadline learn from the start, and from trials that ran to their end."""

    def observe(event: SearchEvent) -> None:
        match event:
            case Placed(attempt) if attempt.kind == "trial":
                deadline.learn_start(attempt)
            case Closed(attempt) if attempt.kind == "trial":
                deadline.learn(attempt)
            case Resumed(trials):
                for trial in trials:
                    deadline.learn(trial)
        observer(event)

    return observe
