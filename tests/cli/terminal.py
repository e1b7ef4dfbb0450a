"""Runs commands: in this process, which is quick, or in a process of their own."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from dream_api.cli.main import app
from dream_api.core.settings import Settings
from tests.support.preloaded import Forked
from tests.support.server import environment


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Begun:
    """A command in a process of its own, and where it writes."""

    process: Forked
    folder: Path

    @property
    def out(self) -> str:
        """What it said so far."""
        path = self.folder / "out"
        return path.read_text() if path.exists() else ""

    def end(self, seconds: float = 20) -> Said:
        """Waits for it; it is killed where it does not end."""
        try:
            code = self.process.wait(seconds)
            return Said(code, self.out, (self.folder / "err").read_text())
        finally:
            self.process.kill()
            shutil.rmtree(self.folder)


@dataclass(frozen=True)
class Terminal:
    """Commands on one instance."""

    settings: Settings

    def type(self, *words: str, **env: str) -> Said:
        """Runs the command in this process."""
        variables = {name: value for name, value in environment(self.settings).items() if name.startswith("DREAM_")}
        result = CliRunner().invoke(app, words, env={**variables, **env}, prog_name="dream-api")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def ask(self, *words: str, **env: str) -> Any:
        """The JSON that the command answers; it must succeed."""
        said = self.type(*words, "--json", **env)
        assert said.code == 0, said
        assert said.err == ""
        return said.data

    def refused(self, *words: str, **env: str) -> dict[str, Any]:
        """The JSON of the refusal that the command must meet."""
        said = self.type(*words, "--json", **env)
        assert said.code == 1, said
        assert said.err == ""
        assert set(said.data) == {"error", "code", "param", "hint"}
        return said.data

    def run(self, *words: str) -> Said:
        """Runs the command as a process of its own."""
        return self.begin(*words).end(60)

    def begin(self, *words: str) -> Begun:
        folder = Path(tempfile.mkdtemp())
        process = Forked(words, environment(self.settings), folder / "out", folder / "err")
        return Begun(process, folder)
