"""Beginning a search or taking up an earlier one: what must be equal, what may differ, what is only warned of."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import subprocess
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from automl.catalog import space
from automl.config import Budget, SearchConfig
from automl.coordinator.space import check_overrides, explore, overrides_for
from automl.data import Prepared
from automl.data.treatment import treated_columns
from automl.errors import ConfigError
from automl.ledger import Attempt, Header
from automl.messages import Spec
from automl.tasks import Task

_DECIDING = ("families", "sampler", "pruner", "max_epochs", "metric", "seed", "precision", "confirm_seeds")
"""Settings that make another search; budget, devices and timeouts may differ between two runs of one search."""
_MOST_COLUMNS = 1000
"""Columns that a search remembers for its report: a longer table serves nobody."""
_WHOLE = {"bf16-true": 1 << 8, "16-true": 1 << 11}
"""Up to where each whole number has its own place in a type."""
_LIBRARIES = ("torch", "pytorch-lightning", "optuna", "mlflow", "numpy", "automl-search")


def describe(
    name: str, task: Task, config: SearchConfig, families: Iterable[str], prepared: Prepared, spec: Spec
) -> Header:
    """Return what this search is, ready to be stored or compared."""
    families = tuple(families)
    _require_exact_codes(spec, config.precision)
    spaces = {family: explore(space(family), spec, overrides_for(family, config.overrides)) for family in families}
    check_overrides(families, config.overrides, spaces)
    settings = config.model_copy(update={"families": families}).model_dump(mode="json")
    return Header(
        uuid=uuid.uuid4().hex,
        name=name,
        created_ms=int(time.time() * 1000),
        task={
            "name": task.name,
            "kind": task.kind,
            "source": task.source,
            "metric": task.metric,
            "direction": task.direction,
            "choices": task.choices,
        },
        config=settings,
        spaces=json.loads(json.dumps(spaces)),
        data={
            "key": prepared.ref.key,
            "content": prepared.ref.content,
            "encoding": prepared.schema.fingerprint,
            "rows": prepared.summary.total,
            "parts": prepared.summary.rows,
            "folds": prepared.ref.folds,
            "features": len(prepared.schema.columns),
            "columns": [asdict(column) for column in treated_columns(prepared.schema)[:_MOST_COLUMNS]],
            "left_out": len(prepared.schema.unused),
            "warnings": list(prepared.summary.warnings),
        },
        code={"git_commit": _git_commit(), "families": {f: _source_hash(f) for f in families}, "versions": _versions()},
    )


def _require_exact_codes(spec: Spec, precision: str) -> None:
    """Raise ConfigError where the inputs' codes are larger than the whole numbers that the precision holds."""
    largest, codes = _WHOLE.get(precision, 1 << 24), (spec.input.cardinality or 0, *spec.input.cardinalities)
    if max(codes) > largest:
        raise ConfigError(
            f"precision {precision} holds whole numbers up to {largest}, but the inputs have codes up to {max(codes)}. "
            f"Choose {precision.replace('true', 'mixed')}."
        )


def compare(stored: Header, asked: Header, *, strict: bool) -> list[str]:
    """Return warnings; raise ConfigError where the same name would mean another search, with the difference."""
    _refuse_difference(stored, asked)
    warnings = [
        f"{what} changed since this search began: {before} -> {now}"
        for what, before, now in _code_differences(stored.code, asked.code)
    ]
    if warnings and strict:
        raise ConfigError(f"--strict: {'; '.join(warnings)}.", hint="Start another search with --name.")
    return warnings


def finished(stored: Header, config: SearchConfig) -> dict[str, Any] | None:
    """Return the stored document where this command would add nothing to it: it asks for no more slots and no more time than that had.

    Why it ended does not matter: its points may have run out, or its time. Time alone, where there was no bound, must be longer
    than all of it took: less would only conclude again, with trainings that are cut short.
    """
    document = stored.result
    if document is None:
        return None
    slots, seconds = config.budget.slots, config.budget.seconds
    had = Budget(
        **document.get("budget", stored.config["budget"])
    )  # an older version stored none: nothing has changed it
    if slots is not None and slots <= stored.concluded:
        return document
    if slots is not None and had.slots is not None and slots > had.slots:
        return None
    before = had.seconds if had.seconds is not None or slots is not None else document.get("seconds", 0.0)
    longer = before is not None and (seconds is None or seconds > before)
    return None if longer else document


