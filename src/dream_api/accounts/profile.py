"""Changes to an account: name, password, verification of the address, closing."""

from dream_api import identity
from dream_api.accounts import user_queries
from dream_api.accounts.sessions import end_sessions, invalidate_sessions
from dream_api.accounts.token_issuance import revoke_user_tokens
from dream_api.accounts.users import EmailTaken, User, find_user, validate_name
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound

VERIFY_LINK = "verify"
RESET_LINK = "reset"


async def rename_user(tx: Tx, user_id: str, name: str) -> None:
    await user_queries.set_user(tx, user_id, name=validate_name(name))
    await invalidate_sessions(tx, user_id)


async def set_password(tx: Tx, user_id: str, hashed: str, *, but: str = "") -> None:
    """Set the password; end all sessions except this one, and delete all links."""
    await user_queries.set_user(tx, user_id, password_hash=hashed)
    await identity.delete_links(tx, user_id)
    await end_sessions(tx, user_id, but=(but,))


async def reset_password(tx: Tx, token: str, hashed: str) -> User:
    """The user, with the new password; the link verifies the address, too. Raises LinkExpired."""
    link = await identity.use_link(tx, RESET_LINK, token)
    await set_password(tx, link.subject, hashed)
    return await _verified(tx, await _get(tx, link.subject))


async def verify_email(tx: Tx, token: str) -> tuple[User, User]:
    """The user before and after: the link's address is verified. Raises LinkExpired, EmailTaken."""
    link = await identity.use_link(tx, VERIFY_LINK, token)
    user = await _get(tx, link.subject)
    if link.payload == user.email:
        return user, await _verified(tx, user)
    if await user_queries.user_by_email(tx, link.payload) is not None:
        raise EmailTaken("Another account uses this email address.", param="email")
    await user_queries.set_user(tx, user.id, email=link.payload, verified_at=clock.now())
    # Anyone who can read mail to the former address no longer has a way in.
    await identity.delete_links(tx, user.id)
    await invalidate_sessions(tx, user.id)
    return user, await _get(tx, user.id)


async def mark_verified(tx: Tx, user: User) -> User:
    """Mark the address as verified by a provider. An account that was unverified loses its password and sessions."""
    if user.verified_at is not None:
        return user
    await user_queries.set_user(tx, user.id, password_hash=None)
    await identity.delete_links(tx, user.id)
    await identity.disable_totp(tx, user.id)
    await end_sessions(tx, user.id)
    return await _verified(tx, user)


async def close_account(tx: Tx, user_id: str) -> None:
    """Delete the account of a user who is a member of no platform; raises NotFound."""
    await _get(tx, user_id)
    await end_sessions(tx, user_id)
    await revoke_user_tokens(tx, user_id)
    await identity.delete_links(tx, user_id)
    await identity.disable_totp(tx, user_id)
    await user_queries.delete_user(tx, user_id)


async def _verified(tx: Tx, user: User) -> User:
    if user.verified_at is None:
        await user_queries.set_user(tx, user.id, verified_at=clock.now())
        await invalidate_sessions(tx, user.id)
    return await _get(tx, user.id)


async def _get(tx: Tx, user_id: str) -> User:
    user = await find_user(tx, user_id)
    if user is None:
        raise NotFound("Account not found.")
    return user
