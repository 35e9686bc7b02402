"""What an encoder learned is applied to new cells: finite numbers of a fixed shape, whatever comes."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pytest
from mixed_rows import ENCODERS, ROWS, cells

from automl.data.fitting import MOST_LEVELS, fit_column, fit_words, longest_read
from automl.encoding import (
    Category,
    CellError,
    Date,
    Encoder,
    Grid,
    Text,
    Words,
    encode,
    encoder_from,
    terms_of,
    tokens_of,
)
from automl.tasks import Column


def fitted(kind: str, values: np.ndarray, **more: tuple[str, ...]) -> Encoder:
    return fit_column(Column("c", kind, **more), values)


def test_numbers_are_scaled_and_gaps_marked() -> None:
    encoder = fitted("number", np.array([1.0, 3.0, np.nan]))
    assert encoder.encode(np.array([1.0, 3.0, np.nan])).tolist() == [[-1, 0], [1, 0], [0, 1]]  # type: ignore[union-attr]


def test_numbers_with_heavy_tails_are_scaled_by_their_ranks() -> None:
    values = np.exp(np.random.default_rng(0).normal(0, 3, 2000))
    encoded = fitted("number", values).encode(values)[:, 0]  # type: ignore[union-attr]
    assert np.abs(encoded).max() < 4
    assert abs(encoded.std() - 1) < 0.05
    assert (np.diff(encoded[np.argsort(values)]) >= 0).all()


@pytest.mark.parametrize("value", [1e300, -1e300, 1e39, 5e-324])
def test_a_new_number_of_any_size_stays_finite(value: float) -> None:
    for values in (np.arange(20.0), np.full(20, 5.0), np.array([0.0] * 19 + [1e-30])):
        encoded = encode([fitted("number", values)], {"c": np.array([value, -value])})
        assert np.isfinite(encoded).all()


def test_an_unseen_and_a_missing_word_share_a_code() -> None:
    encoder = Category("c", ("a", "b"))
    assert encoder.encode(cells("b", "a", "new", None, "", "NaN")).ravel().tolist() == [2, 1, 0, 0, 0, 0]


def test_a_word_that_differs_by_capitals_alone_is_the_same_level() -> None:
    encoder = Category("c", ("TRUE", "FALSE", "Oslo", "oslo"))
    assert encoder.encode(cells("True", False, "oslo", "OSLO", "new")).ravel().tolist() == [1, 2, 4, 3, 0]


def test_levels_are_bounded_and_the_commonest_come_first() -> None:
    values = cells(*[f"w{place % 3000}" for place in range(9000)], "w2999")
    encoder = fitted("category", values)
    assert isinstance(encoder, Category)
    assert (len(encoder.levels), encoder.levels[0]) == (MOST_LEVELS, "w2999")


def test_one_moment_in_three_zones_is_one_date() -> None:
    written = cells(
        "2021-06-02T05:23:56+02:00", "2021-06-02T03:23:56Z", "2021-06-01T22:23:56-05:00", "2021-06-02 03:23:56"
    )
    encoder = fitted("date", written, formats=("iso",))
    assert isinstance(encoder, Date)
    assert len(set(encoder.seconds(written).tolist())) == 1
    assert len(set(Date("c", ("iso",)).seconds(written).tolist())) == 3  # as models of before were trained


def test_a_date_turns_with_the_year_and_the_week() -> None:
    encoder = fitted("date", cells("2026-01-05", "2026-06-01", None), formats=("iso",))
    assert isinstance(encoder, Date)
    encoded = encoder.encode(cells("2026-01-05", "2026-01-12", "NA"))
    assert encoded.shape == (3, len(encoder.cardinalities)) == (3, 6)
    assert np.allclose(encoded[0, 3:5], encoded[1, 3:5], atol=1e-6)  # the same day of the week
    assert encoded[2].tolist() == [0, 0, 0, 0, 0, 1]


def test_a_cell_that_is_no_date_has_its_row() -> None:
    with pytest.raises(CellError, match="column 'c', row 2: 'soon' is not a date"):
        Date("c", ("iso",)).encode(cells("2026-01-01", "soon"))


def test_text_becomes_few_numbers_and_unknown_words_none() -> None:
    texts = [
        f"the {color} fox number {row} runs {pace}"
        for row, (color, pace) in enumerate([("red", "fast"), ("blue", "slow")] * 20)
    ]
    encoder = fitted("text", cells(*texts))
    assert isinstance(encoder, Text)
    encoded = encoder.encode(cells(texts[0], "", None, "zzz qqq"))
    assert encoded.shape == (4, len(encoder.cardinalities))
    assert np.isfinite(encoded).all()
    assert encoded[1:3, :-1].tolist() == [[0.0] * (encoded.shape[1] - 1)] * 2


@pytest.mark.parametrize(
    "values", [("one", "two", "three"), (None, None, None), ("same text", "same text", "same text")]
)
def test_text_in_which_nothing_varies_still_encodes(values: tuple[str | None, ...]) -> None:
    encoded = encode([fitted("text", cells(*values))], {"c": cells("one", None)})
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't stop, naïve_1 Ω!", ["don", "'", "t", "stop", ",", "naïve_1", "ω", "!"]),
        ("我喜欢iPhone手机。", ["我", "喜", "欢", "iphone", "手", "机", "。"]),
        ("東京タワーへ", ["東", "京", "タ", "ワ", "ー", "へ"]),
        ("ดีมาก 10", ["ด", "ี", "ม", "า", "ก", "10"]),
        ("서울 타워", ["서울", "타워"]),
    ],
)
def test_where_no_spaces_stand_between_words_each_character_is_one(text: str, tokens: list[str]) -> None:
    found = [token for token in tokens if token.isalnum() or len(token) > 1 or token == "ี"]
    assert tokens_of(text) == tokens
    assert terms_of(text) == found + [" ".join(pair) for pair in itertools.pairwise(found)]


def test_words_are_cut_and_filled_up() -> None:
    encoder = fit_words(Column("c", "text"), cells(*["a b c d"] * 10))
    assert isinstance(encoder, Words)
    assert encoder.encode(cells("a zzz", None)).tolist() == [[2, 1, 0, 0, 0, 0, 0, 0], [0] * 8]
    assert encoder.encode(cells("a " * 100)).shape == (1, encoder.length)


def test_a_text_is_read_as_far_as_all_together_can_be_afforded() -> None:
    assert fit_words(Column("c", "text"), cells(*["so " * 2500] * 40)).length == 2500
    assert [longest_read(texts, 160) for texts in (0, 2000, 10_000, 100_000)] == [3000, 3000, 838, 160]


def test_rows_encode_alone_as_they_do_together() -> None:
    together = encode(ENCODERS, ROWS)
    for row in range(3):
        alone = encode(ENCODERS, {name: column[row : row + 1] for name, column in ROWS.items()})
        assert np.array_equal(alone[0], together[row])


@pytest.mark.parametrize("one", [*ENCODERS, Words("s", ("a",), 8), Grid(("p", "q"), (1, 1, 2), (0.0,), (1.0,))])
def test_an_encoder_is_rebuilt_from_its_fields(one: Encoder) -> None:
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(one).items()}
    assert encoder_from({"kind": one.kind, **fields}) == one


def test_a_number_is_encoded_as_its_column_is_written_and_travels_so() -> None:
    column = fit_column(Column("c", "number", spelling=",€"), np.array([1.0, 3.0]))
    assert encoder_from(json.loads(json.dumps({"kind": "number", **dataclasses.asdict(column)}))) == column
    assert column.encode(cells("3,00 €", "1")).tolist() == [[1.0], [-1.0]]
    with pytest.raises(CellError, match=r"'3.5 €' is not a number written as 1234,5, with or without €$"):
        column.encode(cells("3.5 €"))


@pytest.mark.parametrize(
    ("spelling", "wanted"),
    [
        ("", "a finite number"),
        (",", "a number written as 1234,5"),
        (".%", "a number written as 1234.5%"),
        (":", "a duration written as 12:34:56"),
    ],
)
def test_a_cell_that_is_no_number_is_told_how_its_column_is_written(spelling: str, wanted: str) -> None:
    column = fit_column(Column("c", "number", spelling=spelling), np.array([1.0, 3.0]))
    with pytest.raises(CellError, match=f"'lots' is not {wanted}$"):
        column.encode(cells("lots"))


def test_a_date_as_a_parquet_file_spells_it_is_read_whatever_the_format() -> None:
    column = Date("d", ("%d.%m.%Y",), scale=86_400.0)
    assert column.encode(cells("02.01.1970", "1970-01-02"))[:, 0].tolist() == [1.0, 1.0]
