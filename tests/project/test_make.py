"""`make run` says what it installs and how long that takes, and nothing once everything is there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A Python whose virtual environments download nothing: what installs is not what is tested here.
_PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p "$3/bin"
printf '#!/bin/sh\\nexit 0\\n' > "$3/bin/python"
printf '#!/bin/sh\\necho "serving $DREAM_DATA"\\n' > "$3/bin/dream-api"
chmod +x "$3/bin/python" "$3/bin/dream-api"
"""
STEPS = [
    "Creating .venv with python3.11 (about 10 seconds, once) …",
    "Installing the server's packages into .venv (about a minute, once) …",
    "Installing dream-api itself (a few seconds) …",
    "Installed. The first start takes a few seconds more than later ones.",
]
DEV = "Installing what tests and checks need into .venv (about a minute, once) …"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "python3.11").write_text(_PYTHON)
    (tmp_path / "path" / "python3.11").chmod(0o755)
    return tmp_path


def make(checkout: Path, *words: str) -> list[str]:
    """The lines that it prints, to both outputs."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "DREAM_"))}
    env = {**others, "PATH": f"{checkout / 'path'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["make", *words], cwd=checkout, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
    )
    return done.stdout.splitlines()


def test_each_step_says_what_it_does_and_the_second_run_says_nothing(checkout: Path) -> None:
    assert make(checkout, "run") == [*STEPS, "serving ./data"]
    assert make(checkout, "run", "DATA=elsewhere") == ["serving elsewhere"]


def test_only_what_changed_is_installed_again(checkout: Path) -> None:
    make(checkout, "install")
    os.utime(checkout / ".venv" / ".package", (1, 1))  # older than pyproject.toml

    assert make(checkout, "run") == [*STEPS[2:], "serving ./data"]


def test_contributors_read_the_same_and_one_line_more(checkout: Path) -> None:
    assert make(checkout, "install-dev") == [*STEPS, DEV]


def test_80_columns_are_enough() -> None:
    assert max(map(len, [*STEPS, DEV])) <= 80