def planned_slots(config: SearchConfig, trials: Iterable[Attempt]) -> int | None:
    """Slots of this command together with earlier ones: those that were begun are not undone where fewer are asked."""
    return None if config.budget.slots is None else max(config.budget.slots, len({trial.slot for trial in trials}))


def _refuse_difference(stored: Header, asked: Header) -> None:
    hint = f"Start another search with --name, or delete this one: automl searches delete {stored.name}"
    for key in ("name", "metric", "direction"):
        if stored.task[key] != asked.task[key]:
            what = "task" if key == "name" else key
            raise ConfigError(
                f"search '{stored.name}' has {what} {stored.task[key]}, not {asked.task[key]}.", hint=hint
            )
    old, new = stored.data, asked.data
    if old["content"] != new["content"]:
        raise ConfigError(
            f"data changed: sha256 {old['content'][:8]}.. -> {new['content'][:8]}.., rows {old['rows']} -> {new['rows']}.",
            hint=hint,
        )
    for key in _DECIDING:
        if stored.config[key] != asked.config[key]:
            flag = "--" + key.replace("_", "-")
            raise ConfigError(
                f"search '{stored.name}' has {flag} {_typed(stored.config[key])}, not {_typed(asked.config[key])}.",
                hint=hint,
            )
    if old.get("encoding", new.get("encoding")) != new.get("encoding"):  # an earlier version kept none
        raise ConfigError(f"the same rows are read in another way{_treated(old, new)}.", hint=hint)
    differences = [
        f"{family}.{name}: {_short(stored.spaces[family].get(name))} -> {_short(asked.spaces[family].get(name))}"
        for family in stored.spaces
        for name in sorted(stored.spaces[family].keys() | asked.spaces[family].keys())
        if stored.spaces[family].get(name) != asked.spaces[family].get(name)
    ]
    if differences:
        raise ConfigError(f"the search space changed: {'; '.join(differences)}.", hint=hint)


def _treated(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Name the columns that are taken for something else, where the difference is one of columns."""
    before, now = ({one["name"]: one["kind"] for one in data.get("columns", ())} for data in (old, new))
    names = [name for name in before.keys() | now.keys() if before.get(name) != now.get(name)]
    changed = [f"{name}: {before.get(name, 'absent')} -> {now.get(name, 'absent')}" for name in sorted(names)[:5]]
    return f": {', '.join(changed)}" if changed else ""


def _typed(value: Any) -> str:
    """A setting as a person gives it: `cnn,mlp`."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _short(distribution: dict[str, Any] | None) -> str:
    if distribution is None:
        return "absent"
    if distribution["kind"] == "categorical":
        return "|".join(map(str, distribution["choices"]))
    scale = " log" if distribution["log"] else ""
    return f"{distribution['kind']} {distribution['low']:g}..{distribution['high']:g}{scale}"


def _code_differences(stored: dict[str, Any], asked: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    for family, digest in asked["families"].items():
        if stored["families"].get(family) != digest:
            yield f"the code of family '{family}'", str(stored["families"].get(family)), digest
    for library, version in asked["versions"].items():
        if stored["versions"].get(library) != version:
            yield library, str(stored["versions"].get(library)), version


def _source_hash(family: str) -> str:
    digest = hashlib.sha256()
    for package in ("search_spaces", "lightning_modules"):
        found = importlib.util.find_spec(f"{package}.{family}")
        if found is not None and found.origin is not None:
            digest.update(Path(found.origin).read_bytes())
    return digest.hexdigest()[:12]


def _versions() -> dict[str, str]:
    return {library: importlib.metadata.version(library) for library in _LIBRARIES}


def _git_commit() -> str:
    """The commit of the person's working folder; empty outside a repository."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True)
        return found.stdout.strip()
    return ""
