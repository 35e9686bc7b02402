"""A finished search in a few lines: what `automl search` ends with and `automl searches show` repeats."""

from __future__ import annotations

from typing import Any

from automl.cli.output import number


def summary(document: dict[str, Any], families_from: str | None = None) -> list[str]:
    """Return the result of a search as a few lines for people; `families_from` is where families of one's own are found again."""
    from automl.report.document import families_flag, headline, is_default, new_rows, validated

    best, slots, metric = document["best"], document["slots"], document["metric"]
    low, high = best["test_interval"]
    default = None if is_default(document) else document.get("default")
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
        f"  test        {metric} {number(best['test'])} [{number(low)}, {number(high)}]",
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
            f"  mlflow      experiment {mlflow['experiment']}: {mlflow['synced']} runs"
            + _pending(document["search"], mlflow)
        )
    own = families_flag(families_from)
    lines.append(f"next: automl predict {document['bundle']} {new_rows(document, 'FILE.csv')}{own}")
    return lines


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
