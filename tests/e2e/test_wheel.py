"""What an installed user gets: three packages, nothing else at the top level, and the data files that code reads."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names in the wheel."""
    folder = str(tmp_path_factory.mktemp("wheel"))
    if importlib.util.find_spec("hatchling") and importlib.util.find_spec("build"):
        command = ["build", "--wheel", "--no-isolation", "--outdir", folder, str(REPOSITORY)]
    else:  # pip brings the build backend into an environment of its own
        command = ["pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", folder, str(REPOSITORY)]
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    (wheel,) = Path(folder).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_three_packages_and_nothing_else(members: list[str]) -> None:
    tops = {name.partition("/")[0] for name in members}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"automl", "search_spaces", "lightning_modules"}
    assert len(tops) == 4


def test_the_wheel_holds_every_file_that_the_packages_have(members: list[str]) -> None:
    packages = ("automl", "search_spaces", "lightning_modules")
    files = (path for package in packages for path in (REPOSITORY / package).rglob("*") if path.is_file())
    ours = {str(path.relative_to(REPOSITORY)) for path in files if "__pycache__" not in path.parts}
    assert ours <= set(members)
    assert "automl/report/page.html" in members
