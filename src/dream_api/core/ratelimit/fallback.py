"""Shared buckets that never take the product down."""

import asyncio
import time
from contextlib import suppress

import structlog

from dream_api.core.ratelimit.limiter import RateLimiter
from dream_api.core.ratelimit.valkey import PATIENCE_SECONDS

log = structlog.get_logger()
_RETRY_SECONDS = 1.0


class FallbackRateLimiter:
    """`far` decides; while it cannot be reached in time `near` does, and `far` is tried again every second."""

    def __init__(self, far: RateLimiter, near: RateLimiter, *, patience: float = PATIENCE_SECONDS) -> None:
        self._far = far
        self._near = near
        self._patience = patience
        self._is_lost = False
        self._retry_at = 0.0

    async def take(self, name: str, per_second: int) -> int:
        was_lost = self._is_lost
        if not self._is_to_be_tried():
            return await self._near.take(name, per_second)
        try:
            async with asyncio.timeout(self._patience):
                wait = await self._far.take(name, per_second)
        except Exception as problem:  # whatever it is: it must not fail a request that only had to be counted
            self._lose(problem)
            return await self._near.take(name, per_second)
        if was_lost:
            self._is_lost = False
            log.warning("valkey_found")
        return wait

    async def close(self) -> None:
        with suppress(Exception):  # who hangs must not keep the process from stopping
            await self._far.close()
        await self._near.close()

    def _is_to_be_tried(self) -> bool:
        """While it is lost, one call tries and the others do not wait for it."""
        if not self._is_lost:
            return True
        if time.monotonic() < self._retry_at:
            return False
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        return True

    def _lose(self, problem: Exception) -> None:
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        if not self._is_lost:
            self._is_lost = True
            log.warning("valkey_lost", problem=str(problem) or type(problem).__name__)
