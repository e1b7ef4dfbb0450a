"""Sign-in by password: the same work and the same response whether the account exists or not."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from dream_api import identity
from dream_api.accounts import user_queries
from dream_api.accounts.sessions import OpenedSession, open_session
from dream_api.accounts.users import User, user_from
from dream_api.core.db import Database, Tx
from dream_api.core.errors import Unauthorized, ValidationFailed
from dream_api.core.secrets import InstanceKey
from dream_api.identity import CodeKind, PasswordHasher

T = TypeVar("T")
# The link by which somebody who has shown their password comes to show a code.
CODE_LINK = "sign_in_code"
_SIGN_IN_REFUSED = (
    "Incorrect email or password, or the email address is not verified. "
    "After ten failed attempts, sign-in is blocked for 15 minutes."
)
_CHOOSE_FIRST = "Your account has no password yet. Set one by email first: sign out, then “Forgot password?”."


class SignInFailed(Unauthorized):
    code = "sign_in_failed"
    hint = "Check both, or reset your password. After ten failed attempts, sign-in is blocked for 15 minutes."

    def __init__(self, user_id: str | None, *, locks: bool) -> None:
        super().__init__(_SIGN_IN_REFUSED)
        # Whose address it was, and whether this attempt locks it; never shown to the caller.
        self.user_id = user_id
        self.locks = locks


class PasswordIncorrect(ValidationFailed):
    code = "password_incorrect"
    hint = "Enter the password of your account. After ten failed attempts, no password is accepted for 15 minutes."

    def __init__(self, *, locks: bool) -> None:
        super().__init__("The password is incorrect.", param="current")
        self.locks = locks


@dataclass(frozen=True, slots=True)
class SecondFactorResult:
    """The kind of the code, None where it was wrong; `locks`: whether that failure locks further attempts."""

    kind: CodeKind | None
    locks: bool = False


async def sign_in(
    database: Database, passwords: PasswordHasher, email: str, password: str, then: Callable[[Tx, User], Awaitable[T]]
) -> T:
    """What `then` returns, called in a transaction in which the password is still valid; raises SignInFailed.

    An address that does not exist, is not confirmed, has no password or is locked costs the same statements and the
    same one hash: who makes an account and then tries to sign in does not learn whether there was one before.
    """
    typed = email.strip().lower()
    async with database.write() as tx:
        claimed = await identity.register_attempt(tx, _password_attempt_name(typed))
        row = await user_queries.user_by_email(tx, typed)
    may_sign_in = row is not None and row.verified_at is not None and claimed.is_allowed
    hashed = row.password_hash if row is not None and may_sign_in else None
    is_right = await passwords.verify(password, hashed)
    if row is None or hashed is None or not is_right:
        raise SignInFailed(None if row is None else row.id, locks=claimed.is_last)
    fresh = await passwords.hash(password) if passwords.is_stale(hashed) else hashed
    async with database.write() as tx:
        row = await user_queries.user_by_id(tx, row.id)
        if row is None or row.password_hash != hashed:
            raise SignInFailed(None, locks=False)
        if fresh != hashed:
            await user_queries.set_user(tx, row.id, password_hash=fresh)
        # Codes are counted by themselves: who leaves the page of the code was right about the password.
        await identity.reset_attempts(tx, _password_attempt_name(typed))
        return await then(tx, user_from(row))


async def verify_second_factor(tx: Tx, user_id: str, key: InstanceKey, code: str) -> SecondFactorResult:
    """Whether the code is the user's; the attempt stays counted, so the transaction must be committed."""
    claimed = await identity.register_attempt(tx, _code_attempt_name(user_id))
    if not claimed.is_allowed:
        return SecondFactorResult(None)
    try:
        return SecondFactorResult(await identity.verify_totp(tx, user_id, key, code))
    except identity.TwoFactorCodeInvalid:
        return SecondFactorResult(None, locks=claimed.is_last)


async def start_session(tx: Tx, user: User, *, address: str, agent: str) -> OpenedSession:
    """A new session, after all factors were verified."""
    await reset_user_attempts(tx, user)
    return await open_session(tx, user.id, address=address, agent=agent)


async def reset_user_attempts(tx: Tx, user: User) -> None:
    """Start counting wrong passwords and codes from zero."""
    await identity.reset_attempts(tx, _password_attempt_name(user.email))
    await identity.reset_attempts(tx, _code_attempt_name(user.id))


async def confirm_password(database: Database, passwords: PasswordHasher, user_id: str, password: str) -> None:
    """Returns where it is the password of the signed-in user; wrong ones count as failed sign-ins.

    Raises PasswordIncorrect; ValidationFailed where there is none yet.
    """
    async with database.write() as tx:
        row = await user_queries.user_by_id(tx, user_id)
        if row is None:
            raise PasswordIncorrect(locks=False)
        claimed = await identity.register_attempt(tx, _password_attempt_name(row.email))
    if row.password_hash is None:
        raise ValidationFailed(_CHOOSE_FIRST, param="current")
    if not await passwords.verify(password, row.password_hash if claimed.is_allowed else None):
        raise PasswordIncorrect(locks=claimed.is_last)
    async with database.write() as tx:
        await identity.reset_attempts(tx, _password_attempt_name(row.email))


def _password_attempt_name(email: str) -> str:
    return f"developer password {email}"


def _code_attempt_name(user_id: str) -> str:
    return f"developer code {user_id}"
