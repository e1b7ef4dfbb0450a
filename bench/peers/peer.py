"""What a peer is: something that was started, is called over HTTP, and says how much it has stored."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from tests.support.postgres import die_with_parent

KEY = "sk_test_bench"
# The load's plan, and one that a few hundred calls use up.
PLAN, SMALL_PLAN = "bench", "small"
LIMITS = {PLAN: 10**12, SMALL_PLAN: 200}
_START_SECONDS = 60
_STOP_SECONDS = 20


class Missing(Exception):
    """The peer cannot be measured here; the sentence says how to get it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One kind of call, and who answers it."""

    name: str
    url: str
    processes: Sequence[psutil.Process]
    # The sum of what it has stored; a yardstick counts nothing.
    stored: Callable[[], int] | None
    # What it writes down for a call, and where that is when the answer leaves.
    counts: str = ""
    durability: str = ""
    key: str = KEY
    # Sent instead of the header X-User-Id, with the user's id for `USER`.
    body: str = ""
    has_limits: bool = True

    def memory(self) -> float:
        """Megabytes of all its processes, children included."""
        return sum(each.memory_info().rss for each in self._family()) / 1e6

    def cpu_seconds(self) -> float:
        """What all its processes have computed so far, in the kernel too."""
        times = [each.cpu_times() for each in self._family()]
        return sum(each.user + each.system for each in times)

    def _family(self) -> list[psutil.Process]:
        return [each for process in self.processes for each in (process, *process.children(recursive=True))]


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], ready: str, folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[psutil.Process]:
    """The command as a process, from when it answers 200 at `ready` until it and its children are gone."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"TMPDIR": str(folder)} | dict(env or {}),
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one system call)
        )
    try:
        _wait_for(ready, process, folder / "log")
        yield psutil.Process(process.pid)
    finally:
        _end(process)


def _wait_for(ready: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _get(ready)[0] == 200:
                return
        time.sleep(0.05)
    last = log.read_text(errors="replace").strip().rpartition("\n")[2]
    raise Missing(f"did not start: {last or 'it said nothing'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM first; whatever of the family is left then is killed."""
    children: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in psutil.wait_procs(children, timeout=_STOP_SECONDS)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def number_at(url: str, *path: str) -> int:
    """A number from a JSON answer, found by its fields' names."""
    status, body = _get(url)
    if status != 200:
        raise RuntimeError(f"{url} answered {status}.")
    found: Any = json.loads(body)
    for name in path:
        found = found[name]
    return int(found)


def _get(url: str) -> tuple[int, bytes]:
    address = urlsplit(url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", f"{address.path}?{address.query}")
        answer = connection.getresponse()
        return answer.status, answer.read()


def locked(lock: Path, *names: str) -> dict[str, str]:
    """The versions that a `requirements/*.txt` locks."""
    pairs = (line.split(" ")[0].partition("==") for line in lock.read_text().splitlines() if "==" in line)
    return {name: version for name, _, version in pairs if name in names}
