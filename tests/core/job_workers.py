"""Helpers for tests of jobs: workers that run within a block, and waiting for what they do."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog.testing
from sqlalchemy import select

from dream_api.core import clock, jobs
from dream_api.core.db import Database
from dream_api.core.jobs.tables import jobs as table
from dream_api.core.jobs.wakeup import notify_workers


@asynccontextmanager
async def at_work(*workers: jobs.Worker) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """What the workers log; what still runs at the end of the block is broken off."""
    running = [asyncio.create_task(worker.run()) for worker in workers]
    with structlog.testing.capture_logs() as logs:
        try:
            yield logs
        finally:
            await asyncio.gather(*(worker.stop(grace_seconds=0) for worker in workers))
            await asyncio.gather(*running)


async def until(is_so: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Returns as soon as it is so; fails where it never is."""
    deadline = time.monotonic() + seconds
    while not await is_so():
        assert time.monotonic() < deadline, "It never came to be so."
        await asyncio.sleep(0.005)


def later(microseconds: int) -> None:
    """Moves the clock; workers notice it now rather than at their next look."""
    clock.move(microseconds)
    notify_workers()


async def put(database: Database, kind: str = "note", count: int = 1, **payload: Any) -> list[str]:
    """Committed jobs."""
    async with database.write() as tx:
        return [await jobs.enqueue(tx, kind, payload) for _ in range(count)]


async def rows(database: Database) -> list[Any]:
    """The whole job table."""
    async with database.read() as tx:
        return list(await tx.all(select(table).order_by(table.c.id)))


async def until_none_is_left(database: Database) -> None:
    async def is_so() -> bool:
        return await rows(database) == []

    await until(is_so)


class Notes:
    """A handler that remembers the jobs it was handed, and may be told to wait or to fail."""

    def __init__(self) -> None:
        self.jobs: list[jobs.Job] = []
        self.ended: list[str] = []
        self.broken_off: list[str] = []
        self.problem: Exception | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()

    @property
    def ids(self) -> list[str]:
        return [job.id for job in self.jobs]

    async def __call__(self, database: Database, job: jobs.Job) -> None:
        self.jobs.append(job)
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.broken_off.append(job.id)
            raise
        if self.problem is not None:
            raise self.problem
        self.ended.append(job.id)

    async def were_broken_off(self) -> bool:
        return self.broken_off != []

    async def have(self, count: int) -> None:
        """Waits until so many jobs began."""

        async def is_so() -> bool:
            return len(self.jobs) >= count

        await until(is_so)

    def registry(self, kind: str = "note") -> jobs.Registry:
        """One that hands the jobs of this kind to these notes."""
        registry = jobs.Registry()
        registry.handle(kind, self)
        return registry
