"""One search as one self-contained HTML page: no script, nothing remote, everything escaped. Reads JSON; computes no result."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from automl.data.durable import replace_file, storage_errors
from automl.report.figures import best_so_far, learning_curves

MOST_SLOTS = 1000
"""Slots in the table at most, the best ones; a longer table serves nobody and slows a phone."""
MOST_CURVES = 200


def build_report(document: dict[str, Any], slots: list[dict[str, Any]], path: Path) -> Path:
    """Write the report of a search to `path` and return it; an older one is replaced whole.

    `document` is what `automl search --json` prints; what an unfinished search lacks may be absent or None. Each slot has: slot,
    family, state, params, value, steps, seconds, attempt, reason, curve ([[step, value], ...]). Raises StorageError where `path`
    cannot be written.
    """
    page = render(document, slots)
    with storage_errors("write the report", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, page.encode())
    return path


def render(document: dict[str, Any], slots: list[dict[str, Any]]) -> str:
    """Return the page as text; text from data or models reaches it only escaped."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
    environment.filters.update(number=_number, seconds=_seconds)
    ranked = _ranked(slots, document["direction"])
    families = sorted({slot["family"] for slot in slots})
    figure = {"metric": document["metric"], "direction": document["direction"], "families": families}
    return environment.get_template("page.html").render(
        search=document,
        families=families,
        trials=best_so_far(slots, **figure),
        curves=learning_curves(ranked[:MOST_CURVES], **figure),
        slots=ranked[:MOST_SLOTS],
        total=len(slots),
        most_curves=MOST_CURVES,
        results=_results(document),
        command=_command(document),
    )


def _ranked(slots: Sequence[dict[str, Any]], direction: str) -> list[dict[str, Any]]:
    """Complete slots first, the best on top; then pruned ones, then those without a value."""
    sign = -1.0 if direction == "maximize" else 1.0

    def rank(slot: dict[str, Any]) -> tuple[bool, bool, float, int]:
        value = slot.get("value")
        return slot["state"] != "complete", value is None, 0.0 if value is None else sign * value, slot["slot"]

    return sorted(slots, key=rank)


def _results(document: dict[str, Any]) -> list[tuple[str, str, float | None]]:
    """Rows of (who, measured on, value), the winner first."""
    best = document.get("best") or {}
    rows = [
        (f"{best.get('family', 'winner')}, exported", "test", best.get("test")),
        *((name.replace("_", " "), "test", value) for name, value in (document.get("baselines") or {}).items()),
        (f"{best.get('family', 'winner')}, fresh seeds", "validation", best.get("validation")),
        ("its default, fresh seeds", "validation", (document.get("default") or {}).get("validation")),
    ]
    return [row for row in rows if row[2] is not None]


def _command(document: dict[str, Any]) -> str:
    words = ["automl", "search", str(document["task"]), "--seed", str(document.get("seed", 0))]
    planned = (document.get("slots") or {}).get("planned")
    if planned:
        words += ["--trials", str(planned)]
    return shlex.join(words)


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "–"  # absent, in a search that was interrupted


def _seconds(value: object) -> str:
    if not isinstance(value, int | float):
        return "–"
    minutes, seconds = divmod(value, 60)
    return f"{value:.1f} s" if value < 60 else f"{int(minutes)} min {seconds:.0f} s"
