"""MLflow as a view of the ledger: one parent run per search, one child run per final slot. Decides nothing.

Each run is found again by a key of ours, its tag `automl.trial_key`. A client cannot choose a run's id, so creating is
the one step that cannot simply be repeated: after a creation that may or may not have happened, the key is searched for
first. Everything else is repeated with the stored times and changes nothing. Knows nothing of the ledger.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from automl.errors import StorageError
from automl.tracking import mlflow_store
from automl.tracking.exports import champion, export
from automl.tracking.location import require_ours
from automl.tracking.mlflow_store import Reconciled, by_key, experiments, find_runs, is_refusal, keep_one, reconcile
from automl.tracking.runs import KEY, PARENT, RunContent, cut, end_content, search_content, slot_content
from automl.tracking.uri import redact
from automl.tracking.view import Record, Refused, Say, Unreachable

_DATASET_DIGEST_LENGTH = 36
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO)
"""What a disk says that cannot take an artifact; a server that is away says something else."""
_FAULTS = (TypeError, AttributeError, NameError, AssertionError)
"""What a mistake in a program raises, ours or MLflow's; a server that is away does not."""
T = TypeVar("T")


class MlflowView:
    """The search's runs in one MLflow experiment.

    Settings: `tracking_uri`, `experiment`, `artifact_location` (a URI, or None where a server decides),
    `artifact_folder` (the only one of this machine that takes artifacts), `search`, `task` and `uuid`, the search's identity in hex.
    """

    def __init__(self, settings: dict[str, Any], *, say: Say, connect: Callable[[str], Any] | None = None) -> None:
        self._uri: str = settings["tracking_uri"]
        self._wanted: str = settings["experiment"]
        self._location: str | None = settings["artifact_location"]
        self._folder: str = settings["artifact_folder"]
        self._search: str = settings["search"]
        self._task: str = settings["task"]
        self._uuid: str = settings["uuid"]
        self._say = say
        self._connect = connect or mlflow_store.connect
        self._client: Any = None
        self._experiment = ""
        self._runs: dict[str, str] = {}
        self._doubtful: set[str] = set()

    def open(self) -> None:
        """Connect, find or create the experiment, and learn which keys have a run; raises Unreachable."""
        try:
            self._client = self._connect(self._uri)
            self._enter_experiment()
        except Exception as error:
            raise self._unreachable(error) from error

    def send(self, record: Record) -> Any:
        """Bring one record's run into step, or answer a question; raises Unreachable or Refused."""
        if record["topic"] == "champion":
            return self._reach(lambda: champion(self._client, self._task, record))
        content = self._content(record)
        try:
            return self._write(content, record)
        except Exception as error:
            if not is_refusal(error):
                raise self._unreachable(error) from error
            return self._send_once_more(content, record)

    def reconcile(self, final: Iterable[str]) -> Reconciled:
        """Compare with the final keys, see `reconcile`; raises Unreachable."""
        return self._reach(lambda: reconcile(self._client, self._experiment, self._uuid, final))

    def close(self) -> None:
        """Close the database, see `mlflow_store.close`."""
        mlflow_store.close(self._client)

    def _content(self, record: Record) -> RunContent:
        search = {"uuid": self._uuid, "search": self._search}
        try:
            match record["topic"]:
                case "search":
                    return search_content(record, task=self._task, **search)
                case "slot":
                    return slot_content(record, **search)
                case "end":
                    return end_content(record, task=self._task, **search)
                case "export":
                    return search_content({}, task=self._task, **search)
                case topic:
                    raise ValueError(f"unknown topic {topic!r}")
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"record {record.get('id')} cannot be shown in MLflow: {error!r}") from error

    def _write(self, content: RunContent, record: Record) -> Any:
        if content.key == self._uuid:
            run = self._ensure_run(content)
        else:
            parent = self._ensure_parent()
            run = self._ensure_run(content, {PARENT: parent})
        self._log(run, content)
        if record["topic"] == "search":
            self._log_dataset(run, record["dataset"])
        if record["topic"] == "export":
            return export(
                self._client,
                self._task,
                record,
                experiment=self._experiment,
                run=run,
                check=self._require_ours,
            )
        if content.status != "RUNNING":
            self._client.set_terminated(run, content.status, content.ended_ms)
        return None

    def _ensure_parent(self) -> str:
        known = self._runs.get(self._uuid)
        return known or self._ensure_run(search_content({}, uuid=self._uuid, search=self._search, task=self._task))

    def _ensure_run(self, content: RunContent, more_tags: dict[str, str] | None = None) -> str:
        """Return the id of the key's run, created with all its tags unless it is there."""
        key = content.key
        if key in self._doubtful:
            self._look_up(key)
        if key not in self._runs:
            self._doubtful.add(key)
            run = self._client.create_run(
                self._experiment,
                start_time=content.started_ms,
                tags={**content.tags, **(more_tags or {})},
                run_name=content.name,
            )
            self._runs[key] = run.info.run_id
        self._doubtful.discard(key)
        return self._runs[key]

    def _look_up(self, key: str) -> None:
        self._runs.pop(key, None)
        found = list(find_runs(self._client, [self._experiment], f"= '{key}'"))
        if found:
            self._runs[key] = keep_one(self._client, found).info.run_id

    def _log(self, run: str, content: RunContent) -> None:
        from mlflow.entities import Metric, Param, RunTag

        # A child's tags came with its creation; a parent is met again, at its end and by a resumed search.
        tags = content.tags if content.key == self._uuid else {}
        self._client.log_batch(
            run,
            metrics=[Metric(*point) for point in content.points],
            params=[Param(key, value) for key, value in content.params.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )

    def _log_dataset(self, run: str, dataset: dict[str, Any]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        profile = json.dumps({"num_rows": dataset["rows"], "num_features": dataset["features"]})
        digest = dataset["digest"][:_DATASET_DIGEST_LENGTH]
        entity = Dataset(
            name=dataset["name"], digest=digest, source_type="local", source=dataset["source"], profile=profile
        )
        self._client.log_inputs(run, datasets=[DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])

    def _send_once_more(self, content: RunContent, record: Record) -> Any:
        """After a refusal: the run or the experiment may be gone by a person's hand; else the record itself is bad."""
        try:
            self._see_what_is_gone(content.key)
            return self._write(content, record)
        except Exception as error:
            if not is_refusal(error):
                raise self._unreachable(error) from error
            self._close_refused(content, str(error))
            raise Refused(
                f"{content.name} was refused by MLflow and is recorded in the ledger only: {_line(error, self._uri)}"
            ) from error

    def _see_what_is_gone(self, key: str) -> None:
        if not any(self._experiment in page for page in experiments(self._client)):
            self._say(f"MLflow experiment '{self._wanted}' was deleted meanwhile")
            self._enter_experiment()
            return
        for each in {self._uuid, key}:
            had_run = each in self._runs
            self._look_up(each)
            if had_run and each not in self._runs:
                self._say(f"MLflow run {each} was deleted meanwhile: it is created anew")
        if self._uuid not in self._runs:
            self._adopt_children()

    def _adopt_children(self) -> None:
        """Put the children of a parent that is gone under a new one."""
        parent = self._ensure_parent()
        for child in find_runs(self._client, [self._experiment], f"LIKE '{self._uuid}/%'"):
            self._client.set_tag(child.info.run_id, PARENT, parent)

    def _close_refused(self, content: RunContent, reason: str) -> None:
        run = self._runs.get(content.key)
        if run and content.key != self._uuid:
            try:
                self._client.set_tag(run, "automl.refused", cut(redact(reason, self._uri), 500))
                self._client.set_terminated(run, content.status, content.ended_ms)
            except Exception as error:
                raise self._unreachable(error) from error

    def _enter_experiment(self) -> None:
        """Go where this search's runs are, wherever a person moved that to; else to the experiment of its name."""
        pages = (list(find_runs(self._client, ids, f"LIKE '{self._uuid}%'")) for ids in experiments(self._client))
        runs = [run for page in pages for run in page]
        self._runs = {key: keep_one(self._client, same).info.run_id for key, same in by_key(runs).items()}
        self._doubtful.clear()
        homes = {run.data.tags[KEY]: run.info.experiment_id for run in runs}
        home = homes.get(self._uuid) or next(iter(homes.values()), None)
        found = self._client.get_experiment(home) if home else self._named_experiment()
        if found.name != self._wanted:
            self._say(f"MLflow experiment '{self._wanted}' was renamed or deleted: its runs go to '{found.name}'")
        self._require_ours(f"MLflow experiment '{found.name}'", found.artifact_location)
        self._experiment = found.experiment_id

    def _named_experiment(self) -> Any:
        """Return the experiment of the wanted name, or, where that was deleted, of `name-2`, `name-3` ..."""
        name, number = self._wanted, 1
        while (found := self._client.get_experiment_by_name(name)) is not None and found.lifecycle_stage != "active":
            # The name of a deleted experiment is not free, and to restore it would bring back what a person threw away.
            number += 1
            name = f"{self._wanted}-{number}"
        if found is not None:
            return found
        return self._client.get_experiment(self._client.create_experiment(name, artifact_location=self._location))

    def _require_ours(self, what: str, location: str) -> None:
        """Refuse a place that someone prepared so that our artifacts land in another folder of this machine."""
        require_ours(what, location, self._folder, self._uri)

    def _reach(self, step: Callable[[], T]) -> T:
        try:
            return step()
        except Exception as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> StorageError:
        if isinstance(error, Unreachable | Refused):
            return error
        if isinstance(error, _FAULTS):
            return Unreachable(
                f"MLflow at {redact(self._uri, self._uri)} is not told, by a mistake in the program: recording to the outbox "
                f"({type(error).__name__}: {_line(error, self._uri)})"
            )
        wrong = "cannot be written" if isinstance(error, OSError) and error.errno in _DISK else "not reachable"
        return Unreachable(
            f"MLflow {wrong} at {redact(self._uri, self._uri)}: recording to the outbox ({_line(error, self._uri)})"
        )


def _line(error: Exception, uri: str) -> str:
    # Without addresses of objects: the same trouble must read the same, so that it is said once. Cut last: half a password is one.
    return redact(re.sub(r" at 0x[0-9a-f]+", "", str(error)), uri).strip().partition("\n")[0][:300]
