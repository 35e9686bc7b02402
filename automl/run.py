"""The story of one search, from a task to a verdict. Every step is done by the package that its name says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
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
from automl.data import Prepared, prepare, spec_for
from automl.errors import ConfigError, DataError
from automl.executors.choice import ExecutorFactory, make_executor
from automl.executors.devices import Seat, seats_on
from automl.export import require_target
from automl.ledger import Header, Home, Ledger, SearchFolder, SearchLock, open_to_read, require_writable
from automl.messages import DataRef, Spec
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
    task = _steered(task, config)
    families = families_for(task.reads, task.name, config.families)
    seats = seats_on(config.devices, config.workers)
    home = home or Home.from_environment()
    folder = home.search(check_name(f"{task.name}-{config.seed}" if name is None else name))
    stop = StopRequest()
    with _opened(home, folder, task, stop, observer) as ledger, ExitStack() as stack:
        phases = Phases(observer, started)
        phases.begin("start")
        stored = ledger.header()
        if stored is not None and sorted(families) == sorted(stored.config["families"]):
            families = tuple(stored.config["families"])  # the order in which they were typed makes no other search
        done = finished(stored, config) if stored is not None else None
        executor = executor_for(config, seats, Places(home.data, folder.root))
        stack.callback(executor.stop)
        if done is None:
            executor.start()  # its workers import torch while the data is read here

        prepared = _read(task, config, home, observer)
        spec = spec_for(task, prepared, max_epochs=config.max_epochs)
        header = describe(folder.name, task, config, families, prepared, spec)
        seconds, planned = config.budget.seconds, planned_slots(config, ledger.attempts(kind="trial"))
        observer(Began(header.name, task.metric, task.direction, planned, seconds))
        deadline = Deadline(
            seconds, started=phases.started, workers=len(seats), direction=task.direction, folds=prepared.ref.folds
        )
        data = _learnable_in_time(prepared.ref, spec, deadline, seats, observer)
        observer = _teaching(deadline, observer)
        if stored is None:
            ledger.begin(header)
        else:
            _compare_aloud(stored, header, config, planned, observer)
            if done is not None:
                return _as_it_stands(ledger, stored, folder, config, done, observer)
            header = _take_up(stored, header, ledger, folder, observer)

        postmen = stack.enter_context(_views(ledger, header, folder, config, observer))
        coordinator = Coordinator(
            ledger,
            executor,
            folder.results,
            max_attempts=config.max_attempts,
            observer=observer,
            postmen=postmen,
            stop=stop,
        )
        stage = Stage(
            config=config,
            header=header,
            spec=spec,
            data=data,
            data_folder=home.data,
            folder=folder,
            ledger=ledger,
            coordinator=coordinator,
            deadline=deadline,
            phases=phases,
            champion=ChampionQuestion(postmen, folder),
            observer=observer,
        )
        trials = spend_budget(stage)
        if header.result is not None and len(trials) <= header.concluded:
            observer(Said(f"no trial was added: the result of search '{header.name}' stands"))
            return _bring_into_step(ledger, header, header.result, postmen, deadline.left_for_views())
        return _sync(stage, _report(stage, conclude(stage, trials)), postmen)


def _steered(task: str | Task, config: SearchConfig) -> Task:
    """Return the task with the metric that is asked for. Makes families of one's own known."""
    task = (load_task(task) if isinstance(task, str) else task).steered_by(config.metric)
    require_package(task)
    if config.families_from:
        add_families_from(config.families_from)
    return task


