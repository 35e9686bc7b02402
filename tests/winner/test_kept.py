"""What trials predicted is read where it is whole; a file that is gone or damaged is one prediction less."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from automl.ledger import Attempt
from automl.messages import Artifact, Outcome
from automl.winner.kept import of_trial


@pytest.mark.parametrize(("content", "found"), [(None, 0), (b"", 0), (b"PK\x03\x04 no archive", 0), (b"\x93NUMPY", 0)])
def test_predictions_that_cannot_be_read_are_none(tmp_path: Path, content: bytes | None, found: int) -> None:
    if content is not None:
        (tmp_path / "kept.npy").write_bytes(content)
    assert len(of_trial(*_kept(tmp_path))) == found


def test_predictions_that_are_there_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "kept.npy", np.arange(3))
    (read,) = of_trial(*_kept(tmp_path))
    assert read.tolist() == [0, 1, 2]


def _kept(root: Path) -> tuple[SimpleNamespace, Attempt]:
    outcome = Outcome("trial-0-0-0", 0, "complete", artifacts={"predictions": Artifact("kept.npy", "0" * 64, 1)})
    attempt = Attempt("trial", 0, 0, 0, "mlp", {}, 0, state="complete", outcome=outcome)
    return SimpleNamespace(folder=SimpleNamespace(root=root)), attempt
