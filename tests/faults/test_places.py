"""B16 and B18 to B20 of the fault tables: where folders lie, what they are called, and who may write there."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import faultlib
import pytest
from faultlib import WINE, automl

from automl.cli.main import run
from automl.errors import ConfigError, StorageError
from automl.ledger import Home, Ledger
from automl.ledger.lock import refuse_network_mount


@pytest.fixture
def powerless() -> tuple[str, ...]:
    """A prefix under which permissions bind root too."""
    if os.geteuid() != 0:
        return ()
    drop = "-dac_override,-dac_read_search"
    prefix = ("setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}")
    if shutil.which("setpriv") is None or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("root's power over permissions cannot be dropped")
    return prefix


@pytest.mark.parametrize("closed", [".automl", ".automl/searches/wine-0/results", "exports", "reports", "."])
def test_a_missing_permission_is_said_before_any_trial(tmp_path: Path, powerless: tuple[str, ...], closed: str) -> None:
    """B16."""
    folder = tmp_path / "work"
    (folder / closed).mkdir(parents=True)
    (folder / closed).chmod(0o500)
    command = [*powerless, sys.executable, "-m", "automl", *WINE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    (folder / closed).chmod(0o700)
    assert done.returncode == 5, done.stderr
    assert f"cannot write in {folder / closed}" in done.stderr
    assert "starting" not in done.stderr


def test_a_ledger_that_may_not_be_written_is_said_before_any_trial(tmp_path: Path, powerless: tuple[str, ...]) -> None:
    """B16."""
    folder = Home(tmp_path / ".automl").search("wine-0")
    folder.create()
    Ledger.open(folder.ledger).close()
    folder.ledger.chmod(0o400)
    command = [*powerless, sys.executable, "-m", "automl", *WINE]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 5
    assert f"{folder.ledger} cannot be opened for writing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.proof  # half a minute; the tests of names and places are the sample
def test_any_folder_holds_a_search_with_its_mlflow_whatever_tmpdir_is(tmp_path: Path) -> None:
    """B18, B20: odd characters in every path, and temporary files of others on another file system, which gets none of ours."""
    folder = tmp_path / "ü ñ" / "模型 'a' \"b\" #%3F?"
    folder.mkdir(parents=True)
    elsewhere = Path("/dev/shm") / f"automl-test-{os.getpid()}"
    elsewhere.mkdir()
    try:
        done = automl(*WINE, cwd=folder, env={"TMPDIR": str(elsewhere)})
        assert done.returncode == 0, done.stderr
        assert "2 runs, in step" in done.stdout
        assert not list(folder.rglob(".tmp-*"))
        bundle = folder / next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("  model "))
        assert (bundle / "manifest.json").exists()
        assert sorted(path.name for path in folder.iterdir()) == [
            ".automl",
            "exports",
            "mlflow.db",
            "mlruns",
            "reports",
        ]
        shown = automl("searches", "list", cwd=folder)
        assert "wine-0" in shown.stdout
    finally:
        shutil.rmtree(elsewhere)


def test_files_are_moved_into_place_within_their_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B18: with a TMPDIR that does not exist, everything durable is still written."""
    from automl.data import prepare
    from automl.data.durable import replace_file

    monkeypatch.setenv("TMPDIR", "/nowhere")
    replace_file(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
    prepared = prepare(faultlib.toy_task(), seed=0, data_folder=tmp_path)
    assert (tmp_path / prepared.ref.key / "contents.json").exists()


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_a_network_mount_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    """B19: the innermost mount counts, also one with a blank in its name."""
    folder = tmp_path / "far away" / "home"
    folder.mkdir(parents=True)
    mounts = tmp_path / "mounts"
    far = str(folder.parent).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {far} {kind} rw 0 0\n")
    with pytest.raises(StorageError, match=f"is on {kind}, where locks and SQLite are not safe") as caught:
        refuse_network_mount(folder, mounts)
    assert "AUTOML_HOME" in caught.value.hint
    refuse_network_mount(tmp_path, mounts)
    mounts.write_text(mounts.read_text() + f"/dev/sdb1 {far}/home ext4 rw 0 0\n")
    refuse_network_mount(folder, mounts)


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B19: what `flock` says on a mount without a lock daemon."""
    import fcntl

    from automl.ledger import SearchLock

    def no_locks(fd: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(StorageError, match=r"cannot lock .*: No locks available. Put AUTOML_HOME on a local disk"):
        SearchLock(tmp_path).acquire()


@pytest.mark.parametrize("home", ["a\nb", "a\0b"])
def test_a_line_break_in_the_home_is_wrong_usage(home: str) -> None:
    """B20: the tables of mounts and many tools split at it."""
    with pytest.raises(ConfigError, match="AUTOML_HOME must be a path without line breaks"):
        Home.from_environment({"AUTOML_HOME": home})


def test_a_line_break_in_the_working_folder_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B20."""
    (tmp_path / "a\nb").mkdir()
    monkeypatch.chdir(tmp_path / "a\nb")
    assert run(["search", "wine"]) == 2
    assert list(Path().iterdir()) == []


@pytest.mark.slow
def test_all_that_a_search_writes_is_for_its_owner_only(tmp_path: Path) -> None:
    """Under a umask that forbids nothing, as in many containers. The working folder itself is the person's."""
    (tmp_path / "here").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        commands = (WINE, ["searches", "sync", "wine-0"], ["report", "wine-0"])
        done = [automl(*command, cwd=tmp_path / "here", env={"TMPDIR": str(tmp_path)}) for command in commands]
    finally:
        os.umask(before)
    assert [one.returncode for one in done] == [0, 0, 0], done
    # MLflow copies our serving.py as it is installed, into a folder that nobody else may enter.
    written = [path for path in (tmp_path / "here").rglob("*") if path.name != "serving.py"]
    assert {".automl", "exports", "reports", "mlruns", "mlflow.db"} <= {path.name for path in written}
    assert [str(path) for path in written if path.lstat().st_mode & 0o077 and not path.is_symlink()] == []
