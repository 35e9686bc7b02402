"""A finished search in a few lines: what `automl search` ends with and `automl searches show` repeats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from automl.cli.output import number
from automl.rounding import interval

if TYPE_CHECKING:
    from automl.ledger import Header


def summary(document: dict[str, Any], header: Header | None = None) -> list[str]:
    """Return the result of a search as a few lines for people; its `header` has what the next command must repeat."""
    from automl.ledger import headline, is_default
    from automl.report.document import tested, validated

    best, slots, metric = document["best"], document["slots"], document["metric"]
    low, high = best["test_interval"]
    default = None if is_default(document) else document.get("default")
    default_test = tested(document, "default") if default else None
    baselines = " · ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in document["baselines"].items())
    params = " ".join(
        f"{key}={number(value) if isinstance(value, float) else value}" for key, value in best["params"].items()
    )
    left = slots["planned"] - slots["complete"] - slots["pruned"] - slots["failed"]
    cut = slots.get("interrupted", left)  # documents of older searches lack it
    lines = [
        f"{document['search']}: {headline(document)}",
        f"  validation  {metric} {number(best['validation'])} {validated(document)}"
        + (f" (default {number(default['validation'])})" if default else ""),
        f"  test        {metric} {number(best['test'])} {interval(low, high)}"
        + (f" (default {number(default_test)})" if default_test is not None else ""),
        f"  baselines   {baselines}",
        f"  winner      {best['family']}, slot {best['slot']}: {params}",
        f"  slots       {slots['planned']} planned: {slots['complete']} complete, {slots['pruned']} pruned, {slots['failed']} failed"
        + (f", {cut} cut off by the time" if cut else "")
        + (f", {left - cut} not begun" if left > cut else "")
        + f" · {document['seconds']:.0f} s",
        f"  model       {document['bundle']}",
        f"  report      {document['report']}",
    ]
    if registered := document.get("registered"):
        lines.append(f"  registered  {_standing(registered, document.get('challenge'))}")
    if mlflow := document.get("mlflow"):
        lines.append(
            f"  mlflow      experiment {mlflow['experiment']}: {mlflow['synced']} run{'' if mlflow['synced'] == 1 else 's'}"
            + _pending(document["search"], mlflow)
        )
    return [*lines, *_next(document, header)]


def _next(document: dict[str, Any], header: Header | None) -> Iterator[str]:
    """The commands that a person wants now: of two models that are there the better one is predicted with."""
    from automl.report.command import command_for_trees
    from automl.report.document import families_flag, new_rows

    is_beaten = document["verdict"].startswith("gradient boosting is better")
    would_help = is_beaten and document["best"]["family"] != "boosted_trees"
    if would_help and header is not None and (command := command_for_trees(header)):
        yield f"next: {command}"
    registered = document.get("registered")
    model = document["bundle"] if not registered or registered["champion"] else f"{registered['name']}@champion"
    own = families_flag(header.config.get("families_from") if header is not None else None)
    yield f"next: automl predict {model} {new_rows(document, 'FILE.csv')}{own}"


def _standing(registered: dict[str, Any], challenge: dict[str, Any] | None) -> str:
    version = f"{registered['name']} version {registered['version']}"
    if registered["champion"]:
        return f"{version}, champion"
    return f"{version}; the champion stays ({challenge['why']})" if challenge else f"{version}; the champion stays"


def _pending(name: str, mlflow: dict[str, Any]) -> str:
    if not mlflow["pending"]:
        return ", in step (look: mlflow ui)"
    messages = f"{mlflow['pending']} message{'s' if mlflow['pending'] > 1 else ''}"
    return f", {messages} not yet in MLflow; run: automl searches sync {name}"
