"""Cached facts, at most one second old in every process.

A transaction that changes something cached calls `changes.note(tx, kind, key)`. At its commit this process forgets the
fact; every other process re-reads the last ten seconds of the table `changes` four times a second and forgets too. It
looks back by the database's clock and not by a sequence, because commits do not come in the order of their sequence
numbers; a transaction that notes a change must be over within five seconds. A process that could not look for a second
trusts nothing it remembers and reads everything anew.
"""

from dream_api.core.cache.cache import Cache
from dream_api.core.cache.invalidation import CacheInvalidator, invalidate
from dream_api.core.cache.memo import keep

__all__ = ["Cache", "CacheInvalidator", "invalidate", "keep"]
