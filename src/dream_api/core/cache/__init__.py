"""In-process caches that are at most one second stale in every process.

A transaction that changes a cached value calls `cache.invalidate(tx, kind, key)`. At its commit this process evicts the
entry; every other process reads the last ten seconds of the table `changes` four times a second and evicts it too. It
looks back by the database's clock and not by a sequence, because commits do not come in the order of their sequence
numbers; a transaction that invalidates something must be over within five seconds. A process that could not poll for a
second trusts none of its entries and reads everything from the database.
"""

from dream_api.core.cache.cache import Cache
from dream_api.core.cache.invalidation import CacheInvalidator, invalidate
from dream_api.core.cache.memo import memoize

__all__ = ["Cache", "CacheInvalidator", "invalidate", "memoize"]
