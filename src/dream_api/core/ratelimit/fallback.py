"""A rate limiter that falls back to another while the first cannot be reached."""

import asyncio
import time
from contextlib import suppress

import structlog

from dream_api.core.ratelimit.limiter import RateLimiter
from dream_api.core.ratelimit.valkey import PATIENCE_SECONDS

log = structlog.get_logger()
_RETRY_SECONDS = 1.0


class FallbackRateLimiter:
    """`remote` decides; while it cannot be reached in time `local` does, and `remote` is tried again every second."""

    def __init__(self, remote: RateLimiter, local: RateLimiter, *, patience: float = PATIENCE_SECONDS) -> None:
        self._remote = remote
        self._local = local
        self._patience = patience
        self._is_lost = False
        self._retry_at = 0.0

    async def take(self, name: str, per_second: int) -> int:
        was_lost = self._is_lost
        if not self._should_try_remote():
            return await self._local.take(name, per_second)
        try:
            async with asyncio.timeout(self._patience):
                wait = await self._remote.take(name, per_second)
        except Exception as problem:  # whatever it is: it must not fail a request that only had to be counted
            self._mark_lost(problem)
            return await self._local.take(name, per_second)
        if was_lost:
            self._is_lost = False
            log.warning("valkey_found")
        return wait

    async def close(self) -> None:
        with suppress(Exception):  # a client that hangs must not keep the process from stopping
            await self._remote.close()
        await self._local.close()

    def _should_try_remote(self) -> bool:
        """While it is lost, one call tries and the others do not wait for it."""
        if not self._is_lost:
            return True
        if time.monotonic() < self._retry_at:
            return False
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        return True

    def _mark_lost(self, problem: Exception) -> None:
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        if not self._is_lost:
            self._is_lost = True
            log.warning("valkey_lost", problem=str(problem) or type(problem).__name__)
