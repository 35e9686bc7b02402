"""One page over all searches of a home: task, verdict, test value, and how each got there. Reads ledgers; judges nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from automl.errors import StorageError
from automl.ledger import Home, headline, open_to_read
from automl.report.document import partial_document, stored_document
from automl.report.page import fill, write_page
from automl.report.progress import best_line
from automl.report.slots import Trials, slots_of
from automl.report.svg import Frame, Scale, figure, stairs
from automl.report.tables import standing
from automl.report.text import number

_SPARK = Frame(width=120, height=28)
_MOST_STEPS = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """One search's row."""

    name: str
    task: str
    verdict: str
    standing: str
    """`better`, `same` or `open`: how the verdict is marked."""
    metric: str
    test: str
    interval: str
    family: str
    slots: str
    created_ms: int
    link: str
    """Of its report, relative to the index; empty where there is none."""
    spark: Markup


def build_index(home: Home, path: Path) -> Path:
    """Write the page over all searches of `home` to `path` and return it. Raises StorageError where that is not allowed."""
    entries, unreadable = [], []
    for name in home.searches():
        try:
            if (entry := _entry(home, name, path)) is not None:
                entries.append(entry)
        except StorageError as error:  # one damaged ledger must not hide all other searches
            unreadable.append(f"{name}: {error}")
    entries.sort(key=lambda entry: -entry.created_ms)
    return write_page(fill("index.html", entries=entries, unreadable=unreadable, home=str(home.root)), path)


def _entry(home: Home, name: str, page: Path) -> Entry | None:
    """Return a search's row; None for one that was never begun."""
    with closing(open_to_read(home.search(name))) as ledger:
        header = ledger.header()
        if header is None:
            return None
        attempts = ledger.attempts(kind="trial", final=True)
        document = stored_document(header) or partial_document(header, attempts)
    best, slots = document.get("best") or {}, document["slots"]
    trials = Trials(slots_of(attempts), document["metric"], document["direction"])
    low, high = best.get("test_interval") or (None, None)
    done = sum(slots[state] for state in ("complete", "pruned", "failed"))
    return Entry(
        name,
        document["task"],
        headline(document),
        standing(document),
        document["metric"],
        number(best.get("test")),
        f"{number(low)} to {number(high)}" if low is not None else "",
        best.get("family") or ", ".join(trials.families),
        str(done) if done == slots["planned"] else f"{done} of {slots['planned']}",
        header.created_ms,
        _link(document.get("report") or f"reports/{name}/index.html", page),
        _sparkline(trials),
    )


def _link(report: str, page: Path) -> str:
    if not Path(report).is_file():
        return ""
    return Path(os.path.relpath(Path(report).resolve(), page.resolve().parent)).as_posix()


def _sparkline(trials: Trials) -> Markup:
    values = best_line([slot for slot in trials.slots if slot.complete], trials.sign)
    if len(values) < 2:
        return Markup("")
    thinned = _thinned(values)
    x, y = Scale(0, len(thinned) - 1, 2, _SPARK.width - 2), Scale(min(values), max(values), _SPARK.height - 4, 4)
    places = [(x.at(place), y.at(value)) for place, value in enumerate(thinned)]
    alt = f"Best so far: {number(values[0])} at first, {number(values[-1])} at the end."
    return figure([stairs(places, "best")], _SPARK, alt=alt)


def _thinned(values: Sequence[float]) -> Sequence[float]:
    step = -(-len(values) // _MOST_STEPS)
    return [*values[:-1:step], values[-1]]
