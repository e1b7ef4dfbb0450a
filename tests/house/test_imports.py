"""The floors of the house are kept by a tool; here the tool is shown what it must refuse."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
TOP = ("app", "worker", "serving", "cli", "__main__")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package beside the rules."""
    shutil.copytree(ROOT / "src/dream_api", tmp_path / "dream_api", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path / "dream_api"


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "lint-imports", "--no-cache"],
        check=False,
        cwd=house.parent,
        env={**os.environ, "PYTHONPATH": str(house.parent)},
        capture_output=True,
        text=True,
    )


def plant(house: Path, path: str, code: str) -> None:
    file = house / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.parent != house:
        (file.parent / "__init__.py").touch()
    file.write_text((file.read_text() if file.exists() else "") + code)


def test_the_house_as_it_stands_passes(house: Path) -> None:
    done = lint(house)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "code", "broken"),
    [
        ("core/planted.py", "from dream_api import keys\n", "Imports go down only"),
        ("core/jobs/planted.py", "from dream_api import keys\n", "Imports go down only"),
        ("platforms/planted.py", "from dream_api.keys import tables\n", "Imports go down only"),
        ("keys/planted.py", "from dream_api import gate\n", "Imports go down only"),
        ("webhooks/planted.py", "from dream_api import keys\n", "Imports go down only"),
        ("attic/planted.py", "", "Imports go down only"),
        ("keys/planted.py", "from dream_api.keys import planted_too\n", "No circles"),
        ("keys/planted.py", "from dream_api.keys import api\n", "Only app, cli and worker import faces"),
        ("keys/planted.py", "from dream_api.usage import jobs\n", "Only app, cli and worker import faces"),
        ("keys/views.py", "from dream_api.keys import api\n", "Only app, cli and worker import faces"),
    ],
    ids=[
        "the core imports a room",
        "the core's jobs import a room",
        "a room imports a higher one",
        "a rule imports the gate",
        "a room imports its neighbour",
        "a room stands on no floor",
        "two files import each other",
        "a rule imports its own face",
        "a rule imports another room's face",
        "a face imports a face",
    ],
)
def test_is_refused(house: Path, path: str, code: str, broken: str) -> None:
    for face in ("keys/api.py", "usage/jobs.py"):
        plant(house, face, "")
    plant(house, "keys/planted_too.py", "from dream_api.keys import planted\n")

    plant(house, path, code)
    done = lint(house)

    assert done.returncode == 1, done.stdout + done.stderr
    verdicts = [line for line in done.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(broken) for line in verdicts), done.stdout


def test_faces_may_import_the_gate_and_the_top_may_import_faces(house: Path) -> None:
    plant(house, "keys/api.py", "from dream_api import catalog, gate\n")
    plant(house, "keys/views.py", "from dream_api import gate\n")
    for name in ("app", "cli", "worker"):
        plant(house, f"{name}.py", "\nfrom dream_api.keys import api as planted\n")

    done = lint(house)

    assert done.returncode == 0, done.stdout + done.stderr


def test_nobody_imports_what_puts_the_house_together() -> None:
    """Faces are free of the floors, so that this is not among the contracts."""
    graph = grimp.build_graph("dream_api", cache_dir=None)
    top = {f"dream_api.{name}" for name in TOP}

    upward = {
        (importer, imported)
        for imported in top & graph.modules
        for importer in graph.find_modules_that_directly_import(imported)
        if not importer.startswith(tuple(top))
    }

    assert not upward
