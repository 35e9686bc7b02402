"""Windows of a forecast overlap, so its intervals draw blocks of time: they cover the truth, where single windows claim too much."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from automl.winner import sealed
from automl.winner.blocks import Blocks
from automl.winner.ensemble import select
from automl.winner.evidence import weigh
from automl.winner.gate import challenge
from automl.winner.sealed import Scores, bootstrap, paired_difference


def spans_of(moments: int, horizon: int, series: int = 1, stride: int = 1) -> np.ndarray:
    begun = np.tile(stride * np.arange(moments, dtype=float), series)
    return np.column_stack([begun, begun + horizon - 1, np.repeat(np.arange(series), moments)])


def wandering(rng: np.random.Generator, steps: int, share: float) -> np.ndarray:
    """An autoregressive series of one order (steps,), at rest from its beginning."""
    noise = rng.normal(size=steps + 100)
    for step in range(1, len(noise)):
        noise[step] += share * noise[step - 1]
    return noise[100:]


def scored(seed: int, moments: int, horizon: int, share: float = 0.7, series: int = 1, common: float = 0.0) -> Scores:
    """What the best forecast of such series, and the last value, get: windows one step apart."""
    rng = np.random.default_rng(seed)
    steps, found = moments + horizon, []
    together = wandering(rng, steps, share)
    for _ in range(series):
        values = np.sqrt(common) * together + np.sqrt(1 - common) * wandering(rng, steps, share)
        last, target = values[: moments + 1][:moments], sliding_window_view(values[1:], horizon)[:moments]
        best = last[:, None] * share ** np.arange(1, horizon + 1)
        found.append((target, best, np.repeat(last[:, None], horizon, axis=1)))
    target, best, naive = (np.concatenate(one) for one in zip(*found, strict=True))
    return Scores(target, {"model": best, "last_value": naive}, {}, spans_of(moments, horizon, series))


def coverage(repetitions: int, moments: int, horizon: int, **process: float) -> dict[str, tuple[float, float]]:
    """How often intervals of MAE, and of the difference to the last value, hold what 200 longer tests have in the mean."""
    long = [scored(10**6 + seed, 1000, horizon, **process) for seed in range(200)]  # type: ignore[arg-type]
    errors = [[np.abs(one.target - rows).mean() for rows in one.predictions.values()] for one in long]
    model, naive = np.mean(errors, axis=0)
    held = np.zeros((2, 2))
    for seed in range(repetitions):
        scores = scored(seed, moments, horizon, **process)  # type: ignore[arg-type]
        ours, theirs = scores.predictions.values()
        for row, spans in enumerate((None, scores.clusters)):
            alone = bootstrap("mae", scores.target, ours, seed=seed, clusters=spans)
            apart = paired_difference("mae", scores.target, ours, theirs, seed=seed, clusters=spans)
            held[row] += alone.low <= model <= alone.high, apart.low <= model - naive <= apart.high
    single, blocks = (held / repetitions).tolist()
    return {"windows": tuple(single), "blocks": tuple(blocks)}


def test_95_percent_intervals_of_forecasts_cover_the_truth_where_single_windows_do_not() -> None:
    truth, held = 1.0712, np.zeros(2)  # of 200 tests of 1,000 windows each
    for seed in range(80):
        scores = scored(seed, moments=100, horizon=12)
        for place, spans in enumerate((None, scores.clusters)):
            found = bootstrap("mae", scores.target, scores.predictions["model"], seed=seed, clusters=spans)
            held[place] += found.low <= truth <= found.high
    assert held[0] / 80 < 0.6
    assert held[1] / 80 >= 0.88


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("moments", "horizon", "process"),
    [
        (40, 6, {}),
        (40, 12, {}),
        (100, 12, {}),
        (400, 12, {}),
        (100, 12, {"share": 0.95}),
        (100, 12, {"series": 5, "common": 0.8}),
        (12, 12, {"series": 40}),
    ],
)
def test_coverage_over_many_tests(moments: int, horizon: int, process: dict[str, float]) -> None:
    found = coverage(1000, moments, horizon, **process)
    said = "; ".join(f"{name} MAE {alone:.3f}, difference {apart:.3f}" for name, (alone, apart) in found.items())
    print(f"{moments} moments, horizon {horizon}, {process}: {said}")
    assert found["windows"][0] < 0.85
    assert min(found["blocks"]) >= 0.88


def test_windows_of_one_moment_are_drawn_together() -> None:
    blocks = Blocks.of(spans_of(30, 4, series=3))
    counts = blocks.counts(50, np.random.default_rng(0)).reshape(50, 3, 30)
    assert (counts == counts[:, :1]).all()
    assert (counts[:, 0].sum(axis=1) == 30).all()
    assert (np.diff(counts[:, 0], axis=1) == 0).mean() > 0.7  # neighbours come together


@pytest.mark.parametrize(
    ("spans", "length"),
    [
        (spans_of(100, 6), 12),  # two windows
        (spans_of(100, 1), 5),  # the cube root: errors of one step are alike too
        (spans_of(40, 8), 10),  # four blocks
        (spans_of(40, 12), 12),  # one window at least
        (spans_of(60, 12, stride=4), 6),  # three of them overlap
        (spans_of(10, 8), 5),  # two blocks, and so an interval that says little
    ],
)
def test_a_block_is_as_long_as_windows_overlap(spans: np.ndarray, length: int) -> None:
    assert Blocks.of(spans).length == length


def test_few_moments_of_many_series_are_drawn_by_series() -> None:
    blocks = Blocks.of(spans_of(8, 12, series=40))
    assert (blocks.units, blocks.length) == (40, 1)
    counts = blocks.counts(5, np.random.default_rng(0)).reshape(5, 40, 8)
    assert (counts == counts[:, :, :1]).all()
    assert Blocks.of(spans_of(8, 12, series=5)).units == 8


def test_few_blocks_widen_an_interval_and_many_hardly() -> None:
    few, many = Blocks.of(spans_of(24, 12)), Blocks.of(spans_of(2000, 2))
    assert few.widening > 5
    assert many.widening == pytest.approx(1.0, abs=0.02)


def test_a_widened_interval_stays_within_what_the_metric_can_be() -> None:
    target, prediction = np.zeros((24, 12)), np.abs(np.random.default_rng(0).normal(size=(24, 12)))
    prediction[:12] *= 5
    assert bootstrap("mae", target, prediction, seed=0, clusters=spans_of(24, 12)).low == 0.0
    noisy = np.random.default_rng(1).normal(size=(24, 12))
    assert bootstrap("r2", noisy, noisy + prediction / 9, seed=0, clusters=spans_of(24, 12)).high == 1.0


def test_verdict_and_gate_judge_by_blocks() -> None:
    scores = scored(3, moments=60, horizon=12)
    ours, theirs = scores.predictions.values()
    scores = Scores(scores.target, {"model": ours, "default": theirs, "champion": theirs}, {}, scores.clusters)
    expected = paired_difference("mae", scores.target, theirs, ours, seed=0, clusters=scores.clusters)
    single = paired_difference("mae", scores.target, theirs, ours, seed=0)
    assert expected.high - expected.low > 1.5 * (single.high - single.low)
    found = weigh("mae", "minimize", scores, seed=0)
    assert found.test == bootstrap("mae", scores.target, ours, seed=0, clusters=scores.clusters)
    assert found.gains["default"].low == pytest.approx(expected.low)
    gain = challenge("mae", "minimize", scores, {"version": 1}, "", seed=0).gain
    assert gain is not None
    assert gain.low == pytest.approx(expected.low)


def test_an_ensemble_is_chosen_by_other_stretches_of_time() -> None:
    spans = spans_of(50, 5, series=2)
    fifth = Blocks.of(spans).stretches(5)
    assert np.array_equal(fifth, np.tile(np.repeat(np.arange(5), 10), 2))
    target = np.repeat(np.square(np.arange(50) / 50), 5).reshape(50, 5)
    low, high = np.zeros((100, 5)), np.ones((100, 5))
    found = select("rmse", "minimize", np.concatenate([target, target]), [low, high], seed=0, clusters=spans)
    mixed = [found.held_out[fifth == place] for place in range(5)]
    assert all(np.ptp(rows) == 0 for rows in mixed)
    assert mixed[0].max() > mixed[4].max()  # without the newest fifth less speaks for the higher one


def grouped(seed: int, groups: int = 40, rows: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors of which nine tenths of the variance are the group's: (errors, zeros, groups)."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), rows)
    errors = 3 * rng.normal(size=groups)[group] + rng.normal(size=groups * rows)
    return errors, np.zeros(groups * rows), group


def test_rows_of_a_group_are_drawn_together_so_that_the_interval_covers_the_truth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealed, "RESAMPLES", 300)
    truth = math.sqrt(10 * 2 / math.pi)  # the mean of |N(0, 10)|
    covered = np.zeros(2)
    for seed in range(100):
        errors, zeros, group = grouped(seed)
        for place, clusters in enumerate((None, group)):
            found = bootstrap("mae", errors, zeros, seed=seed, clusters=clusters)
            covered[place] += found.low <= truth <= found.high
    assert covered[0] < 70
    assert 88 <= covered[1] <= 99


def test_of_many_grouped_rows_whole_groups_are_kept_and_the_interval_is_as_narrow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors, zeros, group = grouped(0, groups=400)
    whole = bootstrap("mae", errors, zeros, seed=0, clusters=group)
    monkeypatch.setattr(sealed, "_MOST_ROWS", 805)
    some = bootstrap("mae", errors, zeros, seed=0, clusters=group)
    assert some.value == whole.value
    assert some.high - some.low == pytest.approx(whole.high - whole.low, rel=0.25)
    blocks, kept = Blocks.of(group).first(805)
    assert (blocks.units, int(kept.sum())) == (100, 800)
