"""Group B of the fault tables: database, disk, folders and MLflow. Spoiled calls to MLflow: see `tests/tracking`."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faultlib
import pytest
import stub_worker
import stubs
from faultlib import HERE, LEFT_OUT, Search, automl, finals, ledger_rows

from automl.cli.main import run
from automl.coordinator.loop import Coordinator
from automl.coordinator.reconcile import reconcile
from automl.errors import ConfigError, StorageError
from automl.executors.inline import InlineExecutor
from automl.ledger import Home, Ledger, SearchFolder
from automl.ledger.lock import refuse_network_mount
from automl.messages import Outcome
from automl.worker.perform import Places

WINE = (
    "search",
    "wine",
    "--families",
    "mlp",
    "--max-epochs",
    "3",
    "--trials",
    "2",
    "--set",
    "mlp.width=32",
    "--set",
    "mlp.depth=1",
)
HOLD = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


# -- B1, B6, B8: the ledger


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Any]:
    """Let another process lock a database for some seconds."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(path: Path, seconds: float) -> int:
        command = [sys.executable, "-c", HOLD, str(path), str(seconds)]
        begun.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        assert begun[-1].stdout is not None
        assert begun[-1].stdout.readline() == b"held\n"
        return begun[-1].pid

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def a_ledger(folder: Path, **choices: Any) -> Ledger:
    place = SearchFolder(folder / "search")
    place.create()
    ledger = Ledger.open(place.ledger, **choices)
    if ledger.header() is None:
        ledger.begin(stubs.header())
    return ledger


def test_a_short_lock_on_the_ledger_is_waited_for(tmp_path: Path, hold: Any) -> None:
    """B1."""
    ledger = a_ledger(tmp_path)
    hold(tmp_path / "search" / "ledger.db", 0.4)
    ledger.reconfigure({"waited": True})
    header = ledger.header()
    assert header is not None
    assert header.config == {"waited": True}


def test_a_long_lock_on_the_ledger_names_file_and_holder(tmp_path: Path, hold: Any) -> None:
    """B1: what was acknowledged stays."""
    ledger = a_ledger(tmp_path, connect_args={"timeout": 0.2})
    path = tmp_path / "search" / "ledger.db"
    pid = hold(path, 30)
    with pytest.raises(StorageError) as caught:
        ledger.reconfigure({"waited": True})
    assert str(caught.value) == f"{path} is locked by pid {pid}."
    assert caught.value.exit_code == 5
    header = ledger.header()
    assert header is not None
    assert header.config == stubs.header().config


class DoubtfulConnection(sqlite3.Connection):
    """Each seventh commit reaches the disk, and its answer is lost."""

    commits = 0

    def commit(self) -> None:
        """Commit, and say that it failed."""
        super().commit()
        DoubtfulConnection.commits += 1
        if DoubtfulConnection.commits % 7 == 0:
            raise sqlite3.OperationalError("answer lost")


def test_a_commit_whose_answer_is_lost_is_not_made_twice(tmp_path: Path) -> None:
    """B6: slot and attempt are the key of a row, so the restart finds what is there."""
    DoubtfulConnection.commits = 0
    restarts = 0
    while restarts < 50:
        try:
            ledger = a_ledger(tmp_path, connect_args={"factory": DoubtfulConnection})
            place = SearchFolder(tmp_path / "search")
            reconcile(ledger, place.results)
            executor = InlineExecutor(Places(tmp_path, place.root), stub_worker.perform)
            Coordinator(ledger, executor, place.results).carry_out(stubs.decision(6), "trial")
            break
        except StorageError:
            ledger.close()
            restarts += 1
    assert restarts >= 2
    ledger = Ledger.open(tmp_path / "search" / "ledger.db")
    stubs.assert_each_slot_final_once(ledger, 6)
    assert ledger.count_unsent("mlflow", "slot") == 6
    keys = [attempt.key for attempt in ledger.attempts()]
    assert len(keys) == len(set(keys))


def test_closing_an_attempt_twice_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    """B6."""
    ledger = a_ledger(tmp_path)
    attempt = stubs.decision(1).next()
    assert attempt is not None
    opened = ledger.open_attempt(attempt)
    ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=1.0))
    with pytest.raises(StorageError, match="attempt trial-0-0-0 is not open any more"):
        ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=2.0))
    assert [a.value for a in ledger.attempts()] == [1.0]
    assert ledger.count_unsent("mlflow", "slot") == 1


