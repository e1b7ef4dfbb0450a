"""Token buckets in this process's memory."""

from collections.abc import Callable

from dream_api.core import clock

_BUCKETS = 50_000


class MemoryRateLimiter:
    """At most `size` buckets, the one that was idle for longest evicted first.

    One of several processes allows its share. So that everybody can call at all, a bucket holds at least
    one call, however small the share: at 1 a second each of four processes admits one at once, then one every 4 s.
    """

    def __init__(self, *, processes: int = 1, size: int = _BUCKETS, now: Callable[[], int] = clock.now) -> None:
        # A call costs so much where the bucket fills at the whole rate: its share stays a whole number.
        self._cost = clock.SECOND * processes
        self._size = size
        self._now = now
        # The level, and the moment at which it stood there.
        self._buckets: dict[str, tuple[int, int]] = {}

    async def take(self, name: str, per_second: int) -> int:
        now = self._now()
        full = max(per_second * clock.SECOND, self._cost)
        level, at = self._buckets.pop(name, (full, now))
        level = min(full, level + max(0, now - at) * per_second)
        is_admitted = level >= self._cost
        self._put(name, (level - self._cost if is_admitted else level, now))
        return 0 if is_admitted else -(-(self._cost - level) // per_second)

    def _put(self, name: str, bucket: tuple[int, int]) -> None:
        if len(self._buckets) >= self._size:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[name] = bucket

    async def close(self) -> None:
        self._buckets.clear()

    def __len__(self) -> int:
        return len(self._buckets)
