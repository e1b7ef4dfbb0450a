"""Sign-up: accounts that people create themselves."""

from dream_api.accounts import user_queries
from dream_api.accounts.deferred_mail import random_moment
from dream_api.accounts.profile import mark_verified
from dream_api.accounts.users import User, find_user, find_user_by_email, normalize_email, validate_name
from dream_api.core import clock, ids
from dream_api.core.db import Database, Tx
from dream_api.core.errors import Forbidden
from dream_api.core.jobs import enqueue
from dream_api.identity import PasswordHasher, validate_password

WELCOME_JOB = "accounts.welcome"


class SignUpClosed(Forbidden):
    code = "sign_up_closed"
    hint = "Ask a member of a platform or the operator of this instance to invite you."


def require_invitation(invited: str | None) -> str:
    """The invited address; raises SignUpClosed without an invitation."""
    if invited is None:
        raise SignUpClosed("Sign-up is by invitation only.")
    return invited


async def sign_up(
    database: Database, passwords: PasswordHasher, *, email: str, name: str, password: str, address: str
) -> None:
    """Create an account where the address is new. If it is not, do the same work: only the email says which it was."""
    proper = normalize_email(email)
    person = validate_name(name)
    hashed = await passwords.hash(validate_password(password, proper))
    now = clock.now()
    row = {"id": ids.new("usr"), "email": proper, "name": person, "password_hash": hashed, "created_at": now}
    async with database.write() as tx:
        await user_queries.insert_user_unless_known(tx, {**row, "verified_at": None})
        await enqueue(tx, WELCOME_JOB, {"user": row["id"], "email": proper, "address": address}, run_at=random_moment())


async def sign_up_verified(tx: Tx, *, email: str, name: str, password_hash: str) -> User | None:
    """The account of somebody who has proved that they read mail to the address; None where a verified one has it.

    The creator of an unverified account with the address has proved nothing: its password and name are replaced.
    """
    proper, person, now = normalize_email(email), validate_name(name), clock.now()
    row = {"id": ids.new("usr"), "email": proper, "name": person, "password_hash": password_hash, "created_at": now}
    await user_queries.insert_user_unless_known(tx, {**row, "verified_at": now})
    known = await find_user_by_email(tx, proper)
    assert known is not None
    if known.id == row["id"]:
        return known
    await user_queries.lock_user(tx, known.id)
    locked = await find_user(tx, known.id)
    if locked is None or locked.verified_at is not None:
        return None
    await mark_verified(tx, locked)
    await user_queries.set_user(tx, locked.id, name=person, password_hash=password_hash)
    return await find_user(tx, locked.id)
