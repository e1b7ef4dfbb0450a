"""Who comes by another provider's sign-in."""

from dream_api.accounts import user_queries
from dream_api.accounts.changing import mark_verified
from dream_api.accounts.users import User, create_user, find_user, proper_email, user_of
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.identity import Claims, ProviderFailed

_LONGEST_NAME = 120


async def arrive(tx: Tx, claims: Claims, *, may_join: bool) -> User:
    """Whoever the provider knows by this subject, or has this address; else, where they `may_join`, somebody new.

    The subject goes before the address, which may be another's by now. An address counts where the provider has
    verified it, and an account that was made with it unverified is taken from whoever made it. Raises ProviderFailed.
    """
    known = await user_queries.linked_user(tx, claims.issuer, claims.subject)
    if known is not None:
        user = await find_user(tx, known)
        assert user is not None
        return user
    if not claims.is_email_verified:
        raise ProviderFailed("The provider has not verified your e-mail address.")
    email = proper_email(claims.email)
    user = await user_of(tx, email)
    if user is not None:
        user = await mark_verified(tx, user)
    elif may_join:
        user = await create_user(tx, email, _name(claims.name), verified=True)
    else:
        raise ProviderFailed("There is no account with this address, and new ones are not open to everybody.")
    await user_queries.insert_link(tx, claims.issuer, claims.subject, user.id, clock.now())
    return user


def _name(told: str) -> str:
    return "".join(c for c in told if c.isprintable()).strip()[:_LONGEST_NAME]
