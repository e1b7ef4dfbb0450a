"""Bounded memoization of derived values."""

from typing import TypeVar

_MAX_ENTRIES = 20_000
K = TypeVar("K")
V = TypeVar("V")


def memoize(memo: dict[K, V], name: K, value: V) -> V:
    """Store the value under the name and return it; a full memo is emptied first."""
    if len(memo) >= _MAX_ENTRIES:
        memo.clear()
    memo[name] = value
    return value
