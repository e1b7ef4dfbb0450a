"""What people change of their accounts, until they close them."""

from dream_api import identity
from dream_api.accounts import user_queries
from dream_api.accounts.sessions import end_sessions, invalidate_sessions
from dream_api.accounts.token_issuance import revoke_of
from dream_api.accounts.users import EmailTaken, User, find_user, validate_name
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound

VERIFY_LINK = "verify"
RESET_LINK = "reset"


async def rename(tx: Tx, user_id: str, name: str) -> None:
    await user_queries.set_user(tx, user_id, name=validate_name(name))
    await invalidate_sessions(tx, user_id)


async def set_password(tx: Tx, user_id: str, hashed: str, *, but: str = "") -> None:
    """All sessions end but this one, and no link that was sent before works any more."""
    await user_queries.set_user(tx, user_id, password_hash=hashed)
    await identity.forget_links(tx, user_id)
    await end_sessions(tx, user_id, but=(but,))


async def reset_password(tx: Tx, token: str, hashed: str) -> User:
    """Whose password it is now; the link shows that the address is theirs. Raises LinkUnusable."""
    link = await identity.use_link(tx, RESET_LINK, token)
    await set_password(tx, link.subject, hashed)
    return await _verified(tx, await _found(tx, link.subject))


async def verify(tx: Tx, token: str) -> tuple[User, User]:
    """The person before and after: the address that the link was sent to is theirs. Raises LinkUnusable, EmailTaken."""
    link = await identity.use_link(tx, VERIFY_LINK, token)
    user = await _found(tx, link.subject)
    if link.payload == user.email:
        return user, await _verified(tx, user)
    if await user_queries.user_by_email(tx, link.payload) is not None:
        raise EmailTaken("Somebody else has an account with this address.", param="email")
    await user_queries.set_user(tx, user.id, email=link.payload, verified_at=clock.now())
    # Whoever could read mail to the former address no longer has a way in.
    await identity.forget_links(tx, user.id)
    await invalidate_sessions(tx, user.id)
    return user, await _found(tx, user.id)


async def mark_verified(tx: Tx, user: User) -> User:
    """Somebody we trust says that the address is theirs. Who made the account without showing that has no way in."""
    if user.verified_at is not None:
        return user
    await user_queries.set_user(tx, user.id, password_hash=None)
    await identity.forget_links(tx, user.id)
    await identity.disable_totp(tx, user.id)
    await end_sessions(tx, user.id)
    return await _verified(tx, user)


async def close(tx: Tx, user_id: str) -> None:
    """Nothing is left of the person, who is a member of no platform any more; raises NotFound."""
    await _found(tx, user_id)
    await end_sessions(tx, user_id)
    await revoke_of(tx, user_id)
    await identity.forget_links(tx, user_id)
    await identity.disable_totp(tx, user_id)
    await user_queries.delete_user(tx, user_id)


async def _verified(tx: Tx, user: User) -> User:
    if user.verified_at is None:
        await user_queries.set_user(tx, user.id, verified_at=clock.now())
        await invalidate_sessions(tx, user.id)
    return await _found(tx, user.id)


async def _found(tx: Tx, user_id: str) -> User:
    user = await find_user(tx, user_id)
    if user is None:
        raise NotFound("There is no such account.")
    return user
