"""Who is confirmed, and who wins: the smallest within one standard error of the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import stubs

from automl.coordinator.deadline import Deadline
from automl.ledger import Attempt
from automl.messages import Artifact, Outcome
from automl.winner.confirm import MOST_RIVALS, Candidate, Scored, WinnerWork, fresh_seed, has_longest

WORK = WinnerWork(stubs.SPEC, stubs.DATA, "accuracy", "maximize", seed=0, seeds=3)


def trial(slot: int, value: float | None, *, family: str = "mlp", steps: int = 10, size: int = 100) -> Attempt:
    weights = {"weights": Artifact(f"artifacts/{slot}", "0" * 64, size)}
    state = "complete" if value is not None else "pruned"
    outcome = Outcome(f"trial-{slot}-0-0", 0, state, value=value, best_step=steps, steps=steps, artifacts=weights)
    return Attempt(
        "trial", slot, 0, 0, family, {"x": slot}, slot, state=state, final=True, value=value, outcome=outcome
    )


def slots(trials: Sequence[Attempt]) -> list[int]:
    return [rival.slot for rival in WORK.rivals(trials)]


def test_a_short_search_confirms_the_best_and_its_familys_default() -> None:
    assert slots([trial(0, 0.8), trial(1, 0.7, family="cnn"), trial(2, 0.9), trial(3, 0.85)]) == [2, 0]


def test_a_long_search_confirms_the_next_best_and_their_defaults_as_well() -> None:
    rest = [trial(slot, None, steps=5) for slot in range(4, 120)]
    assert slots([trial(0, 0.8), trial(1, 0.7, family="cnn"), trial(2, 0.9), trial(3, 0.85, family="cnn"), *rest]) == [
        2, 0, 3, 1,
    ]  # fmt: skip


def test_confirmations_stay_within_their_share_of_the_epochs() -> None:
    trials = [trial(slot, 0.9 - slot / 1000) for slot in range(40)]
    assert slots(trials) == [0, 1, 2]  # 400 epochs; a quarter pays for three rivals of 3 x 10
    assert len(slots([trial(slot, 0.9 - slot / 1000) for slot in range(400)])) == MOST_RIVALS


def test_the_same_point_is_not_confirmed_twice() -> None:
    twins = [trial(slot, 0.9 - slot / 1000) for slot in range(90)]
    twins[1] = Attempt(**{**{f: getattr(twins[1], f) for f in Attempt.__slots__}, "params": {"x": 0}})
    assert slots(twins)[:3] == [0, 2, 3]


def test_what_one_row_would_change_is_a_tie_that_the_loss_decides() -> None:
    def lossy(slot: int, value: float, loss: float) -> Attempt:
        one = trial(slot, value)
        assert one.outcome is not None
        return replace(one, outcome=replace(one.outcome, values={"loss": loss}))

    trials = [lossy(0, 0.99, 0.1), lossy(1, 1.0, 0.5), lossy(2, 0.97, 0.0)]
    for rows, best in ((50, 0), (1000, 1)):
        first, *_ = replace(WORK, spec=replace(stubs.SPEC, rows=rows)).rivals(trials)
        assert first is trials[best]
    numbers = replace(WORK, direction="minimize", spec=replace(stubs.SPEC, rows=50, classes=0))
    assert numbers.rivals(trials)[0] is trials[2]


def test_a_default_that_was_lost_and_tried_again_is_still_the_default() -> None:
    assert slots([trial(1, 0.7), trial(2, 0.9), trial(0, 0.8)]) == [2, 0]


def test_a_default_that_did_not_complete_is_no_rival() -> None:
    assert slots([trial(0, None), trial(1, 0.9)]) == [1]


def test_fresh_seeds_are_the_same_for_all_and_none_is_used_twice() -> None:
    confirmations = WORK.confirmations([trial(5, 0.9), trial(0, 0.8)], range(3))
    seeds = {one: [a.seed for a in confirmations if a.slot == one] for one in (5, 0)}
    assert seeds[5] == seeds[0]
    assert len(set(seeds[5])) == 3
    assert {WORK.describe(a).members[0].seed for a in confirmations} == set(seeds[5])


def test_with_folds_each_fresh_seed_is_validated_on_another_fold_than_the_first() -> None:
    work = replace(WORK, data=replace(stubs.DATA, folds=5))
    confirmations = work.confirmations([trial(0, 0.9)], range(3))
    assert [work.describe(attempt).folds for attempt in confirmations] == [(1,), (2,), (3,)]
    assert [WORK.describe(attempt).folds for attempt in confirmations] == [()] * 3


def timed(seconds: float | None, folds: int = 0) -> WinnerWork:
    deadline = Deadline(seconds, started=0.0, workers=1, direction="maximize", folds=folds)
    return replace(WORK, deadline=deadline, data=replace(stubs.DATA, folds=folds))


def test_a_confirmation_with_other_time_is_other_work_on_the_same_seeds_and_folds() -> None:
    one, other = timed(60.0, folds=5), timed(600.0, folds=5)
    short, long = (work.confirmations([trial(0, 0.9)], range(3)) for work in (one, other))
    assert len({attempt.work for attempt in (*short, *long)}) == 6
    assert [a.seed for a in short] == [a.seed for a in long]
    assert [fresh_seed(a) for a in short] == [0, 1, 2]
    assert [one.describe(a).folds for a in short] == [other.describe(a).folds for a in long] == [(1,), (2,), (3,)]
    assert [has_longest(short[0], work.deadline.longest_fit) for work in (one, other) if work.deadline] == [True, False]


def test_values_of_a_confirmation_with_other_time_are_not_taken_for_this_ones() -> None:
    short, long, one = timed(60.0), timed(600.0), trial(0, 0.9)
    outcomes = {
        a.work: Outcome(a.key, 0, "complete", value=0.5, best_step=3) for a in short.confirmations([one], range(2))
    }
    assert short.candidate(one, outcomes).values == (0.5, 0.5)
    assert long.candidate(one, outcomes).values == ()


def test_without_a_time_confirmations_and_baselines_keep_their_keys() -> None:
    for work in (WORK, timed(None)):
        confirmations = work.confirmations([trial(4, 0.9)], range(3))
        assert [a.work for a in confirmations] == [("confirm", 4, part) for part in range(3)]
        assert work.baselines().work == ("baselines", 0, 0)
    stored = Attempt("confirm", 4, 2, 0, "mlp", {}, 0)  # by an older version
    assert (fresh_seed(stored), has_longest(stored, None), has_longest(stored, 9.0)) == (2, True, False)


def test_baselines_with_other_time_are_other_work() -> None:
    assert len({timed(seconds).baselines().work for seconds in (None, 60.0, 600.0)}) == 3


def candidate(slot: int, *values: float, size: int = 100) -> Candidate:
    return Candidate(trial(slot, 0.9, size=size), values, 10)


def test_the_best_mean_wins_when_it_is_clear() -> None:
    best = candidate(5, 0.95, 0.951, 0.949, size=900)
    assert WORK.choose([best, candidate(0, 0.9, 0.901, 0.899)]) is best


def test_the_smaller_one_wins_within_one_standard_error() -> None:
    small = candidate(0, 0.89, 0.92, 0.93)
    assert WORK.choose([candidate(5, 0.9, 0.92, 0.94, size=900), small]) is small


def test_equals_in_all_go_to_the_earlier_slot() -> None:
    default = candidate(0, 0.9, 0.9, 0.9)
    assert WORK.choose([candidate(5, 0.9, 0.9, 0.9), default]) is default


def test_more_seeds_tell_closer_values_apart() -> None:
    """The standard error is that of a mean: of nine seeds a third of their spread, of two nearly all of it."""
    few, many = ((0.90, 0.94), (0.94, 0.90)), ((0.90, 0.94) * 4 + (0.92,), (0.94, 0.90) * 4 + (0.92,))
    for values, wins in ((few, 0), (many, 5)):
        better = candidate(5, *(value + 0.012 for value in values[0]), size=900)
        assert WORK.choose([better, candidate(0, *values[1])]).attempt.slot == wins


def test_a_rival_with_fewer_seeds_does_not_count() -> None:
    best = candidate(5, 0.9, 0.91, 0.9)
    assert WORK.choose([best, candidate(0, 0.99)]) is best


def test_errors_are_better_when_lower() -> None:
    work = WinnerWork(stubs.SPEC, stubs.DATA, "rmse", "minimize", seed=0, seeds=3)
    best = candidate(5, 1.0, 1.1, 1.05)
    assert work.choose([candidate(0, 2.0, 2.1, 2.05), best]) is best


def test_without_confirmation_the_best_trial_wins() -> None:
    best = candidate(5)
    assert WORK.choose([best]) is best


def test_two_seeds_come_first_then_the_others() -> None:
    several = [trial(slot, 0.9) for slot in range(3)]
    assert [list(parts) for parts in WORK.rounds(several)] == [[0, 1], [2]]
    assert [attempt.part for attempt in WORK.confirmations([trial(3, 0.9), trial(0, 0.8)], range(2))] == [0, 0, 1, 1]


def test_a_winner_that_has_only_its_default_to_beat_is_given_up_after_one_seed() -> None:
    pair, folds = [trial(3, 0.9), trial(0, 0.8)], replace(WORK, data=replace(stubs.DATA, folds=5))
    assert [list(parts) for parts in WORK.rounds(pair)] == [[0], [1, 2]]
    assert [list(parts) for parts in replace(WORK, seeds=1).rounds(pair)] == [[0]]
    assert [list(parts) for parts in folds.rounds(pair)] == [[0, 1], [2]]  # one fold of a few rows says little


def test_another_seed_is_spent_only_while_the_winner_leads_its_default() -> None:
    default, ahead, behind = candidate(0, 0.9, 0.9), candidate(5, 0.95, 0.95), candidate(5, 0.8, 0.8)
    trials = [default.attempt, ahead.attempt]
    assert WORK.is_open([ahead, default], trials)
    assert not WORK.is_open([behind, default], trials)
    assert not WORK.is_open([candidate(5, 0.9, 0.9), default], trials)


def test_the_default_is_scored_in_the_same_reading_and_only_there() -> None:
    winner, default = candidate(5, 0.9), candidate(0, 0.8)
    scored = [Scored(winner.attempt, "w"), Scored(default.attempt, "d", "default")]
    export, score = (WORK.describe(attempt) for attempt in WORK.finishing(winner, scored))
    assert [member.resume_from for member in export.members] == ["w"]
    assert [(member.slot, member.resume_from) for member in score.members] == [(5, "w"), (0, "d")]


def test_no_work_but_the_score_is_granted_the_test_rows() -> None:
    winner = candidate(5, 0.9)
    export, score = WORK.finishing(winner, [Scored(winner.attempt, "w")])
    (confirmation,) = WORK.confirmations([winner.attempt], range(1))
    sealed = [confirmation, WORK.refit(winner.attempt, 4), export]
    assert {WORK.describe(one).data.parts for one in sealed} == {("train", "validation")}
    assert WORK.describe(WORK.baselines()).data.parts == ("train", "validation", "test inputs")
    assert WORK.describe(score).data.parts == ("train", "validation", "test")


def test_another_model_of_the_same_slot_is_another_piece_of_work() -> None:
    winner, other = candidate(5, 0.9), trial(7, 0.9)
    single = [Scored(winner.attempt, "w")]
    several = [Scored(winner.attempt, "w", weight=0.5), Scored(other, "o", weight=0.5)]
    refitted = [Scored(winner.attempt, "w2")]
    choices = ((single,), (single, 2.0), (several,), (refitted,))
    works = [WORK.finishing(winner, *choice)[0].work for choice in choices]
    assert len(set(works)) == 4
    assert WORK.finishing(winner, several)[0].work == works[2]


def test_how_long_may_be_explained_is_asked_when_the_test_rows_are_about_to_be_read() -> None:
    now = [24.5]
    work = replace(WORK, deadline=Deadline(30.0, started=0.0, workers=2, direction="maximize", clock=lambda: now[0]))
    winner = Candidate(trial(1, 0.9), (0.9,), 4)
    export, score = work.finishing(winner, [Scored(winner.attempt, "w")])
    assert [work.describe(one).explaining for one in (export, score)] == [None, 2.0]
    now[0] = 26.0
    assert work.describe(score).explaining == 0.5
    assert WORK.describe(score).explaining is None
