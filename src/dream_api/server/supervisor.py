"""Several server processes on the same sockets, and their parent: it starts, watches, replaces and stops them.

Each child is a fresh interpreter: it shares the sockets and the database with the others, but no connection, no event
loop, and nothing random that was made at import. Parent and children know of each other by pipes alone, which end
however a process ends: all children hold the reading end of the *parent pipe*, and each child holds the writing end of
a *ready pipe* of its own, into which it writes one byte when it listens.

The sockets stay open in the parent. A client that connects while no process accepts waits there for the next one that
does. docs/decisions/0006 says why this is not uvicorn's supervisor.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import structlog

from dream_api.core import metrics
from dream_api.core.console import CommandError
from dream_api.core.settings import Settings

_log = structlog.get_logger()

_SCRIPT = Path(__file__).with_name("child.py")
# A process that served for less has failed to start, and is replaced after a pause.
_STEADY_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# After its requests, for what a process does at its end; background jobs have their time in it.
_CLEANUP_SECONDS = 15


class EndedAtOnce(CommandError):
    """The second signal to stop ends all processes without waiting for what they do."""

    def __init__(self) -> None:
        super().__init__(
            "The server received a second signal to stop and ended immediately.",
            code="ended_at_once",
            hint="Requests in progress may have been counted. Run `dream-api doctor` to check the data.",
        )


@dataclass(slots=True, eq=False)
class _Slot:
    """One of the N serving processes, whichever it is at the moment; metrics are stored by its number."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    ready_at: float | None = None
    failures: int = 0
    start_at: float = 0.0