@contextmanager
def _opened(home: Home, folder: SearchFolder, task: Task, stop: StopRequest, observer: Observer) -> Iterator[Ledger]:
    """Yield the ledger of a search that is ours alone; until it is closed, a signal fills in the request to `stop`.

    Where its settings or its data forbid a new search to begin, its folder is deleted: there is nothing in it to go on with.
    """
    for later in ("exports", "reports"):
        require_writable(Path(later) / task.name)
    require_target(Path("exports") / task.name, task.target)
    home.create()
    is_new = not folder.root.exists()
    folder.create()
    with ExitStack() as stack:
        stack.enter_context(SearchLock(folder.root))
        if is_new:
            stack.enter_context(_forgetting_what_never_began(home, folder))
        stack.enter_context(stop_on_signals(stop, lambda text: observer(Said(text, "stopping"))))
        yield stack.enter_context(closing(Ledger.open(folder.ledger)))


@contextmanager
def _forgetting_what_never_began(home: Home, folder: SearchFolder) -> Iterator[None]:
    try:
        yield
    except (ConfigError, DataError):
        with closing(open_to_read(folder)) as ledger:
            has_begun = ledger.header() is not None
        if not has_begun:
            home.delete(folder)
        raise


def _read(task: Task, config: SearchConfig, home: Home, observer: Observer) -> Prepared:
    """Read and prepare the data; say what it was taken for, and what is odd about it."""
    prepared = prepare(task, seed=config.seed, data_folder=home.data)
    if task.why:
        observer(Said(task.summary(prepared.summary.total)))
    for text in prepared.summary.warnings:
        observer(Said(text, "warning"))
    return prepared


def _learnable_in_time(
    ref: DataRef, spec: Spec, deadline: Deadline, seats: tuple[Seat, ...], observer: Observer
) -> DataRef:
    """Return the data with no more rows than a CPU can learn from in the time given; warn where those are not all."""
    most = deadline.most_rows(spec) if seats[0].device == "cpu" else None
    if most is not None:
        share = f"{most:,} of {spec.rows:,} training rows"
        observer(Said(f"in the time given a model learns from {share}; for more, give more with --time", "warning"))
    return replace(ref, most_rows=most)


def _compare_aloud(
    stored: Header, asked: Header, config: SearchConfig, planned: int | None, observer: Observer
) -> None:
    """Say what differs from the search that has this name, and where nothing is asked that it has not done. Raises ConfigError."""
    for text in compare(stored, asked, strict=config.strict):
        observer(Said(text, "warning"))
    slots, done = config.budget.slots, finished(stored, config)
    if slots is not None and planned is not None and slots < planned:
        observer(Said(f"search '{stored.name}' has {planned} slots, {slots} asked: nothing to add"))
    elif done is not None:
        observer(Said(f"budget {done['slots']['planned']} already done in search '{stored.name}'"))


def _take_up(stored: Header, asked: Header, ledger: Ledger, folder: SearchFolder, observer: Observer) -> Header:
    """Go on with an earlier run's search under the settings asked now; what that run left open is closed, or tried again."""
    ledger.reconfigure(asked.config)
    requeued = reconcile(ledger, folder.results)
    trials = sorted(ledger.attempts(kind="trial", final=True), key=lambda trial: trial.slot)
    observer(Resumed(tuple(trials), requeued))
    return replace(stored, config=asked.config)


def _views(
    ledger: Ledger, header: Header, folder: SearchFolder, config: SearchConfig, observer: Observer
) -> AbstractContextManager[tuple[Postman, ...]]:
    """Open the views of a search; what they say goes to the observer."""
    warn, lag = (lambda text: observer(Said(text, "warning"))), (lambda view, n: observer(Lagging(view, n)))
    return open_views(ledger, header, folder, mlflow=config.tracking, warn=warn, lag=lag)


def _as_it_stands(
    ledger: Ledger,
    header: Header,
    folder: SearchFolder,
    config: SearchConfig,
    document: dict[str, Any],
    observer: Observer,
) -> dict[str, Any]:
    """Return the document of a search that is finished, once MLflow has been sent what it still lacks."""
    if not (config.tracking and ledger.count_unsent("mlflow")):
        return document
    with _views(ledger, header, folder, config, observer) as postmen:
        return _bring_into_step(ledger, header, document, postmen)


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
