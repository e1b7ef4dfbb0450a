"""The contract of rate limiters, and the error of a caller over its rate."""

from typing import Protocol

from dream_api.core import clock
from dream_api.core.errors import TooMany


class RateLimited(TooMany):
    code = "rate_limited"
    hint = "Wait for the number of seconds in Retry-After, then send fewer requests per second."


class RateLimiter(Protocol):
    """Token buckets by name."""

    async def take(self, name: str, per_second: int) -> int:
        """0 where one more is admitted now, else the microseconds until one would be."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


async def enforce_rate(rates: RateLimiter, name: str, per_second: int, *, whose: str) -> None:
    """Count one call; RateLimited, with `Retry-After`, where there were too many."""
    wait = await rates.take(name, per_second)
    if not wait:
        return
    seconds = -(-wait // clock.SECOND)
    headers = {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"{whose}";q={per_second};w=1',
        "RateLimit": f'"{whose}";r=0;t={seconds}',
    }
    raise RateLimited(f"Too many requests: the limit of this {whose} is {per_second:,} per second.", headers=headers)