class Supervisor:
    """The parent of `settings.processes` server processes; it serves nothing itself."""

    def __init__(
        self, settings: Settings, sockets: list[socket.socket], metrics_directory: Path, greeting: Callable[[], None]
    ) -> None:
        """The greeting is called once all of them listen."""
        self._settings = settings
        self._sockets = sockets
        self._metrics_directory = metrics_directory
        self._greeting: Callable[[], None] | None = greeting
        self._slots = [_Slot(number) for number in range(1, settings.processes + 1)]
        self._to_restart: deque[_Slot] = deque()
        self._restarting: _Slot | None = None
        self._kill_at: float | None = None
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Returns when all have ended after a signal to stop; raises EndedAtOnce at a second signal."""
        with self._selector, _signal_pipe() as signals, _pipe() as (self._parent_pipe, _):
            self._selector.register(signals, selectors.EVENT_READ, partial(self._on_signals, signals))
            try:
                while not self._is_over:
                    self._start_waiting()
                    for key, _ in self._selector.select(self._seconds_to_wait()):
                        key.data()
                    self._kill_overdue()
            finally:
                for slot in self._slots:
                    if slot.process is not None:
                        slot.process.kill()
                        slot.process.wait()

    @property
    def _is_stopping(self) -> bool:
        return self._kill_at is not None

    @property
    def _is_over(self) -> bool:
        return self._is_stopping and all(slot.process is None for slot in self._slots)

    def _seconds_to_wait(self) -> float | None:
        """Until a process must be started or killed; None where none must."""
        moments = [slot.start_at for slot in self._slots if slot.process is None]
        if self._kill_at is not None:
            moments = [self._kill_at]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    # Starting, and what the ready pipes say.

    def _start_waiting(self) -> None:
        for slot in self._slots:
            if slot.process is None and not self._is_stopping and slot.start_at <= time.monotonic():
                self._start(slot)

    def _start(self, slot: _Slot) -> None:
        ready_pipe, writing = os.pipe()
        try:
            slot.process = self._launch(slot, writing)
        except OSError as problem:
            os.close(ready_pipe)
            self._schedule_start(slot)
            _log.error("server process cannot be started", slot=slot.number, reason=str(problem))
        else:
            self._selector.register(ready_pipe, selectors.EVENT_READ, partial(self._on_ready_pipe, slot, ready_pipe))
        finally:
            os.close(writing)

    def _launch(self, slot: _Slot, ready_pipe: int) -> "subprocess.Popen[bytes]":
        settings, storage = (
            _settings_environment(self._settings),
            metrics.process_environment(self._metrics_directory, slot.number),
        )
        descriptors = [self._parent_pipe, ready_pipe, *(one.fileno() for one in self._sockets)]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and script
            # -P: nothing is imported from the script's directory.
            [sys.executable, "-P", str(_SCRIPT), *map(str, descriptors)],
            stdin=subprocess.DEVNULL,
            env=os.environ | settings | storage,
            pass_fds=descriptors,
            # Ctrl-C on a terminal reaches the parent alone, which stops them.
            process_group=0,
        )

    def _on_ready_pipe(self, slot: _Slot, ready_pipe: int) -> None:
        assert slot.process is not None
        if not os.read(ready_pipe, 1):
            self._selector.unregister(ready_pipe)
            os.close(ready_pipe)
            self._on_exit(slot, slot.process)
            return
        slot.ready_at = time.monotonic()
        _log.info("server process listens", slot=slot.number, pid=slot.process.pid)
        if self._greeting is not None and all(each.ready_at is not None for each in self._slots):
            self._greeting()
            self._greeting = None
        if slot is self._restarting:
            self._restart_next()

    def _on_exit(self, slot: _Slot, process: "subprocess.Popen[bytes]") -> None:
        """It is replaced: at once where it served, after a pause where it failed to start."""
        code = process.wait()
        slot.process = None
        metrics.remove_process(self._metrics_directory, slot.number)
        pause = self._schedule_start(slot, was_stopped=code == 0)
        if code == 0:
            _log.info("server process stopped", slot=slot.number, pid=process.pid)
        else:
            facts = {"slot": slot.number, "pid": process.pid, **_exit_reason(code), "next_in_seconds": pause}
            _log.warning("server process died", **facts)

    def _schedule_start(self, slot: _Slot, *, was_stopped: bool = False) -> float:
        now = time.monotonic()
        is_steady = slot.ready_at is not None and now - slot.ready_at >= _STEADY_SECONDS
        slot.failures = 0 if is_steady or was_stopped else slot.failures + 1
        slot.ready_at = None
        pause = _pause_seconds(slot.failures)
        slot.start_at = now + pause
        return pause

    # Signals.

    def _on_signals(self, signals: int) -> None:
        for number in os.read(signals, 64):
            if number == signal.SIGHUP:
                self._restart_all()
            elif self._is_stopping:
                raise EndedAtOnce
            else:
                self._stop()

    def _stop(self) -> None:
        """No connection is accepted any more, and every process answers what it has begun."""
        self._kill_at = time.monotonic() + self._settings.shutdown_seconds + _CLEANUP_SECONDS
        self._to_restart.clear()
        for one in self._sockets:
            one.close()
        for slot in self._slots:
            if slot.process is not None:
                slot.process.terminate()

    def _kill_overdue(self) -> None:
        if self._kill_at is None or time.monotonic() < self._kill_at:
            return
        for slot in self._slots:
            if slot.process is not None:
                _log.warning("server process did not end in time", slot=slot.number, pid=slot.process.pid)
                slot.process.kill()
        self._kill_at += _CLEANUP_SECONDS

    def _restart_all(self) -> None:
        """Stop and replace one process after the other, while the others serve."""
        if self._is_stopping:
            return
        is_idle = self._restarting is None
        self._to_restart = deque(self._slots)
        if is_idle:
            self._restart_next()

    def _restart_next(self) -> None:
        self._restarting = self._to_restart.popleft() if self._to_restart else None
        if self._restarting is not None and self._restarting.process is not None:
            self._restarting.process.terminate()


def _settings_environment(settings: Settings) -> dict[str, str]:
    """The settings that may come from command-line options, or were chosen at the start, such as a free port."""
    return {
        "DREAM_HOST": settings.host,
        "DREAM_PORT": str(settings.port),
        "DREAM_DATA": str(settings.data),
        "DREAM_PROCESSES": str(settings.processes),
    }


def _pause_seconds(failures: int) -> float:
    doubled = _FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 10)
    return min(doubled, _LONGEST_PAUSE_SECONDS) if failures else 0.0


def _exit_reason(code: int) -> dict[str, int | str]:
    return {"exit_code": code} if code >= 0 else {"signal": signal.Signals(-code).name}


@contextmanager
def _pipe() -> Generator[tuple[int, int], None, None]:
    """The end to read and the end to write, both closed afterwards."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


@contextmanager
def _signal_pipe() -> Generator[int, None, None]:
    """A pipe from which the numbers of received signals are read.

    On a terminal, SIGHUP means that it was closed, and ends the parent.
    """
    handled = [signal.SIGTERM, signal.SIGINT] + ([] if os.isatty(0) else [signal.SIGHUP])
    with _pipe() as (reading, writing):
        os.set_blocking(writing, False)
        handlers = {signum: signal.signal(signum, _do_nothing) for signum in handled}
        before = signal.set_wakeup_fd(writing)
        try:
            yield reading
        finally:
            signal.set_wakeup_fd(before)
            for signum, handler in handlers.items():
                signal.signal(signum, handler)


def _do_nothing(_signum: int, _frame: FrameType | None) -> None:
    """The interpreter writes the number into the pipe, but only of signals that have a handler."""
