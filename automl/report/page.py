"""One search as one self-contained HTML page: no script, nothing remote, everything escaped. Puts together; computes no result."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from automl.data.durable import make_folder, replace_file, storage_errors
from automl.ledger import headline
from automl.report import explained, quality, tables, text
from automl.report.command import command
from automl.report.document import families_flag, new_rows, validated
from automl.report.importance import Importance, importances
from automl.report.material import Material, is_resumed
from automl.report.parameters import MOST_LINES, MOST_POINTS, importance_bars, parallel_coordinates, slices
from automl.report.progress import MOST_CURVES, best_so_far, learning_curves
from automl.report.slots import Trials

MOST_IMPORTANT = 12
"""Parameters drawn per family."""
_ENOUGH = 5
"""Slots with a value that show anything of what a family's parameters do."""


@dataclass(frozen=True, slots=True)
class FamilyFigures:
    """What one family's parameters did."""

    family: str
    slots: int
    importance: Markup
    slices: list[Markup]
    parallel: Markup


def build_report(material: Material, path: Path) -> Path:
    """Write the report of a search to `path` and return it; an older one is replaced whole. Raises StorageError."""
    return write_page(render(material), path)


def write_page(page: str, path: Path) -> Path:
    """Write a page whole or not at all. Raises StorageError where `path` cannot be written."""
    with storage_errors("write the report", path):
        make_folder(path.parent)
        replace_file(path, page.encode())
    return path


def render(material: Material) -> str:
    """Return the page as text; text from data or models reaches it only escaped."""
    trials, document, scored = material.trials, material.document, material.scored
    fitted = document.get("calibration") or {}
    bins = fitted.get("bins") or (quality.confidence_bins(scored) if scored is not None and scored.labels else [])
    return fill(
        "page.html",
        search=document,
        headline=headline(document),
        header=material.header,
        folds=material.folds,
        resumed=is_resumed(material),
        standing=tables.standing(document),
        trials=trials,
        done=len(trials.slots),
        by_slot=best_so_far(trials, over="slot"),
        by_time=best_so_far(trials, over="time"),
        curves=learning_curves(trials, material.folds),
        most_curves=MOST_CURVES,
        families=[figures for family in trials.by_merit if (figures := _family(material, family)) is not None],
        most_points=MOST_POINTS,
        most_lines=MOST_LINES,
        results=tables.results(document),
        validated=validated(document) if document.get("best") else "",
        gains=quality.gains(document.get("test_gains") or {}, trials.metric),
        confirmed=tables.confirmations(document, trials),
        scored=scored,
        confusion=quality.confusion(scored) if scored is not None else None,
        pairs=quality.confused_pairs(scored) if scored is not None else [],
        residuals=quality.residuals(scored) if scored is not None else ("", ""),
        calibration=quality.calibration(bins),
        fitted=fitted,
        important=explained.columns(scored.explained, trials.metric) if scored is not None else None,
        most_bars=explained.MOST_BARS,
        explained=explained.rows(scored) if scored is not None else [],
        unexplained=str(scored.explained.get("note", "")) if scored is not None else "",
        examples=scored.examples() if scored is not None else [],
        columns=tables.columns(material.header),
        warnings=tables.warnings(material.header),
        tables=tables.family_tables(trials),
        most_slots=tables.MOST_SLOTS,
        failures=tables.failures(trials),
        cost=tables.cost(material.attempts),
        peak_memory=tables.peak_memory(material.attempts),
        command=command(material.header),
        new_rows=new_rows(material.document, "rows.csv"),
        families_from=families_flag(material.header.config.get("families_from")),
        provenance=tables.provenance(material.header, document),
    )


def fill(template: str, **values: Any) -> str:
    """Return a template filled in, with the style sheet and its hash for the page's security policy."""
    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_harmless
    )
    for name in ("number", "duration", "setting", "moment", "plural", "gain"):
        environment.filters[name] = getattr(text, name)
    style = (folder / "style.css").read_text()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(template).render(**values, style=Markup(style), style_hash=digest)


def _harmless(value: Any) -> Any:
    """Autoescaping keeps text from becoming markup; this keeps it from reordering the text around it. Markup is ours already."""
    return text.visible(value) if type(value) is str else value


def _family(material: Material, family: str) -> FamilyFigures | None:
    """Return a family's figures; None of few slots, and where no parameter varies among those with a value."""
    trials = material.trials.of(family)
    if sum(slot.value is not None for slot in trials.slots) < _ENOUGH:
        return None
    space = material.header.spaces.get(family) or {}
    found = importances(trials)
    names = _varying(trials, found)[:MOST_IMPORTANT]
    if not names:
        return None
    return FamilyFigures(
        family,
        len(trials.slots),
        importance_bars(found[:MOST_IMPORTANT], trials.metric),
        slices(trials, space, names, material.trials.colour(family)),
        parallel_coordinates(trials, space, names),
    )


def _varying(trials: Trials, found: list[Importance]) -> list[str]:
    """Return parameters with more than one value, the important ones first."""
    done = [slot.params for slot in trials.slots if slot.value is not None]
    names = dict.fromkeys([*(one.parameter for one in found), *(name for params in done for name in params)])
    return [name for name in names if len({str(params[name]) for params in done if name in params}) > 1]
