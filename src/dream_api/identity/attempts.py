"""Login attempts: counted for each name, such as an email address; locked after too many failures."""

from dataclasses import dataclass

from sqlalchemy import select, update

from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.db.statements import insert
from dream_api.core.secrets import hash_token
from dream_api.identity.login_throttle import Attempts, after_attempt, is_locked
from dream_api.identity.tables import attempts

a = attempts.c


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """Whether the attempt may be verified, and whether a failure would lock further ones for a while."""

    is_allowed: bool
    is_last: bool


async def register_attempt(tx: Tx, name: str) -> LoginAttempt:
    """Count one attempt, as failed until `reset_attempts`.

    Counted before it is verified, so that concurrent attempts are limited like consecutive ones. The same
    three statements whatever the name stands for, and whether it stands for anything.
    """
    hashed, now = hash_token(name), clock.now()
    beginning = {"hash": hashed, "failed_attempts": 0, "locked_at": None, "changed_at": now}
    await tx.execute(insert(attempts).values(beginning).on_conflict_do_nothing())
    row = await tx.first(select(attempts).where(a.hash == hashed).with_for_update())
    assert row is not None
    before = Attempts(row.failed_attempts, row.locked_at)
    after = after_attempt(before, now)
    changed = {"failed_attempts": after.failed_attempts, "locked_at": after.locked_at, "changed_at": now}
    await tx.execute(update(attempts).where(a.hash == hashed).values(changed))
    is_allowed = not is_locked(before, now)
    return LoginAttempt(is_allowed, is_last=is_allowed and after.locked_at is not None)


async def reset_attempts(tx: Tx, name: str) -> None:
    """Start counting from zero, after a success."""
    begun = {"failed_attempts": 0, "locked_at": None, "changed_at": clock.now()}
    await tx.execute(update(attempts).where(a.hash == hash_token(name)).values(begun))
