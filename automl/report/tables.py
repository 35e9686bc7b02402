"""The report's tables as plain rows: results, confirmations, slots, cost, what it depends on. Knows no markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from automl.ledger import Attempt, Header
from automl.report.document import tested
from automl.report.slots import Slot, Trials
from automl.report.text import aligned, duration, number, setting

MOST_SLOTS = 1000
"""In the tables at most, the best ones; longer ones serve nobody and slow a phone."""


@dataclass(frozen=True, slots=True)
class FamilyTable:
    """One family's slots, the best first, with a column per parameter."""

    family: str
    colour: str
    parameters: tuple[str, ...]
    rows: list[tuple[str, ...]]
    """Slot, state, value, epochs, time, attempt, one cell per parameter, reason."""
    total: int
    best: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What one kind of work took."""

    what: str
    attempts: int
    epochs: int
    seconds: float
    share: float
    """Of the seconds of all workers."""


def standing(document: dict[str, Any]) -> str:
    """Return `better`, `same` or `open`: how the verdict is marked."""
    if not document.get("verdict"):
        return "open"
    return "better" if document["verdict"].startswith("better") else "same"


def results(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (who, value, note) on the test part, the winner first."""
    best = document.get("best") or {}
    if not isinstance(best.get("test"), int | float):
        return []
    named = [(name.replace("_", " "), value) for name, value in (document.get("baselines") or {}).items()]
    family = (document.get("default") or {}).get("family") or best.get("family")
    for name, who in (("default", f"{family}, its default"), ("single", "the single winner")):
        if (value := tested(document, name)) is not None:
            named.insert(0, (who, value))
    rows = [(f"{best.get('family')}, the exported model", best["test"]), *named]
    low, high = best.get("test_interval") or (None, None)
    notes = [f"95 % interval {number(low)} to {number(high)}" if low is not None else "", *[""] * len(named)]
    values = aligned([value for _, value in rows])
    return [(who, shown, note) for (who, _), shown, note in zip(rows, values, notes, strict=True)]


def confirmations(document: dict[str, Any], trials: Trials) -> list[tuple[str, ...]]:
    """Return (slot, family, value in the search, mean on fresh seeds, each seed), the best mean first."""
    rivals = [one for one in document.get("confirmed") or [] if one["values"]]
    rivals.sort(key=lambda one: -trials.sign * fmean(one["values"]))
    searched = {slot.number: slot.value for slot in trials.slots}
    seeds = max((len(one["values"]) for one in rivals), default=0)
    columns: list[list[float | None]] = [
        [searched.get(one["slot"]) for one in rivals],
        [fmean(one["values"]) for one in rivals],
        *([one["values"][seed] if seed < len(one["values"]) else None for one in rivals] for seed in range(seeds)),
    ]
    shown = zip(*(aligned(column) for column in columns), strict=True)
    return [(str(one["slot"]), one["family"], *cells) for one, cells in zip(rivals, shown, strict=True)]


def family_tables(trials: Trials) -> list[FamilyTable]:
    """Return a table per family, the one with the best slot first."""
    kept = trials.ranked[:MOST_SLOTS]
    return [
        _family_table(trials, family, [slot for slot in kept if slot.family == family]) for family in trials.by_merit
    ]


def failures(trials: Trials) -> list[tuple[str, int]]:
    """Return (reason, slots) of what failed, the most frequent first."""
    return Counter(slot.reason or "no reason given" for slot in trials.slots if slot.state == "failed").most_common(8)


def columns(header: Header) -> list[tuple[str, ...]]:
    """Return (column, taken for, why, share of gaps, what fills them, features) of a table; nothing for other inputs."""
    return [
        (
            one["name"],
            one["kind"],
            one["why"],
            f"{one['gaps']:.1%}" if one["gaps"] else "",
            one["filled"] if one["gaps"] else "",
            str(one["features"]) if one["features"] else "",
        )
        for one in header.data.get("columns") or []
    ]


def warnings(header: Header) -> list[str]:
    """Return what was warned of when the data was read, less what the table of columns says."""
    said = ("Left out:", "Missing values are filled in") if header.data.get("columns") else ()
    return [text for text in header.data.get("warnings") or [] if not text.startswith(said)]


def cost(attempts: Iterable[Attempt]) -> list[Spent]:
    """Return what each kind of work took of the workers, in the order of a search; kinds without work are left out."""
    closed = [one for one in attempts if one.closed_ms is not None]
    groups: dict[str, list[Attempt]] = {name: [] for name in _KINDS.values()}
    for one in closed:
        groups[_KINDS.get((one.kind, one.state), _KINDS[one.kind, ""])].append(one)
    total = sum(map(_seconds, closed)) or 1.0
    return [
        Spent(name, len(ones), sum(map(_epochs, ones)), spent := sum(map(_seconds, ones)), spent / total)
        for name, ones in groups.items()
        if ones
    ]


def peak_memory(attempts: Iterable[Attempt]) -> float | None:
    """Return the most memory that a worker used, in MB."""
    peaks = [
        one.outcome.cost["peak_memory_mb"] for one in attempts if one.outcome and "peak_memory_mb" in one.outcome.cost
    ]
    return max(peaks, default=None)


def provenance(header: Header, document: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (what, version or hash) of all that the result depends on."""
    code, data = header.code, header.data
    rows = [("data, sha256", data.get("content", "")), ("rows", str(data.get("rows", "")))]
    rows += [(f"rows for {part}", str(count)) for part, count in (data.get("parts") or {}).items()]
    rows += [("git commit", code.get("git_commit", "")), ("search", header.uuid)]
    rows += [(f"family {family}, sha256", digest) for family, digest in (code.get("families") or {}).items()]
    rows.append(("bundle", str(document.get("bundle") or "")))
    rows += list((code.get("versions") or {}).items())
    return [(what, value) for what, value in rows if value]


def _family_table(trials: Trials, family: str, mine: Sequence[Slot]) -> FamilyTable:
    names = tuple(dict.fromkeys(name for slot in mine for name in slot.params))
    values = aligned([slot.value for slot in mine])
    rows = [
        (
            str(slot.number),
            slot.state,
            value,
            str(slot.steps),
            duration(slot.seconds),
            str(slot.attempt + 1),
            *(setting(slot.params[name]) if name in slot.params else "" for name in names),
            slot.reason,
        )
        for slot, value in zip(mine, values, strict=True)
    ]
    total = sum(1 for slot in trials.slots if slot.family == family)
    best = next((slot.value for slot in mine if slot.complete), None)
    return FamilyTable(family, trials.colour(family), names, rows, total, number(best))


_KINDS = {
    ("trial", "complete"): "trials that completed",
    ("trial", "pruned"): "trials stopped early",
    ("trial", "failed"): "trials that failed",
    ("trial", ""): "attempts lost or interrupted",
    ("confirm", ""): "confirmation on fresh seeds",
    ("refit", ""): "refit on all but the test rows",
    ("baselines", ""): "baselines",
    ("score", ""): "reading of the test rows",
    ("export", ""): "export",
}


def _seconds(attempt: Attempt) -> float:
    """Of the worker; by the wall clock for work that does not measure itself, unless another command had to close it."""
    if attempt.outcome is not None and "seconds" in attempt.outcome.cost:
        return attempt.outcome.cost["seconds"]
    if attempt.state in ("lost", "interrupted") or attempt.closed_ms is None:
        return 0.0
    return max(0.0, (attempt.closed_ms - attempt.opened_ms) / 1000)


def _epochs(attempt: Attempt) -> int:
    return attempt.outcome.steps if attempt.outcome is not None else 0
