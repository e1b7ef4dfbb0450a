"""The worker: one loop that claims due jobs, runs them, and records the outcome."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from time import monotonic

import structlog
from structlog.typing import FilteringBoundLogger

from dream_api.core import clock, ids
from dream_api.core.db import Database
from dream_api.core.jobs import leases, queries, schedules
from dream_api.core.jobs.registry import Job, Registry
from dream_api.core.jobs.wakeup import wait_for_notification

_log: FilteringBoundLogger = structlog.get_logger(__name__)

CONCURRENCY = 8
GRACE_SECONDS = 10.0
_POLL_SECONDS = 0.5
_RENEW_AFTER = leases.LEASE // 3
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 3.0
_CANCEL_SECONDS = 1.0


@dataclass
class _Run:
    """A job that this worker holds: its handler runs, or has ended and the outcome is not recorded yet."""

    job: Job
    handling: asyncio.Task[Exception | None]
    leased_until: int


@dataclass(frozen=True)
class _View:
    """The overdue schedules, and the seconds until anything else is due."""

    overdue: Sequence[schedules.Occurrence]
    seconds: float


class Worker:
    """Runs due jobs, at most `concurrency` at a time, from `run` until `stop`.

    All that it writes it writes in one transaction a turn: what ended, which leases go on, what comes next.
    A turn in which there is none of that only reads, so that an idle server does not write.
    """

    def __init__(
        self,
        database: Database,
        registry: Registry,
        *,
        concurrency: int = CONCURRENCY,
        name: str | None = None,
    ) -> None:
        self._database = database
        self._registry = registry
        self._concurrency = concurrency
        self.name = f"{name or socket.gethostname()}/{ids.new('wrk')}"
        self._runs: dict[str, _Run] = {}
        self._wake = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._has_ended.set()
        self._stop_by: float | None = None
        self._failures = 0
        # When it last looked for jobs: before the first time, a moment that no clock shows.
        self._turned_at = sys.maxsize

    async def run(self) -> None:
        """Until `stop`. Failures of storage are logged; the worker goes on."""
        self._has_ended.clear()
        try:
            with wait_for_notification(self._wake):
                while not self._is_over():
                    self._wake.clear()
                    await self._sleep(await self._turn_or_back_off())
        finally:
            try:
                await self._release_running()
            finally:
                self._has_ended.set()

    async def stop(self, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """Takes no more jobs; those that run may end in this time, then others may take them at once."""
        self._stop_by = monotonic() + grace_seconds
        self._wake.set()
        await self._has_ended.wait()

    def _is_over(self) -> bool:
        return self._stop_by is not None and (not self._runs or monotonic() >= self._stop_by)

    async def _sleep(self, seconds: float) -> None:
        """Sleep; ends early where there is something to do."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._at_most(seconds)):
                await self._wake.wait()

    def _at_most(self, seconds: float) -> float:
        return seconds if self._stop_by is None else max(min(seconds, self._stop_by - monotonic()), 0)

    async def _turn_or_back_off(self) -> float:
        """Seconds until the next turn; after a failure the next one is put off, longer each time."""
        try:
            seconds = await self._turn()
        except Exception as problem:
            pause = backoff_seconds(self._failures)
            self._failures += 1
            _log.warning("The job table cannot be reached.", pause=pause, exc_info=problem)
            await asyncio.sleep(self._at_most(pause))
            return 0
        self._failures = 0
        return seconds

    async def _turn(self) -> float:
        """Seconds until there may be more to do."""
        now = clock.now()
        await self._notice_clock(now)
        ended = [run for run in self._runs.values() if run.handling.done()]
        capacity = 0 if self._stop_by is not None else self._concurrency - len(self._runs) + len(ended)
        aging = self._expiring_soon(now)
        view = await self._look(now) if capacity else _View((), _POLL_SECONDS)
        if not (ended or aging or view.seconds <= 0):
            return view.seconds
        async with self._database.write() as tx:
            await leases.record(tx, self.name, _done(ended), _failed(ended), now)
            kept = await leases.renew(tx, self.name, aging, now)
            for occurrence in view.overdue:
                await schedules.enqueue_occurrence(tx, occurrence, now)
            # After the leases were renewed, so that what runs here is not taken here once more.
            jobs = await leases.claim(tx, self.name, self._registry.kinds, capacity, now)
        self._remove(ended)
        self._extend_leases(aging, kept, now)
        self._start(jobs, now)
        return 0 if jobs or ended else _POLL_SECONDS

    async def _notice_clock(self, now: int) -> None:
        """Jobs do not wait for a clock that was ahead, before this worker started or since its last turn."""
        was_set_back = now < self._turned_at - clock.SECOND
        self._turned_at = now
        if not was_set_back:
            return
        async with self._database.write() as tx:
            await leases.bring_back(tx, now)
        for run in self._runs.values():
            run.leased_until = now  # renewed in this turn

    async def _look(self, now: int) -> _View:
        async with self._database.read() as tx:
            coming = await schedules.list_occurrences(tx, self._registry.schedules)
            run_at = await queries.first_run_at(tx, self._registry.kinds)
        moments = [occurrence.due_at(now) for occurrence in coming] + ([] if run_at is None else [run_at])
        seconds = (min(moments, default=now + clock.DAY) - now) / clock.SECOND
        return _View([it for it in coming if it.due_at(now) <= now], min(seconds, _POLL_SECONDS))

    def _expiring_soon(self, now: int) -> Collection[str]:
        """The jobs whose handlers run on, and whose leases do not for long."""
        soon = now + leases.LEASE - _RENEW_AFTER
        running = (run for run in self._runs.values() if not run.handling.done())
        return [run.job.id for run in running if run.leased_until < soon]

    def _remove(self, ended: Sequence[_Run]) -> None:
        for run in ended:
            del self._runs[run.job.id]

    def _extend_leases(self, aging: Collection[str], kept: Collection[str], now: int) -> None:
        """Extend leases; a handler whose job another worker took meanwhile is cancelled."""
        for job_id in aging:
            if job_id in kept:
                self._runs[job_id].leased_until = now + leases.LEASE
            else:
                _log.warning("Another worker took a job whose lease ran out.", job_id=job_id)
                self._runs[job_id].handling.cancel()

    def _start(self, jobs: Sequence[Job], now: int) -> None:
        for job in jobs:
            handling = asyncio.create_task(self._handle(job), name=job.id)
            handling.add_done_callback(lambda _: self._wake.set())
            self._runs[job.id] = _Run(job, handling, now + leases.LEASE)

    async def _handle(self, job: Job) -> Exception | None:
        """What the handler failed with."""
        with structlog.contextvars.bound_contextvars(job_id=job.id, job_kind=job.kind):
            try:
                await self._registry.handler(job.kind)(self._database, job)
            except Exception as problem:
                _log.warning("A job failed.", attempts=job.attempts, exc_info=problem)
                return problem
        return None

    async def _release_running(self) -> None:
        """Cancel the jobs that still run, and release them to other workers."""
        if not self._runs:
            return
        handlings = [run.handling for run in self._runs.values()]
        for handling in handlings:
            handling.cancel()
        await asyncio.wait(handlings, timeout=_CANCEL_SECONDS)
        # What does not heed the cancellation still runs: its lease must run out before another takes it.
        ended = [run for run in self._runs.values() if run.handling.done()]
        cancelled = [run.job.id for run in ended if run.handling.cancelled()]
        try:
            async with self._database.write() as tx:
                await leases.record(tx, self.name, _done(ended), _failed(ended), clock.now())
                await leases.release(tx, self.name, cancelled)
        except Exception as problem:
            _log.warning("Jobs could not be given back; their leases run out.", exc_info=problem)


def backoff_seconds(failures: int) -> float:
    """Seconds until the next turn, when so many in a row failed before this one."""
    # Bounded before it is multiplied: after an hour of failures the power would be too large for a float.
    doublings = min(failures, 10)
    return min(_FIRST_PAUSE_SECONDS * 2**doublings, _LONGEST_PAUSE_SECONDS)


def _done(ended: Sequence[_Run]) -> Collection[str]:
    return [run.job.id for run in ended if not run.handling.cancelled() and run.handling.result() is None]


def _failed(ended: Sequence[_Run]) -> Collection[tuple[Job, Exception]]:
    results = [(run.job, run.handling.result()) for run in ended if not run.handling.cancelled()]
    return [(job, problem) for job, problem in results if problem is not None]
