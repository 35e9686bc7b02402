"""What is shipped opens nothing that runs code, but for the places that say why; and importing it starts and calls nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path for package in ("automl", "search_spaces", "lightning_modules") for path in (ROOT / package).rglob("*.py")
)
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "torch.load", "torch.save", "torch.jit.load", "torch.export.load", "torch.hub.load",
    "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen", "mlflow.pyfunc.load_model",
    "mlflow.pytorch.load_model", "mlflow.sklearn.load_model", "pandas.read_pickle", "pd.read_pickle",
}  # fmt: skip
ALLOWED = {
    (
        "automl/bundle/verify.py",
        "torch.export.load",
    ): "opens what this program has just written, in a process of its own",
    ("automl/bundle/standalone.py", "torch.export.load"): "is for programs without us, and its first lines warn of it",
    ("automl/bundle/standalone.py", ".exec_module"): "runs the code beside the file, after its hash was compared",
}


def found_in(text: str) -> Iterator[str]:
    """Each thing in a file that can run code of whoever made what it opens."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_IMPORTS)
        elif isinstance(node, ast.ImportFrom):
            if (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS:
                yield str(node.module)
        elif isinstance(node, ast.Call):
            yield from _in_call(node)


def _in_call(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    options = {option.arg: ast.unparse(option.value) for option in node.keywords}
    if name in FORBIDDEN_CALLS:
        yield name
    if name.endswith(".exec_module"):
        yield ".exec_module"
    if name in ("np.load", "numpy.load") and options.get("allow_pickle") != "False":
        yield f"{name} without allow_pickle=False"
    if options.get("shell", "False") != "False":
        yield "shell=True"
    if options.get("weights_only", "True") != "True" or options.get("allow_pickle", "False") != "False":
        yield "a pickle that is allowed"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_opens_what_can_run_code(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    assert [one for one in found_in(path.read_text()) if (name, one) not in ALLOWED] == []


@pytest.mark.parametrize(("name", "what"), ALLOWED)
def test_what_is_allowed_is_still_there_and_has_a_reason(name: str, what: str) -> None:
    assert what in found_in((ROOT / name).read_text())
    assert ALLOWED[name, what]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from joblib import load", "import numpy, dill as d", "eval('1')", "exec(x)", "torch.load(f)",
        "torch.load(f, weights_only=False)", "yaml.load(f, Loader=L)", "np.load(f)", "np.load(f, allow_pickle=True)",
        "subprocess.run('ls', shell=True)", "spec.loader.exec_module(m)", "os.system('ls')",
    ],
)  # fmt: skip
def test_the_search_finds_each_of_them(text: str) -> None:
    assert list(found_in(text))


def test_the_search_finds_nothing_in_harmless_code() -> None:
    assert not list(
        found_in(
            "model.eval()\nnp.load(f, allow_pickle=False)\nyaml.safe_load(f)\nre.compile('x')\nsafetensors.torch.load(b)"
        )
    )


_WATCHED = """
import sys
starts = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn",
          "os.fork", "os.forkpty", "urllib.Request")
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event) if event in starts else None)
"""


@pytest.mark.parametrize(
    "code",
    [
        "import automl; [getattr(automl, name) for name in automl.__all__]",
        "import automl.cli.main, automl.bundle.load, automl.doctor, automl.report, automl.tracking",
        "from automl import catalog; [catalog.space(name) for name in catalog.families()]",
    ],
)
def test_importing_starts_no_process_and_opens_no_connection(code: str) -> None:
    assert _events(code) == "[]"


def test_the_watch_sees_a_process_and_a_connection() -> None:
    code = "import socket, subprocess; subprocess.run(['true']); socket.socket().connect_ex(('127.0.0.1', 9))"
    assert {"subprocess.Popen", "socket.connect"} <= set(ast.literal_eval(_events(code)))


def _events(code: str) -> str:
    whole = f"{_WATCHED}\n{code}\nprint(seen)"
    done = subprocess.run(
        [sys.executable, "-c", whole], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    return done.stdout.strip()
