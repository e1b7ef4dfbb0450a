"""Sign-in by an external provider: finds, links or creates the account."""

from dataclasses import dataclass

from dream_api.accounts import user_queries
from dream_api.accounts.profile import mark_verified
from dream_api.accounts.users import User, create_user, find_user, find_user_by_email, normalize_email
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.identity import Claims, ProviderSignInFailed

_LONGEST_NAME = 120
_UNVERIFIED = "The provider has not verified your email address."


@dataclass(frozen=True, slots=True)
class ExternalSignIn:
    """The user; whether the account is new, and whether the provider was linked to it just now."""

    user: User
    is_new: bool = False
    is_linked: bool = False


async def sign_in_external(tx: Tx, claims: Claims, *, may_join: bool, is_email_proved: bool = False) -> ExternalSignIn:
    """The user with this subject, or else with this address; a new one where there is none and `may_join`.

    The subject takes precedence, because the address may belong to somebody else by now. The provider must have
    verified the address; an account that was created with it unverified loses its password. `is_email_proved`: they
    came by a link that was emailed to the address, which is enough where no verified account has it.

    Raises ProviderSignInFailed.
    """
    known = await user_queries.linked_user(tx, claims.issuer, claims.subject)
    if known is not None:
        user = await find_user(tx, known)
        assert user is not None
        return ExternalSignIn(user)
    if not (claims.is_email_verified or is_email_proved):
        raise ProviderSignInFailed(_UNVERIFIED)
    email = normalize_email(claims.email)
    known_by_email = await find_user_by_email(tx, email)
    if not claims.is_email_verified and known_by_email is not None and known_by_email.verified_at is not None:
        raise ProviderSignInFailed(_UNVERIFIED)
    if known_by_email is not None:
        user = await mark_verified(tx, known_by_email)
    elif may_join:
        user = await create_user(tx, email, _name(claims.name), verified=True)
    else:
        raise ProviderSignInFailed("There is no account with this email address, and sign-up is by invitation only.")
    await user_queries.insert_link(tx, claims.issuer, claims.subject, user.id, clock.now())
    return ExternalSignIn(user, is_new=known_by_email is None, is_linked=True)


def _name(claimed: str) -> str:
    return "".join(c for c in claimed if c.isprintable()).strip()[:_LONGEST_NAME]
