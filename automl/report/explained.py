"""What the model goes by: importance of columns, pictures with their heat, series and texts in colour. Draws what a score left."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from markupsafe import Markup

from automl.encoding import TOKEN, tokens_of
from automl.report.picture import address, heat, png
from automl.report.scored import Scored
from automl.report.svg import Frame, Scale, bar, figure, straight, words
from automl.report.text import gain, number, plural
from automl.report.traced import shade, strongest_steps, traced
from automl.rounding import fixed, rounded

MOST_BARS = 20
MOST_WORDS = 120
"""Of a text: those around where most is attributed."""
LONGEST_WORD = 40
_STRONGEST = 3
_LEFT, _RIGHT, _STEP = 150, 310, 38
_AREAS = (
    ("upper left", "upper middle", "upper right"),
    ("left", "middle", "right"),
    ("lower left", "lower middle", "lower right"),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """What shuffling each column of a table costs."""

    figure: Markup
    rows: list[tuple[str, str, str, str]]
    """Column, kind, mean loss of the metric, standard error."""
    told: str
    """How it was measured, in words."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text."""

    text: str
    css: str
    """`for1` to `for3`, `con1` to `con3`, or empty where it neither speaks for the prediction nor against."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One test row and what spoke for its prediction."""

    row: int
    true: str
    predicted: str
    right: bool
    note: str
    picture: str
    """A `data:` address; empty for a text."""
    heat: str
    pieces: tuple[Piece, ...]
    told: str
    """The same in words: where in the picture, which steps, or which words."""
    figure: Markup | None = None
    """Of a series."""


def columns(found: Mapping[str, np.ndarray], metric: str) -> Columns | None:
    """Return the importance of a table's columns; None where none was measured."""
    if not {"columns", "kinds", "importance", "counts"} <= set(found):
        return None
    names, kinds = found["columns"].tolist(), found["kinds"].tolist()
    values = [(mean, error) for mean, error in found["importance"].tolist()]
    repeats, rows, known = found["counts"].tolist()
    told = f"Each column was shuffled {plural(repeats, 'time')} among {plural(rows, 'test row')}."
    if known > len(names):
        told += f" Of {known} columns those {len(names)} were measured whose shuffling moves predictions furthest."
    spelled = _spelled(values)
    table = [(name, kind, *cells) for name, kind, cells in zip(names, kinds, spelled, strict=True)]
    return Columns(_bars(names, kinds, values, metric), table, told)


def rows(scored: Scored) -> list[Explained]:
    """Return the explained rows of pictures, series or texts, the wrong ones first."""
    found = scored.explained
    if not {"rows", "attributions"} <= set(found) or not {"inputs", "lines", "texts"} & set(found):
        return []
    shown = [_row(scored, place) for place in range(len(found["rows"]))]
    return sorted(shown, key=lambda one: one.right)


def _row(scored: Scored, place: int) -> Explained:
    found = scored.explained
    row, values = int(found["rows"][place]), np.nan_to_num(found["attributions"][place])
    true, predicted, note = scored.words(row)
    right = bool(scored.labels) and true == predicted
    if scored.labels:
        note = f"{scored.prediction[row].max():.0%} sure"
    if "inputs" in found:
        picture = found["inputs"][place]
        told = f"Strongest in the {_area(values)} of the picture."
        return Explained(
            row, true, predicted, right, note, address(png(picture)), address(heat(picture, values)), (), told
        )
    if "lines" in found:
        told = strongest_steps(found, values, bool(scored.labels))
        future = (scored.target[row], scored.prediction[row]) if scored.is_forecast else None
        drawn = traced(found, place, values, future, told)
        return Explained(row, true, predicted, right, note, "", "", (), told, drawn)
    text = str(found["texts"][place])
    return Explained(row, true, predicted, right, note, "", "", tuple(_pieces(text, values)), _strongest(text, values))


