"""Accounts of developers."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api.accounts import user_queries
from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, ValidationFailed

_LONGEST_EMAIL = 254
_LONGEST_LOCAL = 64
_LONGEST_NAME = 120


class EmailTaken(Conflict):
    code = "email_taken"
    hint = "Sign in with this address, or reset the password at /account/reset."


@dataclass(frozen=True, slots=True)
class User:
    """A developer."""

    id: str
    email: str
    name: str
    verified_at: int | None
    created_at: int
    # Otherwise they come by another provider's sign-in.
    has_password: bool = False

    @property
    def shown_name(self) -> str:
        """How others know the person."""
        return self.name or self.email


def normalize_email(email: str, param: str = "email") -> str:
    """The address in lower case; ValidationFailed where it is malformed."""
    proper = email.strip().lower()
    name, at, host = proper.rpartition("@")
    is_one = at and 0 < len(name) <= _LONGEST_LOCAL and "." in host.strip(".") and len(proper) <= _LONGEST_EMAIL
    if not is_one or not proper.isprintable() or any(c.isspace() or c in '<>(),;:"[]\\' for c in proper) or "@" in name:
        raise ValidationFailed("Enter a valid email address.", param=param, hint="For example: ada@example.com.")
    return proper


def validate_name(name: str, param: str = "name") -> str:
    """The name without spaces around it; it may be left out."""
    proper = name.strip()
    if len(proper) > _LONGEST_NAME or not proper.isprintable():
        raise ValidationFailed(f"A name can have at most {_LONGEST_NAME} printable characters.", param=param)
    return proper


async def create_user(
    tx: Tx, email: str, name: str = "", *, verified: bool = False, password_hash: str | None = None
) -> User:
    """Without a password hash there is no way to sign in yet; raises EmailTaken."""
    proper = normalize_email(email)
    person = validate_name(name)
    if await user_queries.user_by_email(tx, proper) is not None:
        raise EmailTaken("An account with this email address already exists.", param="email")
    now = clock.now()
    user = User(ids.new("usr"), proper, person, now if verified else None, now, password_hash is not None)
    await user_queries.insert_user(
        tx,
        {
            "id": user.id,
            "email": user.email,
            "name": user.name,
            "verified_at": user.verified_at,
            "created_at": user.created_at,
            "password_hash": password_hash,
        },
    )
    return user


async def find_user(tx: Tx, user_id: str) -> User | None:
    row = await user_queries.user_by_id(tx, user_id)
    return None if row is None else user_from(row)


async def find_user_by_email(tx: Tx, email: str) -> User | None:
    """The user with this address."""
    row = await user_queries.user_by_email(tx, email.strip().lower())
    return None if row is None else user_from(row)


def user_from(row: Row[Any]) -> User:
    return User(row.id, row.email, row.name, row.verified_at, row.created_at, row.password_hash is not None)
