"""How accounts are made by people themselves."""

from dream_api.accounts import user_queries
from dream_api.accounts.users import normalize_email, validate_name
from dream_api.core import clock, ids
from dream_api.core.db import Database
from dream_api.core.errors import Forbidden
from dream_api.core.jobs import enqueue
from dream_api.identity import PasswordHasher, validate_password

WELCOME_JOB = "accounts.welcome"


class SignUpClosed(Forbidden):
    code = "sign_up_closed"
    hint = "Ask somebody who works here to invite you, or whoever runs this instance."


def refuse_uninvited(invited: str | None) -> str:
    """The address that was invited; raises SignUpClosed where none was."""
    if invited is None:
        raise SignUpClosed("New accounts are not open to everybody here.")
    return invited


async def sign_up(
    database: Database, passwords: PasswordHasher, *, email: str, name: str, password: str, address: str
) -> None:
    """Where the address is new, its account. The same work and answer where it is not: the mail tells which it was."""
    proper = normalize_email(email)
    person = validate_name(name)
    hashed = await passwords.hash(validate_password(password, proper))
    now = clock.now()
    row = {"id": ids.new("usr"), "email": proper, "name": person, "password_hash": hashed, "created_at": now}
    async with database.write() as tx:
        await user_queries.insert_user_unless_known(tx, {**row, "verified_at": None})
        await enqueue(tx, WELCOME_JOB, {"user": row["id"], "email": proper, "address": address})
