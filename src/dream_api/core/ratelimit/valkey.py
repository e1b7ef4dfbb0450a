"""Token buckets in Valkey, shared by all processes."""

import asyncio
from collections.abc import Callable
from typing import Any

# The same rule as in memory, in whole numbers below 2^53; by the server's clock, which all processes share.
# A clock that was put back fills nothing, and costs nobody more than what was taken before.
_TAKE = """
local per_second, now = tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local level = per_second * 1000000
local known = redis.call('GET', KEYS[1])
if known then
  local was, at = known:match('(%d+) (%d+)')
  local gone = math.min(math.max(now - at, 0), 1000000)
  level = math.min(level, was + gone * per_second)
end
local wait = 0
if level >= 1000000 then
  level = level - 1000000
else
  wait = math.ceil((1000000 - level) / per_second)
end
redis.call('SET', KEYS[1], string.format('%.0f %.0f', level, now), 'PX', ARGV[3])
return wait
"""
# A bucket is full again after a second; what is gone is as good as full.
_KEEP_MILLISECONDS = 5_000
_CONNECTIONS = 32
PATIENCE_SECONDS = 0.25


class ValkeyRateLimiter:
    """Raises what the client raises where the server cannot be reached, or does not answer in time."""

    def __init__(self, url: str, *, patience: float = PATIENCE_SECONDS, now: Callable[[], int] | None = None) -> None:
        """`url` begins with redis, rediss, valkey, valkeys or unix; `now` goes before the server's own clock."""
        # Six megabytes, for those only who have a Valkey.
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        scheme, _, rest = url.partition("://")
        url = f"{scheme.replace('valkey', 'redis')}://{rest}"
        # The client needs limits of its own: on Python 3.11 a cancellation can get lost in its `asyncio.wait_for`.
        self._client: Any = Redis.from_url(
            url, socket_timeout=patience, socket_connect_timeout=patience, retry=Retry(NoBackoff(), 0)
        )
        self._script: Any = self._client.register_script(_TAKE)
        self._now = now
        self._turns = asyncio.Semaphore(_CONNECTIONS)

    async def take(self, name: str, per_second: int) -> int:
        now = "" if self._now is None else self._now()
        async with self._turns:
            return await self._script([f"dream:rate:{name}"], [per_second, now, _KEEP_MILLISECONDS])

    async def close(self) -> None:
        await self._client.aclose()
