"""The supervisor of several server processes on the same sockets: starts, watches, replaces and stops them.

Each child is a fresh interpreter: it shares the sockets and the database with the others, but no connection, no event
loop, and nothing random that was made at import. Two kinds of pipes connect them. All children
hold the read end of the *parent pipe*: when it closes, the parent is gone, however it went. Every child holds the write
end of its own *status pipe*: a byte means that it listens, the close that it is gone, however it went.

The sockets stay open in the parent. What connects while nobody accepts waits there for the next process that does.
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

_MODULE = "dream_api.server.child"
# A process that served for less has failed to start, and is replaced after a pause.
_STEADY_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# After the grace of its requests, for what a process does at its own end; the grace of background jobs is in it.
_TIDYING_SECONDS = 15


class EndedAtOnce(CommandError):
    """At a second signal to stop, the supervisor waits for nothing."""

    def __init__(self) -> None:
        super().__init__(
            "The server received a second signal to stop and ended at once.",
            code="ended_at_once",
            hint="Requests that were being answered may be counted all the same; `dream-api doctor` checks the rest.",
        )


@dataclass(slots=True, eq=False)
class _Place:
    """One of the N places, whichever process has it at the moment."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    listens_since: float | None = None
    failures: int = 0
    due_at: float = 0.0


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
        self._places = [_Place(number) for number in range(1, settings.processes + 1)]
        self._to_renew: deque[_Place] = deque()
        self._renewing: _Place | None = None
        self._kill_at: float | None = None
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Returns after a signal to stop, when all have ended; EndedAtOnce at a second signal."""
        with self._selector, _caught_signals() as signals, _pipe() as (self._parent_pipe, _):
            self._selector.register(signals, selectors.EVENT_READ, partial(self._handle_signals, signals))
            try:
                while not self._is_over:
                    self._start_due()
                    for key, _ in self._selector.select(self._seconds_to_wait()):
                        key.data()
                    self._kill_late()
            finally:
                for place in self._places:
                    if place.process is not None:
                        place.process.kill()
                        place.process.wait()

    @property
    def _is_stopping(self) -> bool:
        return self._kill_at is not None

    @property
    def _is_over(self) -> bool:
        return self._is_stopping and all(place.process is None for place in self._places)

    def _seconds_to_wait(self) -> float | None:
        """Seconds until the next timer; None where there is none."""
        moments = [place.due_at for place in self._places if place.process is None]
        if self._kill_at is not None:
            moments = [self._kill_at]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    # Starting, and the status of what was started.

    def _start_due(self) -> None:
        for place in self._places:
            if place.process is None and not self._is_stopping and place.due_at <= time.monotonic():
                self._start(place)

    def _start(self, place: _Place) -> None:
        status_pipe, writing = os.pipe()
        try:
            place.process = self._launch(place, writing)
        except OSError as problem:
            os.close(status_pipe)
            self._pause(place)
            _log.error("server process cannot be started", place=place.number, reason=str(problem))
        else:
            self._selector.register(status_pipe, selectors.EVENT_READ, partial(self._read_status, place, status_pipe))
        finally:
            os.close(writing)

    def _launch(self, place: _Place, status_pipe: int) -> "subprocess.Popen[bytes]":
        sockets = [one.fileno() for one in self._sockets]
        pipes = ["--parent-pipe", str(self._parent_pipe), "--status-pipe", str(status_pipe)]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            # -P: nothing is imported from the working directory
            [sys.executable, "-P", "-m", _MODULE, "--sockets", *map(str, sockets), *pipes],
            stdin=subprocess.DEVNULL,
            env=os.environ
            | _environment(self._settings)
            | metrics.process_environment(self._metrics_directory, place.number),
            pass_fds=[*sockets, self._parent_pipe, status_pipe],
            # Ctrl-C on a terminal is for the parent alone, which stops them.
            process_group=0,
        )

    def _read_status(self, place: _Place, status_pipe: int) -> None:
        assert place.process is not None
        if not os.read(status_pipe, 1):
            self._selector.unregister(status_pipe)
            os.close(status_pipe)
            self._reap(place, place.process)
            return
        place.listens_since = time.monotonic()
        _log.info("server process listens", place=place.number, pid=place.process.pid)
        if self._greeting is not None and all(each.listens_since is not None for each in self._places):
            self._greeting()
            self._greeting = None
        if place is self._renewing:
            self._renew_next()

    def _reap(self, place: _Place, process: "subprocess.Popen[bytes]") -> None:
        """Collect the ended process and schedule its replacement: after a pause if it failed to start."""
        code = process.wait()
        place.process = None
        metrics.remove_process(self._metrics_directory, place.number)
        pause = self._pause(place, was_stopped=code == 0)
        if code == 0:
            _log.info("server process stopped", place=place.number, pid=process.pid)
        else:
            facts = {"place": place.number, "pid": process.pid, **_cause(code), "next_in_seconds": pause}
            _log.warning("server process died", **facts)

    def _pause(self, place: _Place, *, was_stopped: bool = False) -> float:
        now = time.monotonic()
        is_steady = place.listens_since is not None and now - place.listens_since >= _STEADY_SECONDS
        place.failures = 0 if is_steady or was_stopped else place.failures + 1
        place.listens_since = None
        pause = _pause_after(place.failures)
        place.due_at = now + pause
        return pause

    # Signals.

    def _handle_signals(self, signals: int) -> None:
        for number in os.read(signals, 64):
            if number == signal.SIGHUP:
                self._renew_all()
            elif self._is_stopping:
                raise EndedAtOnce
            else:
                self._stop()

    def _stop(self) -> None:
        """Close the sockets, and let every process answer the requests it has begun."""
        self._kill_at = time.monotonic() + self._settings.shutdown_seconds + _TIDYING_SECONDS
        self._to_renew.clear()
        for one in self._sockets:
            one.close()
        for place in self._places:
            if place.process is not None:
                place.process.terminate()

    def _kill_late(self) -> None:
        if self._kill_at is None or time.monotonic() < self._kill_at:
            return
        for place in self._places:
            if place.process is not None:
                _log.warning("server process did not end in time", place=place.number, pid=place.process.pid)
                place.process.kill()
        self._kill_at += _TIDYING_SECONDS

    def _renew_all(self) -> None:
        """One after the other is stopped and replaced, while the others serve."""
        if self._is_stopping:
            return
        is_idle = self._renewing is None
        self._to_renew = deque(self._places)
        if is_idle:
            self._renew_next()

    def _renew_next(self) -> None:
        self._renewing = self._to_renew.popleft() if self._to_renew else None
        if self._renewing is not None and self._renewing.process is not None:
            self._renewing.process.terminate()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings that the command line or the start may have changed."""
    return {
        "DREAM_HOST": settings.host,
        "DREAM_PORT": str(settings.port),
        "DREAM_DATA": str(settings.data),
        "DREAM_PROCESSES": str(settings.processes),
    }


def _pause_after(failures: int) -> float:
    doubled = _FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 10)
    return min(doubled, _LONGEST_PAUSE_SECONDS) if failures else 0.0


def _cause(code: int) -> dict[str, int | str]:
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
def _caught_signals() -> Generator[int, None, None]:
    """A descriptor from which signal numbers can be read. On a terminal SIGHUP means that it was closed: not caught."""
    caught = [signal.SIGTERM, signal.SIGINT] + ([] if os.isatty(0) else [signal.SIGHUP])
    with _pipe() as (reading, writing):
        os.set_blocking(writing, False)
        handlers = {signum: signal.signal(signum, _ignore) for signum in caught}
        before = signal.set_wakeup_fd(writing)
        try:
            yield reading
        finally:
            signal.set_wakeup_fd(before)
            for signum, handler in handlers.items():
                signal.signal(signum, handler)


def _ignore(_signum: int, _frame: FrameType | None) -> None:
    """The interpreter writes the number to the descriptor; a handler is only needed to catch the signal."""