def _bars(names: Sequence[str], kinds: Sequence[str], values: Sequence[tuple[float, float]], metric: str) -> Markup:
    """Return a bar per column with a whisker of one standard error to each side."""
    known = [
        (name, kind, mean, error if math.isfinite(error) else 0.0)
        for name, kind, (mean, error) in zip(names, kinds, values, strict=True)
        if math.isfinite(mean)
    ][:MOST_BARS]
    if not known:
        return Markup("")
    spelled = _spelled([(mean, error) for *_, mean, error in known])
    frame = Frame(width=440, height=_STEP * len(known) + 52)
    low = min(0.0, *(mean - error for *_, mean, error in known), 0.0)
    high = max(0.0, *(mean + error for *_, mean, error in known), 0.0)
    x, bottom = Scale(low, high if high > low else low + 1.0, _LEFT, _RIGHT), frame.height - 44
    body = [straight(x.at(tick), 4, x.at(tick), bottom, "grid") for tick in x.ticks(3)]
    for place, (name, kind, mean, error) in enumerate(known):
        y = 8 + _STEP * place
        start, end = sorted((x.at(0), x.at(mean)))
        body += [
            words(_LEFT - 12, y + 12, name, "label end", most=18),
            words(_LEFT - 12, y + 26, kind, "tick end"),
            bar(start, y + 5, max(end - start, 1), 16, "bar"),
            straight(x.at(mean - error), y + 13, x.at(mean + error), y + 13, "whisker under"),
            straight(x.at(mean - error), y + 13, x.at(mean + error), y + 13, "whisker over"),
            words(_RIGHT + 12, y + 17, " ± ".join(spelled[place]), "tick"),
        ]
    body.append(straight(x.at(0), 4, x.at(0), bottom, "axis"))
    body += [words(x.at(tick), bottom + 17, name, "tick middle") for tick, name in x.named_ticks(3)]
    body.append(words((_LEFT + _RIGHT) / 2, frame.height - 7, f"loss of {metric} when shuffled", "name middle"))
    said = "; ".join(
        f"{name} ({kind}) {mean}, standard error {error}"
        for (name, kind, *_), (mean, error) in zip(known, spelled, strict=True)
    )
    return figure(body, frame, alt=f"What shuffling a column costs in {metric}: {said}.")


def _spelled(values: Sequence[tuple[float, float]]) -> list[tuple[str, str]]:
    """Return means and errors with as many decimals as the median error has two digits in."""
    errors = [error for _, error in values if math.isfinite(error) and error > 0]
    size = median(errors) if errors else 1e-3
    if not 1e-5 <= size < 1e3:
        return [(number(mean), rounded(error, 2)) for mean, error in values]
    places = max(0, 1 - math.floor(math.log10(size)))
    return [(fixed(mean, places), fixed(error, places)) for mean, error in values]


def _area(values: np.ndarray) -> str:
    """Say in which ninth of the picture a pixel carries most on average."""
    thirds = [np.array_split(part, 3, axis=1) for part in np.array_split(np.abs(values), 3, axis=0)]
    means = np.array([[part.mean() if part.size else 0.0 for part in line] for line in thirds])
    down, across = divmod(int(means.argmax()), 3)
    return _AREAS[down][across]


def _pieces(text: str, values: np.ndarray) -> Iterable[Piece]:
    """Cut a text into words, each with its shade, and what lies between them."""
    shown = _as_read(text)
    found = list(TOKEN.finditer(shown))[: len(values)]
    first, last = _window(values[: len(found)])
    if first:
        yield Piece("… ", "")
    end, top = found[first].start() if found else 0, float(np.abs(values).max(initial=0.0))
    for match, value in zip(found[first:last], values[first:last].tolist(), strict=True):
        if match.start() > end:
            yield Piece(shown[end : match.start()], "")
        yield Piece(_cut(match[0]), shade(value, top))
        end = match.end()
    if shown[end:].strip():
        yield Piece(" …", "")


def _as_read(text: str) -> str:
    """The text as it was written, unless a letter's lower case would divide its words otherwise: then as the model read it."""
    same = [one.lower() for one in TOKEN.findall(text)] == tokens_of(text)
    return re.sub(r"\s+", " ", text if same else text.lower())


def _window(values: np.ndarray) -> tuple[int, int]:
    """Return where the words that are shown begin and end: all, or those together that carry most."""
    if len(values) <= MOST_WORDS:
        return 0, len(values)
    sums = np.convolve(np.abs(values), np.ones(MOST_WORDS), "valid")
    first = int(sums.argmax())
    return first, first + MOST_WORDS


def _strongest(text: str, values: np.ndarray) -> str:
    """Say which words spoke most for the prediction and which against, each with the sum over its places."""
    sums: dict[str, float] = {}
    for token, value in zip(tokens_of(text), values.tolist(), strict=False):
        sums[token] = sums.get(token, 0.0) + value
    ranked = sorted(sums.items(), key=lambda one: -one[1])
    fors = [f"“{_cut(token)}” {gain(value)}" for token, value in ranked[:_STRONGEST] if value > 0]
    cons = [f"“{_cut(token)}” {gain(value)}" for token, value in ranked[::-1][:_STRONGEST] if value < 0]
    return f"For: {', '.join(fors) or 'no word'}. Against: {', '.join(cons) or 'no word'}."


def _cut(word: str) -> str:
    return word if len(word) <= LONGEST_WORD else f"{word[: LONGEST_WORD - 1]}…"
