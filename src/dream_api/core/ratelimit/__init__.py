"""Rate limits: token buckets, in memory or shared through Valkey.

A bucket holds one second's worth of calls and is filled at the same rate: 20 a second admits 20 at once. What is
refused takes nothing. Levels are whole numbers, millionths of a call: at N a second a microsecond brings exactly N.
"""

from dream_api.core.ratelimit.fallback import FallbackRateLimiter
from dream_api.core.ratelimit.limiter import RateLimited, RateLimiter, enforce_rate
from dream_api.core.ratelimit.memory import MemoryRateLimiter
from dream_api.core.ratelimit.valkey import ValkeyRateLimiter

__all__ = [
    "FallbackRateLimiter",
    "MemoryRateLimiter",
    "RateLimited",
    "RateLimiter",
    "ValkeyRateLimiter",
    "enforce_rate",
    "open_rate_limiter",
]


def open_rate_limiter(valkey_url: str | None, *, processes: int = 1) -> RateLimiter:
    """Rates shared through Valkey where there is one, else this process's share of them."""
    local = MemoryRateLimiter(processes=processes)
    return local if valkey_url is None else FallbackRateLimiter(ValkeyRateLimiter(valkey_url), local)
