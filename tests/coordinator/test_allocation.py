"""Which family gets the next slot: a function of what happened, and of nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from automl.coordinator.allocation import Allocation
from automl.ledger import Attempt
from automl.messages import Outcome, State


def trial(family: str, value: float, seconds: float = 1.0, state: State = "complete") -> Attempt:
    outcome = Outcome("trial", 0, state, value=value, cost={"seconds": seconds})
    return Attempt("trial", 0, 0, 0, family, {}, 0, state=state, final=True, value=value, outcome=outcome)


def spend(
    slots: int,
    value_of: Callable[[str, int], float],
    families: str = "abc",
    direction: str = "minimize",
    seconds: dict[str, float] | None = None,
) -> list[str]:
    """Give slots one after another; each family's values follow `value_of(family, its slots so far)`."""
    allocation, given, counts = Allocation(families, direction, by_time=seconds is not None), [], Counter[str]()
    for _ in range(slots):
        family = allocation.next_family(families)
        allocation.give(family)
        allocation.learn(trial(family, value_of(family, counts[family]), (seconds or {}).get(family, 1.0)))
        counts[family] += 1
        given.append(family)
    return given


def level(family: str, _: int) -> float:
    return {"a": 1.0, "b": 2.0, "c": 3.0}[family]


def test_each_family_comes_once_before_any_comes_twice() -> None:
    assert spend(3, level) == ["a", "b", "c"]


def test_shares_are_equal_until_each_had_five() -> None:
    assert Counter(spend(15, level)) == {"a": 5, "b": 5, "c": 5}


def test_the_better_family_gets_most_and_none_less_than_a_quarter_of_it() -> None:
    counts = Counter(spend(600, level))
    assert counts["a"] > 2 * counts["b"]
    assert min(counts["b"], counts["c"]) >= counts["a"] // 4 - 2


def test_the_direction_turns_the_order() -> None:
    assert Counter(spend(300, level, direction="maximize")).most_common(1)[0][0] == "c"


def test_a_family_that_begins_to_win_takes_over() -> None:
    given = spend(600, lambda family, slots: 1.0 if family == "a" else 2.0 if slots < 40 else 0.5, "ab")
    assert Counter(given[:80])["a"] > 50
    assert Counter(given[-200:])["b"] > 120


def test_a_raised_budget_continues_the_same_sequence() -> None:
    assert spend(400, level)[:100] == spend(100, level)


def test_equal_families_share_equally() -> None:
    counts = Counter(spend(300, lambda family, slots: slots % 7))
    assert max(counts.values()) - min(counts.values()) <= 15


def test_failures_alone_leave_equal_shares() -> None:
    allocation, counts = Allocation("ab", "minimize"), Counter[str]()
    for _ in range(40):
        family = allocation.next_family("ab")
        allocation.give(family)
        counts[family] += 1
    assert counts == {"a": 20, "b": 20}


def test_under_a_budget_of_time_equal_families_get_equal_seconds() -> None:
    counts = Counter(spend(600, lambda family, slots: slots % 7, seconds={"a": 1.0, "b": 4.0, "c": 20.0}))
    assert counts["a"] == pytest.approx(4 * counts["b"], rel=0.2)
    assert counts["b"] == pytest.approx(5 * counts["c"], rel=0.2)


def test_a_slow_family_that_leads_gets_most_of_the_time() -> None:
    counts = Counter(spend(600, level, seconds={"a": 10.0, "b": 1.0, "c": 1.0}))
    assert 10 * counts["a"] > 1.5 * (counts["b"] + counts["c"])


def test_slots_that_still_run_count_by_what_others_took() -> None:
    allocation = Allocation("ab", "minimize", by_time=True)
    for family in "ab":
        allocation.give(family)
    allocation.learn(trial("a", 1.0, seconds=2.0))
    given = []
    for _ in range(4):  # nothing ends meanwhile: b's first slot is taken to last as long as a's did
        given.append(allocation.next_family("ab"))
        allocation.give(given[-1])
    assert given == ["a", "b", "a", "b"]


def test_a_value_at_which_a_trial_was_stopped_is_compared_with_none() -> None:
    allocation = Allocation("ab", "minimize")
    for _ in range(10):
        for ended in (trial("a", 0.0, state="pruned"), trial("b", 1.0)):
            allocation.give(ended.family)
            allocation.learn(ended)
    given = []
    for _ in range(10):
        given.append(allocation.next_family("ab"))
        allocation.give(given[-1])
    assert set(given) == {"b"}


def test_an_exhausted_family_gets_nothing() -> None:
    allocation = Allocation("ab", "minimize")
    for _ in range(20):
        assert allocation.next_family(["b"]) == "b"
        allocation.give("b")
