"""Group B of the fault tables: disks that are read-only, out of inodes, or fail to flush; and one that only MLflow writes to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import faultlib
import pytest
from faultlib import HERE, LEFT_OUT, finals, ledger_rows
from toy import Toy

MAY_MOUNT = pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root and unshare")
WINE = "search wine --families mlp --max-epochs 2 --trials 1 --set mlp.width=16 --set mlp.depth=1"


def command_of(folder: Path, trials: int) -> str:
    """Arguments of the toy search, as a shell takes them."""
    choices = {"families": ["bowl"], "families_from": faultlib.add_family(folder / "families"), "max_epochs": 3}
    config = {
        **choices,
        "tracking": False,
        "workers": 2,
        "pruner": "none",
        "confirm_seeds": 1,
        "budget": {"trials": trials},
    }
    return f"{sys.executable} {HERE}/faultlib.py '{json.dumps({'config': config, 'rows': 120})}'"


def in_own_mounts(folder: Path, script: str, **env: str) -> None:
    """Run a script whose mounts nobody else sees; `mounted` in it is a mount that may be refused."""
    paths = os.pathsep.join((str(HERE), str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])))
    script = f'mounted() {{ mount "$@" || exit 77; }}\n{script}'
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, **env},
        check=False,
        timeout=120,
    )
    if done.returncode == 77:
        pytest.skip("may not mount")


def said(folder: Path, name: str) -> tuple[int, str]:
    """Exit code and stderr of one of the script's commands."""
    return int((folder / f"{name}.code").read_text()), (folder / f"{name}.err").read_text()


def kept(name: str, command: str) -> str:
    """A line of a script that keeps all that a command says."""
    return f"{command} > {name}.out 2> {name}.err; echo $? > {name}.code\n"


@pytest.mark.proof
@MAY_MOUNT
def test_a_disk_that_only_mlflow_fills_is_a_warning_and_sync_brings_the_rest(tmp_path: Path) -> None:
    """B14: the model is exported and the search done; its copy in MLflow waits in the outbox."""
    automl = f"{sys.executable} -m automl"
    (tmp_path / "mlruns").mkdir()
    in_own_mounts(
        tmp_path,
        f"mounted -t tmpfs -o size=16k none {tmp_path}/mlruns\n"
        + kept("first", f"{automl} {WINE} --json")
        + kept("second", f"{automl} searches sync wine-0")
        + f"mount -o remount,size=100m {tmp_path}/mlruns\n"
        + kept("third", f"{automl} searches sync wine-0"),
        MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db",
    )
    code, first = said(tmp_path, "first")
    assert code == 0, first
    assert "Traceback" not in first
    document = json.loads((tmp_path / "first.out").read_text())
    assert document["registered"] is None
    assert document["mlflow"]["pending"] > 0
    assert (Path(tmp_path) / document["bundle"] / "manifest.json").exists()
    _, second = said(tmp_path, "second")
    assert "MLflow cannot be written at sqlite:///" in second
    assert "No space left on device" in second
    code, third = said(tmp_path, "third")
    assert code == 0, third
    search = tmp_path / ".automl" / "searches" / "wine-0"
    assert ledger_rows(search, "SELECT count(*) FROM outbox WHERE NOT sent") == [(0,)]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("when", ["3+", pytest.param("40+", marks=pytest.mark.proof)])
def test_a_disk_that_fails_to_flush_ends_the_search_and_it_can_go_on(tmp_path: Path, toy: Toy, when: str) -> None:
    """B15: what could not be flushed is not said to be saved."""
    inject = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync"]
    inject += ["-e", f"inject=fsync,fdatasync:error=EIO:when={when}"]
    broken = faultlib.Child(tmp_path, ["bash", "-c", f"exec {' '.join(inject)} {command_of(tmp_path, 12)}"])
    try:
        assert broken.end() == 5, broken.errors
        assert "Traceback" not in broken.errors
        assert "error: " in broken.errors
    finally:
        broken.kill_all()
    toy.run(max_epochs=3, budget={"trials": 12})
    assert finals(toy.search) == list(range(12))


@pytest.mark.slow
@MAY_MOUNT
@pytest.mark.parametrize("closed", [".automl", "exports", "reports"])
def test_a_read_only_disk_is_said_before_any_trial(tmp_path: Path, closed: str) -> None:
    """B17."""
    (tmp_path / closed).mkdir()
    place = tmp_path / closed
    in_own_mounts(
        tmp_path,
        f"mounted --bind {place} {place}\nmounted -o remount,ro,bind {place}\n"
        + kept("first", f"{sys.executable} -m automl {WINE} --no-tracking"),
    )
    code, errors = said(tmp_path, "first")
    assert code == 5, errors
    assert "Traceback" not in errors
    assert str(closed) in errors.partition("error: ")[2]
    assert not list(tmp_path.glob(".automl/searches/*/results/*"))


@pytest.mark.slow
@MAY_MOUNT
def test_a_disk_without_inodes_is_said_and_with_some_it_goes_on(tmp_path: Path) -> None:
    """B22."""
    state, copy = tmp_path / ".automl", tmp_path / "copy"
    state.mkdir()
    command = command_of(tmp_path, 30)
    in_own_mounts(
        tmp_path,
        f"mounted -t tmpfs -o size=100m,nr_inodes=24 none {state}\n"
        + kept("first", command)
        + f"mount -o remount,nr_inodes=10000 {state}\n"
        + kept("second", command)
        + f"cp -r {state} {copy}\n",
    )
    code, errors = said(tmp_path, "first")
    assert code == 5, errors
    assert "Traceback" not in errors
    code, errors = said(tmp_path, "second")
    assert code == LEFT_OUT, errors
    assert finals(copy / "searches" / "toy-0") == list(range(30))
