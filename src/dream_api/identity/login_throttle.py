"""The lockout rule: how many failed attempts lock for how long."""

from dataclasses import dataclass

from dream_api.core import clock

MOST_FAILED = 10
LOCKED_FOR = 15 * clock.MINUTE


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed attempts since the last success; `locked_at`: when they reached the limit."""

    failed_attempts: int = 0
    locked_at: int | None = None


def is_locked(attempts: Attempts, now: int) -> bool:
    """Locked by a clock that was ahead and has been set back since then, it is no longer."""
    return attempts.locked_at is not None and abs(now - attempts.locked_at) < LOCKED_FOR


def after_attempt(attempts: Attempts, now: int) -> Attempts:
    """With one more attempt, counted as failed until it succeeds; after an expired lock, counting starts from zero."""
    if is_locked(attempts, now):
        return attempts
    failed = 1 if attempts.locked_at is not None else attempts.failed_attempts + 1
    return Attempts(failed, now if failed >= MOST_FAILED else None)
