"""Types commands: in this process, which is quick, or in one of their own, as people do."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from dream_api.cli import app
from dream_api.core.settings import Settings
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
        done = self.begin(*words)
        out, err = done.communicate(timeout=60)
        return Said(done.returncode, out, err)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dream_api", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.settings),
        )