def spoil_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(4096)
    path.write_bytes(content)


def spoil_all(path: Path) -> None:
    path.write_text("These are my notes.\n" * 300)


def spoil_tables(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (x)")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(spoil_middle, "ledger.db is "), (spoil_all, "is not a database"), (spoil_tables, "is not a search ledger")],
)
def test_a_ledger_that_is_none_is_refused_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Any, words: str
) -> None:
    """B8: never created anew over it, neither by a search nor by looking at it."""
    folder = Home.from_environment().search("wine-0")
    folder.create()
    ledger = Ledger.open(folder.ledger)
    ledger.begin(stubs.header("wine-0"))
    for _ in range(50):
        ledger.reconfigure({"padding": "x" * 20_000})
    ledger.close()
    spoil(folder.ledger)
    before = folder.ledger.read_bytes()
    for command in (["search", "wine"], ["searches", "show", "wine-0"], ["searches", "sync", "wine-0"]):
        assert run(command) == 5
        said = capsys.readouterr().err
        assert words in said
        assert "left as it" in said
        assert folder.ledger.read_bytes() == before


def test_a_ledger_that_was_being_made_is_made_anew(tmp_path: Path) -> None:
    """B8: a kill after the file was created and before its tables were; nobody's data is in it."""
    place = SearchFolder(tmp_path / "search")
    place.create()
    with sqlite3.connect(place.ledger) as database:
        database.execute("PRAGMA journal_mode=WAL")
    assert place.ledger.stat().st_size > 0
    ledger = a_ledger(tmp_path)
    assert ledger.header() is not None
    assert place.ledger.stat().st_mode & 0o777 == 0o600


# -- B9, B10: MLflow away or slow


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_search_without_its_mlflow_says_so_once_and_sync_brings_all(tmp_path: Path) -> None:
    """B9, and C14 on the command line."""
    away = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{closed_port()}"}
    done = automl(*WINE, cwd=tmp_path, env=away)
    assert done.returncode == 0, done.stderr
    assert "5 messages not yet in MLflow; run: automl searches sync wine-0" in done.stdout
    assert done.stderr.count("warning: MLflow not reachable") == 1
    again = automl(*WINE, cwd=tmp_path, env=away)
    assert again.returncode == 0
    assert "budget 2 already done" in again.stderr
    there = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    synced = automl("searches", "sync", "wine-0", cwd=tmp_path, env=there)
    assert synced.returncode == 0, synced.stderr
    assert "mlflow: synced 2/2" in synced.stdout
    database = sqlite3.connect(tmp_path / "mlflow.db")
    assert database.execute("SELECT status, count(*) FROM runs GROUP BY status").fetchall() == [("FINISHED", 3)]
    database.close()


@pytest.fixture
def tarpit() -> Iterator[str]:
    """The address of a server that takes every call and never answers within the test."""
    server = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                held.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    server.close()
    for connection in held:
        connection.close()


@pytest.mark.slow
def test_a_slow_mlflow_slows_neither_the_search_nor_its_end(tmp_path: Path, tarpit: str) -> None:
    """B10: thirty seconds a call and more."""
    popen = {"env": {"MLFLOW_TRACKING_URI": tarpit}}
    search = Search(tmp_path, real_end=True, tracking=True, budget={"trials": 20}, pause=0.01, popen=popen)
    try:
        assert search.end(80) == 0, search.errors
        document = json.loads(search.output())
        assert document["phases"]["search"] < 6
        assert document["phases"]["sync"] < 20  # a call takes thirty
        assert document["mlflow"]["pending"] == 23
    finally:
        search.kill_all()


# -- B13, B16: no room, no permission


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
def test_a_file_that_may_not_grow_ends_the_search_and_with_room_it_goes_on(tmp_path: Path) -> None:
    """B13 without root: the limit on the size of a file stands for the disk."""
    import resource

    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))}
    search = Search(tmp_path, budget={"trials": 200}, popen=limit)
    assert search.end() == 5, search.errors
    assert "error: disk full: " in search.errors
    assert "Traceback" not in search.errors
    again = Search(tmp_path, budget={"trials": 200})
    assert again.end() == LEFT_OUT, again.errors
    assert finals(again.search) == list(range(200))


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


# -- B18 to B20: where folders lie and what they are called


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
