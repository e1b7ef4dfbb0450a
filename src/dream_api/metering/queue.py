"""The queue of waiting calls, and the one transaction in which all of them are counted."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence

import structlog

from dream_api.core import clock, metrics
from dream_api.core.cache import Cache
from dream_api.core.db import Database, is_contention
from dream_api.core.errors import AppError, InternalError, Overloaded
from dream_api.customers import Customer
from dream_api.metering.batch_transaction import BatchTransaction, Result
from dream_api.metering.calls import QueuedCall
from dream_api.metering.charges import IncrementBuilder
from dream_api.usage import PeriodClosed

_LARGEST_BATCH = 512
_TRIES = 5
# How long an expired reservation may still be counted as reserved.
_RELEASE_EVERY = clock.SECOND // 4

log = structlog.get_logger()


class Queue:
    """Calls wait here for their turn; the next transaction takes all that wait, in their order of arrival."""

    def __init__(self, database: Database, known: Cache[Customer], *, size: int) -> None:
        self._database = database
        self._known = known
        self._size = size
        self._waiting: list[QueuedCall] = []
        self._counting: asyncio.Task[None] | None = None
        self._openings = IncrementBuilder()
        # When reservations whose time is over were last looked for.
        self._released_at = 0
        # When this process last wrote that a key was used.
        self._used: dict[str, int] = {}

    def submit(self, waiting: QueuedCall) -> None:
        """Queue the call; its `on_result` is called once. Raises Overloaded where the queue is full."""
        self.submit_all((waiting,))

    def submit_all(self, waiting: Sequence[QueuedCall]) -> None:
        """Queue all calls, or raise Overloaded and queue none where the queue is too full for all."""
        if len(self._waiting) + len(waiting) > self._size:
            raise Overloaded("Too many metered calls are waiting.")
        self._waiting += waiting
        if self._counting is None:
            self._counting = asyncio.get_running_loop().create_task(self._count_all())

    async def drain(self) -> None:
        """Returns when nothing waits any more."""
        while self._counting is not None:
            await asyncio.wait([self._counting])

    async def _count_all(self) -> None:
        try:
            while self._waiting:
                # One look at the sockets first: what has arrived by now is counted in this transaction, not in the
                # next. Measured at 64 connections: batches of 64 instead of 32, a third more calls a second.
                await asyncio.sleep(0)
                batch = self._waiting[:_LARGEST_BATCH]
                del self._waiting[:_LARGEST_BATCH]
                metrics.batches.observe(len(batch))
                metrics.waiting.set(len(self._waiting))
                for part in self._transactions(batch):
                    await self._count_batch(part)
        finally:
            self._counting = None

    def _transactions(self, batch: list[QueuedCall]) -> Iterable[list[QueuedCall]]:
        """The calls of each transaction: all of them, or on a distributed database those of one platform, whose rows
        are on one machine."""
        if not self._database.is_distributed:
            return (batch,)
        of_platform: dict[int, list[QueuedCall]] = defaultdict(list)
        for waiting in batch:
            of_platform[waiting.call.key.platform_no].append(waiting)
        return of_platform.values()

    async def _count_batch(self, batch: list[QueuedCall]) -> None:
        try:
            results = await self._commit(batch)
        except AppError as error:
            results = [error] * len(batch)
        except Exception:
            log.exception("batch_failed", calls=len(batch))
            results = [InternalError("The calls could not be counted.")] * len(batch)
        for waiting, result in zip(batch, results, strict=True):
            try:
                waiting.on_result(result)
            except Exception:  # one connection's trouble is not its neighbours'
                log.exception("answer_failed")

    async def _commit(self, batch: list[QueuedCall]) -> list[Result]:
        """Count the batch; tried again where another process was in the way or has closed a call's period."""
        for _ in range(_TRIES):
            now, read_at = clock.now(), self._known.version
            attempt = BatchTransaction(
                batch, self._openings, now, self._used, releases=abs(now - self._released_at) >= _RELEASE_EVERY
            )
            try:
                async with self._database.batch() as tx:
                    results = await attempt.run(tx)
            except PeriodClosed:
                continue
            except Exception as problem:
                if not is_contention(problem):
                    raise
                continue
            for waiting in attempt.met:
                if waiting.customer is not None:
                    self._known.put(waiting.call.customer_cache_key, waiting.customer, version=read_at)
            for waiting in attempt.active:
                if waiting.level is not None and waiting.customer is not None:
                    waiting.level.mark_active(waiting.customer.no)
            self._used |= attempt.used
            if attempt.releases:
                self._released_at = now
            return results
        raise Overloaded("The calls conflicted with other processes too often.")
