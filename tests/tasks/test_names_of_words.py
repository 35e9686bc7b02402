"""Names that are made of words which others have too are read as text; what only names a row stays an id."""

from __future__ import annotations

import hashlib
import uuid

import numpy as np
import pyarrow as pa
import pytest

from automl.tasks import Column
from automl.tasks.own.columns import infer_column

RNG = np.random.default_rng(0)
FIRST, SECOND = ("python3", "lib", "ruby", "golang", "node"), ("dev", "doc", "common", "data", "tests")


def taken(cells: list[str]) -> Column:
    return infer_column("name", pa.chunked_array([cells]))


@pytest.mark.parametrize(
    "form",
    ["{0}-x{2}-{1}", "ann{2}@{0}.{1}", "https://{0}.org/{1}/{2}", "/usr/{0}/{1}/file{2}.txt", "{0}.{1}.Class{2}"],
)
def test_names_made_of_words_are_text(form: str) -> None:
    cells = [form.format(FIRST[place % 5], SECOND[place % 7 % 5], place) for place in range(500)]
    found = taken(cells)
    assert (found.kind, found.why) == ("text", "names made of words: 500 different")


@pytest.mark.parametrize(
    "write",
    [
        lambda place: str(uuid.UUID(bytes=RNG.bytes(16), version=4)),
        lambda place: hashlib.sha256(str(place).encode()).hexdigest(),
        lambda place: f"ORD-2024-{place:04d}",
        lambda place: f"A{place:06d}",
        lambda place: ":".join(f"{byte:02X}" for byte in RNG.bytes(6)),
        lambda place: ".".join(str(byte) for byte in RNG.bytes(4)),
    ],
)
def test_what_only_names_a_row_stays_an_id(write: object) -> None:
    assert taken([write(place) for place in range(2000)]).kind == "left out"  # type: ignore[operator]


def test_names_that_are_often_repeated_stay_a_category() -> None:
    assert taken([f"{FIRST[place % 5]}-{SECOND[place % 25 // 5]}" for place in range(500)]).kind == "category"
