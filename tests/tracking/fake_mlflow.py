"""An MLflow in memory with the client's methods that the view uses, and faults on request."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

_ANSWERED = {"create_run", "log_batch", "set_terminated", "set_tag"}


class Fault(Exception):
    """What MlflowException looks like to the view."""

    def __init__(self, error_code: str, message: str = "") -> None:
        super().__init__(message or error_code)
        self.error_code = error_code


class Page(list):
    """A result page without a successor."""

    token = None


class FakeClient:
    """Keeps experiments and runs in dicts; `calls` lists the methods called."""

    def __init__(self) -> None:
        self.experiments: dict[str, Any] = {}
        self.runs: dict[str, Any] = {}
        self.calls: list[str] = []
        self._faults: list[tuple[str, str, Exception]] = []

    def fail(self, method: str, error: Exception, *, when: str = "before") -> None:
        """Let the next call of a method fail `before` or `after` it took effect."""
        self._faults.append((method, when, error))

    def named(self, key: str) -> list[Any]:
        """Active runs of a key."""
        return [run for run in self.runs.values() if run.data.tags.get("automl.trial_key") == key and _is_active(run)]

    def __getattribute__(self, name: str) -> Any:
        method = object.__getattribute__(self, name)
        if name not in _ANSWERED and not name.startswith(("search_", "get_", "delete_", "create_", "log_")):
            return method
        return lambda *args, **kwargs: self._call(name, method, args, kwargs)

    def _call(self, name: str, method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.calls.append(name)
        fault = next((fault for fault in self._faults if fault[0] == name), None)
        if fault:
            self._faults.remove(fault)
        if fault and fault[1] == "before":
            raise fault[2]
        result = method(*args, **kwargs)
        if fault:
            raise fault[2]
        return result

    def create_experiment(self, name: str, artifact_location: str | None = None) -> str:
        number = str(len(self.experiments) + 1)
        self.experiments[number] = SimpleNamespace(
            experiment_id=number, name=name, artifact_location=artifact_location, lifecycle_stage="active"
        )
        return number

    def get_experiment(self, number: str) -> Any:
        return self.experiments[number]

    def get_experiment_by_name(self, name: str) -> Any:
        return next((e for e in self.experiments.values() if e.name == name), None)

    def search_experiments(self, max_results: int, page_token: str | None) -> Page:
        return Page(e for e in self.experiments.values() if e.lifecycle_stage == "active")

    def create_run(self, experiment: str, start_time: int | None, tags: dict[str, str], run_name: str) -> Any:
        if self.experiments[experiment].lifecycle_stage != "active":
            raise Fault("INVALID_PARAMETER_VALUE", "the experiment must be in the 'active' state")
        number = f"{len(self.runs):032x}"
        self.runs[number] = SimpleNamespace(
            info=SimpleNamespace(
                run_id=number,
                experiment_id=experiment,
                status="RUNNING",
                start_time=start_time,
                end_time=None,
                run_name=run_name,
                lifecycle_stage="active",
            ),
            data=SimpleNamespace(tags=dict(tags), params={}, points=set()),
            datasets=[],
        )
        return self.runs[number]

    def log_batch(self, run: str, metrics: list[Any], params: list[Any], tags: list[Any]) -> None:
        data = self._active(run).data
        data.points |= {(m.key, m.value, m.timestamp, m.step) for m in metrics}
        data.params.update({p.key: p.value for p in params})
        data.tags.update({t.key: t.value for t in tags})

    def log_inputs(self, run: str, datasets: list[Any]) -> None:
        self._active(run).datasets = [given.dataset.name for given in datasets]

    def set_tag(self, run: str, key: str, value: str) -> None:
        self._active(run).data.tags[key] = value

    def set_terminated(self, run: str, status: str, end_time: int | None = None) -> None:
        info = self._active(run).info
        info.status, info.end_time = status, end_time

    def delete_run(self, run: str) -> None:
        self.runs[run].info.lifecycle_stage = "deleted"

    def delete_experiment(self, number: str) -> None:
        self.experiments[number].lifecycle_stage = "deleted"
        for run in self.runs.values():
            if run.info.experiment_id == number:
                run.info.lifecycle_stage = "deleted"

    def search_runs(
        self, experiment_ids: list[str], filter_string: str, max_results: int, page_token: str | None
    ) -> Page:
        text = filter_string.split("'")[1]
        begins = "LIKE" in filter_string
        return Page(
            run
            for run in self.runs.values()
            if _is_active(run) and run.info.experiment_id in experiment_ids and _fits(run, text, begins)
        )

    def _active(self, run: str) -> Any:
        if not _is_active(self.runs[run]):
            raise Fault("INVALID_PARAMETER_VALUE", "the run must be in the 'active' state")
        return self.runs[run]


def _is_active(run: Any) -> bool:
    return run.info.lifecycle_stage == "active"


def _fits(run: Any, text: str, begins: bool) -> bool:
    key = run.data.tags.get("automl.trial_key", "")
    return key.startswith(text.rstrip("%")) if begins else key == text
