"""How many wrong tries are enough."""

from dataclasses import dataclass

from dream_api.core import clock

MOST_FAILED = 10
LOCKED_FOR = 15 * clock.MINUTE


@dataclass(frozen=True, slots=True)
class Attempts:
    """What failed since the last success; `locked_at`: when that was too much."""

    failed_attempts: int = 0
    locked_at: int | None = None


def is_locked(attempts: Attempts, now: int) -> bool:
    return attempts.locked_at is not None and now < attempts.locked_at + LOCKED_FOR


def after_try(attempts: Attempts, now: int) -> Attempts:
    """With one more try, counted as failed until it is known to be good; a lock that is over begins anew."""
    if is_locked(attempts, now):
        return attempts
    failed = 1 if attempts.locked_at is not None else attempts.failed_attempts + 1
    return Attempts(failed, now if failed >= MOST_FAILED else None)
