"""Cache invalidation across processes: the table `changes` is polled."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

import structlog
from sqlalchemy import BigInteger, insert, literal_column, select

from dream_api.core import clock
from dream_api.core.cache.cache import Cache
from dream_api.core.cache.tables import changes
from dream_api.core.db import Database, Tx
from dream_api.core.errors import AppError

_POLL_SECONDS = 0.25
_LOOK_BACK = 10 * clock.SECOND
_TRUSTED_SECONDS = 1.0
# Microseconds by the database's own clock, so that the processes' clocks need not agree.
_SQLITE_NOW = literal_column("CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)", BigInteger())
_POSTGRES_NOW = literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)", BigInteger())

log = structlog.get_logger()


async def invalidate(tx: Tx, kind: str, key: str) -> None:
    """Every process evicts this entry within a second of the commit, this one at once."""
    at = _POSTGRES_NOW if tx.locks_rows else _SQLITE_NOW
    await tx.execute(insert(changes).values(kind=kind, key=key, at=at))
    tx.noted.append((kind, key))


class CacheInvalidator:
    """Evicts changed entries from a process's caches; several caches may share one kind."""

    def __init__(self, database: Database, caches: Iterable[Cache[Any]] = ()) -> None:
        self._database = database
        self._caches: defaultdict[str, list[Cache[Any]]] = defaultdict(list)
        self.register(*caches)
        self._polled_at = float("-inf")
        # The same moment by the database's clock, which goes on while this machine sleeps.
        self._known_until = 0
        self._seen: set[int] = set()
        self._polling: asyncio.Task[None] | None = None
        database.on_noted = self.evict

    def register(self, *caches: Cache[Any]) -> None:
        for cache in caches:
            self._caches[cache.kind].append(cache)

    @property
    def is_fresh(self) -> bool:
        """Whether the last poll is recent enough to trust the caches; if not, they are emptied and suspended."""
        if time.monotonic() - self._polled_at <= _TRUSTED_SECONDS:
            return True
        for cache in self._every_cache:
            cache.suspend()
        return False

    def evict(self, noted: Iterable[tuple[str, str]]) -> None:
        for kind, key in noted:
            for cache in self._caches.get(kind, ()):
                cache.evict(key)

    @property
    def _every_cache(self) -> Iterable[Cache[Any]]:
        return chain.from_iterable(self._caches.values())

    async def poll(self) -> None:
        """Evict what any process changed in the last ten seconds, each change once; everything, after a long pause."""
        began = time.monotonic()
        async with self._database.read() as tx:
            now = await tx.scalar(select(_POSTGRES_NOW if tx.locks_rows else _SQLITE_NOW))
            recent = select(changes.c.no, changes.c.kind, changes.c.key).where(changes.c.at > now - _LOOK_BACK)
            rows = await tx.all(recent)
        if now - self._known_until > _TRUSTED_SECONDS * clock.SECOND:
            for cache in self._every_cache:
                cache.clear()
        self._known_until = now
        self.evict([(row.kind, row.key) for row in rows if row.no not in self._seen])
        for cache in self._every_cache:
            cache.resume()
        self._seen = {row.no for row in rows}
        self._polled_at = began

    async def start(self) -> None:
        with suppress(AppError):
            await self.poll()
        self._polling = asyncio.create_task(self._poll_forever())

    async def stop(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)

    async def _poll_forever(self) -> None:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            try:
                await self.poll()
            except AppError as error:
                log.warning("changes_unknown", code=error.code, sentence=error.sentence)
            except Exception:  # a bug must not end polling: until the next success, caches are suspended
                log.exception("changes_unknown")
