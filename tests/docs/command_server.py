"""Runs the commands that a shell asks for as processes that begin with everything imported."""

import os
import shlex
import shutil
import tempfile
import threading
from pathlib import Path

from tests.support.preloaded import Forked

_SECONDS = 60


class CommandServer:
    """Each command comes as a folder with its `words` and the shell's `env`; into it goes what it says."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self._asked = self._folder / "asked"
        os.mkfifo(self._asked)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def prelude(self) -> str:
        """The shell's function `ask_commands`, which says and ends as the command did."""
        return f"""
ask_commands() {{
  local folder code
  folder=$(mktemp -d -p {shlex.quote(str(self._folder))})
  env -0 > "$folder/env"
  printf '%s\\0' "$@" > "$folder/words"
  mkfifo "$folder/code"
  echo "$folder" > {shlex.quote(str(self._asked))}
  read -r code < "$folder/code"
  cat "$folder/out"
  cat "$folder/err" >&2
  return "$code"
}}
"""

    def close(self) -> None:
        self._asked.write_text("\n")
        self._thread.join()
        shutil.rmtree(self._folder)

    def _serve(self) -> None:
        while folder := self._asked.read_text().strip():
            _answer(Path(folder))


def _answer(folder: Path) -> None:
    env = dict(line.split("=", 1) for line in _parts(folder / "env") if "=" in line)
    command = Forked(_parts(folder / "words"), env, folder / "out", folder / "err")
    try:
        code = command.wait(_SECONDS)
    finally:
        command.kill()
    (folder / "code").write_text(f"{code}\n")


def _parts(path: Path) -> list[str]:
    return path.read_text().split("\0")[:-1]
