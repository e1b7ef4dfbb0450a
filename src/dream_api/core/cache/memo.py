"""Bounded memory of what is made from other facts."""

from typing import TypeVar

_KEPT = 20_000
K = TypeVar("K")
V = TypeVar("V")


def keep(kept: dict[K, V], name: K, value: V) -> V:
    """Remember what was made for the calls that come again; all begins anew when there is too much."""
    if len(kept) >= _KEPT:
        kept.clear()
    kept[name] = value
    return value
