"""A server process for tests: started with settings, called over HTTP, stopped or killed at any time."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from pydantic import SecretStr

from dream_api.core.settings import Settings
from tests.support.postgres import die_with_parent, free_port
from tests.support.preloaded import Forked

_START_SECONDS = 60
_STOP_SECONDS = 60


class Server:
    """`dream-api serve` with these settings on a free port of its own, on SQLite or PostgreSQL as they say.

        with Server(settings) as server:
            httpx.get(server.url + "/healthz")

    It keeps its port over `stop` or `kill` and `start`. It also goes when the process that started it dies.
    """

    # What is run: another module of ours may serve in a way of its own.
    module = "dream_api"
    # Whether it begins with everything imported; what measures a server starts it from nothing.
    is_forked = False

    def __init__(self, settings: Settings, **more: Any) -> None:
        """`more` are settings too, which go before the others."""
        self.port = free_port()
        self.settings = settings.model_copy(update={"log_format": "json", **more, "port": self.port})
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = self.settings.data.absolute().with_name(f"server-{self.port}.log")
        self._process: subprocess.Popen[bytes] | Forked | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None, "The server does not run."
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def processes(self) -> list[psutil.Process]:
        """Those that serve where there are several, in the order of their start."""
        return sorted(psutil.Process(self.pid).children(), key=psutil.Process.create_time)

    def callers_of(self, process: psutil.Process) -> int:
        """How many connections this one has accepted."""
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            connections = process.net_connections("tcp")
            return sum(each.status == psutil.CONN_ESTABLISHED and each.laddr.port == self.port for each in connections)
        return 0

    @property
    def log(self) -> str:
        """What the process wrote so far, to both outputs, over all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Returns when `/readyz` answers."""
        self.launch()
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"The server did not start:\n{self.log[-4000:]}")
            time.sleep(0.01)

    def launch(self) -> None:
        """Starts the process and returns at once, for tests that expect it to fail."""
        assert self._process is None, "The server runs already."
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self.is_forked and self.module == "dream_api":
            self._process = Forked(["serve"], environment(self.settings), self._log)
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(self.settings),
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call)
            )

    def wait(self) -> int:
        """The exit code of a process that ends by itself."""
        assert self._process is not None, "The server does not run."
        code = self._process.wait(_STOP_SECONDS)
        self._process = None
        return code

    def stop(self) -> int:
        """SIGTERM, as an operator would; the exit code. 0 where it does not run."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL: it can tidy up nothing. Returns when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with the settings as `DREAM_*`, for any process of the product."""
    values = {name: _text(value) for name, value in settings.model_dump().items() if value is not None}
    others = {name: value for name, value in os.environ.items() if not name.startswith("DREAM_")}
    return others | {f"DREAM_{name.upper()}": text for name, text in values.items() if text}


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, (tuple, list)):
        return ",".join(str(part) for part in value)
    return str(value.absolute() if isinstance(value, Path) else value)
