"""B13 of the fault tables: a disk that is full. Other trouble with disks: see `test_disks.py`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import faultlib
import pytest
from faultlib import HERE, LEFT_OUT, Start, automl, finals, ledger_rows
from toy import Toy, assert_resumes_to_the_end


def start_on_tmpfs(folder: Path, size: str) -> tuple[int, str, Path]:
    """Run a long toy search on a disk that fills up, then with room; returns (first exit code, stderr, its files)."""
    state, copy = folder / ".automl", folder / "copy"
    state.mkdir()
    choices = {"families": ["bowl"], "families_from": faultlib.add_family(folder / "families"), "max_epochs": 3}
    config = {
        "config": {**choices, "tracking": False, "workers": 2, "pruner": "none", "budget": {"trials": 400}},
        "rows": 120,
    }
    script = (
        f"mount -t tmpfs -o size={size} none {state} || exit 77\n"
        f"{sys.executable} {HERE}/faultlib.py '{json.dumps(config)}' > first.out 2> first.err; echo $? > first.code\n"
        f"mount -o remount,size=200m {state}\n"
        f"{sys.executable} {HERE}/faultlib.py '{json.dumps(config)}' > second.out 2> second.err; echo $? > second.code\n"
        f"cp -r {state} {copy}\n"
    )
    path = os.pathsep.join((str(HERE), str(HERE.parent)))
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        timeout=100,
    )
    if done.returncode == 77:
        pytest.skip("may not mount")
    return int((folder / "first.code").read_text()), (folder / "first.err").read_text(), copy / "searches" / "toy-0"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root and unshare")
def test_a_full_disk_ends_the_search_and_with_room_it_goes_on(tmp_path: Path) -> None:
    """B13: ledger, result files and logs on a disk of a megabyte."""
    code, said, search = start_on_tmpfs(tmp_path, "1m")
    assert code == 5, said
    assert "error: disk full: " in said
    assert "Traceback" not in said
    assert (tmp_path / "second.code").read_text().strip() == str(LEFT_OUT), (tmp_path / "second.err").read_text()
    assert finals(search) == list(range(400))
    assert ledger_rows(search, "SELECT count(*) FROM attempt WHERE state IN ('failed', 'lost') AND kind = 'trial'") == [
        (0,)
    ]


@pytest.mark.slow
def test_a_file_that_may_not_grow_ends_the_search_and_with_room_it_goes_on(start: Start, toy: Toy) -> None:
    """B13 without root: the limit on the size of a file stands for the disk."""
    import resource

    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))}
    search = start(budget={"trials": 200}, popen=limit)
    assert search.end() == 5, search.errors
    assert "error: disk full: " in search.errors
    assert "Traceback" not in search.errors
    assert_resumes_to_the_end(toy, slots=200)


FULL = """
import errno
from lightning_modules.mlp import Module as Mlp


class Module(Mlp):
    def __init__(self, spec, *, x, kind):
        raise OSError(errno.ENOSPC, "No space left on device")
"""


@pytest.mark.slow
def test_a_worker_that_finds_the_disk_full_costs_no_slot(tmp_path: Path) -> None:
    """B13: weights and predictions are written by workers; the disk is no verdict on a point."""
    families = faultlib.add_family(tmp_path / "families", module=FULL)
    flags = ("--families-from", families, "--families", "bowl", "--trials", "2", "--no-tracking")
    done = automl("search", "wine", *flags, cwd=tmp_path)
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1].startswith("error: disk full: ")
    folder = tmp_path / ".automl" / "searches" / "wine-0"
    assert ledger_rows(folder, "SELECT DISTINCT state, final FROM attempt") == [("open", 0)]
