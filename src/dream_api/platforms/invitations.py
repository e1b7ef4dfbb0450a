"""Invitations: somebody's address is asked to work on a platform, by a link that works once, or after they sign in."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from dream_api import accounts
from dream_api.accounts import Role
from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, Forbidden, NotFound
from dream_api.core.secrets import hash_token
from dream_api.platforms import invitation_queries, member_queries, queries
from dream_api.platforms.closure import require_open
from dream_api.platforms.members import AlreadyAMember, require_owner_to_change_owners

LIFE = 7 * clock.DAY
# So long that no log line shows it whole.
_TOKEN_BYTES = 54


class AlreadyInvited(Conflict):
    code = "already_invited"
    hint = "Send the invitation again, or revoke it and invite them in another role."


class InvitationExpired(NotFound):
    code = "invitation_expired"
    hint = "Ask the person who invited you to send the invitation again. Each link works once, for 7 days."


class InvitationEmailMismatch(Forbidden):
    code = "invitation_email_mismatch"
    hint = "Sign out, and sign in or up with the address that the invitation was sent to."


def new_token() -> str:
    """What stands in the link of an invitation."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


async def invite(
    tx: Tx, platform_no: int, email: str, role: Role, token: str, *, by: Role, invited_by: str
) -> Row[Any]:
    """The one invitation of that address to the platform; its mail is the caller's to send."""
    proper = accounts.normalize_email(email)
    require_owner_to_change_owners(by, role)
    await queries.lock_platform(tx, platform_no)
    await require_open(tx, platform_no)
    known = await accounts.find_user_by_email(tx, proper)
    if known is not None and await member_queries.member_row(tx, platform_no, known.id) is not None:
        raise AlreadyAMember("They are already a member of this platform.", param="email")
    now = clock.now()
    before = await invitation_queries.of_email(tx, platform_no, proper)
    if before is not None and before.expires_at > now:
        raise AlreadyInvited("This address is already invited.", param="email")
    if before is not None:
        await invitation_queries.delete_invitation(tx, platform_no, before.id)
    invitation_id = ids.new("inv")
    row = {
        "id": invitation_id,
        "hash": hash_token(token),
        "email": proper,
        "role": role,
        "invited_by": invited_by,
        "created_at": now,
        "expires_at": now + LIFE,
    }
    await invitation_queries.insert_invitation(tx, platform_no, row)
    return await read_invitation(tx, platform_no, invitation_id)


async def invite_again(tx: Tx, platform_no: int, invitation_id: str, token: str, *, by: Role) -> Row[Any]:
    """With a new link for another 7 days; the one before ends."""
    await require_open(tx, platform_no)
    row = await read_invitation(tx, platform_no, invitation_id)
    require_owner_to_change_owners(by, row.role)
    values = {"hash": hash_token(token), "expires_at": clock.now() + LIFE}
    await invitation_queries.update_invitation(tx, platform_no, invitation_id, values)
    return await read_invitation(tx, platform_no, invitation_id)


async def revoke_invitation(tx: Tx, platform_no: int, invitation_id: str, *, by: Role) -> Row[Any]:
    """Its link is worth nothing from now on."""
    row = await read_invitation(tx, platform_no, invitation_id)
    require_owner_to_change_owners(by, row.role)
    await invitation_queries.delete_invitation(tx, platform_no, invitation_id)
    return row


async def find_invitation(tx: Tx, token: str) -> Row[Any]:
    """The open invitation with this token, and the name of its platform."""
    return _require_open(await invitation_queries.by_hash(tx, hash_token(token)))


async def list_open_invitations(tx: Tx, email: str) -> Sequence[Row[Any]]:
    """The open invitations of the address, and the names of their platforms."""
    return await invitation_queries.open_of_email(tx, email, clock.now())


async def use_invitation(tx: Tx, token: str, email: str) -> Row[Any]:
    """The invitation, used up; raises InvitationEmailMismatch for another address than the invited one."""
    row = await find_invitation(tx, token)
    if row.email != email:
        raise InvitationEmailMismatch(f"The invitation was not sent to {email}.")
    return await _use_up(tx, row)


async def use_invitation_of(tx: Tx, invitation_id: str, email: str) -> Row[Any]:
    """The invitation, used up without its link: the caller has checked that the address is the user's."""
    return await _use_up(tx, _require_open(await invitation_queries.by_id_and_email(tx, invitation_id, email)))


async def _use_up(tx: Tx, row: Row[Any]) -> Row[Any]:
    if not await invitation_queries.delete_invitation(tx, row.platform_no, row.id):
        raise InvitationExpired("This invitation was already used.")
    return row


def _require_open(row: Row[Any] | None) -> Row[Any]:
    if row is None or row.expires_at <= clock.now():
        raise InvitationExpired("This invitation has expired or was revoked.")
    return row


async def read_invitation(tx: Tx, platform_no: int, invitation_id: str) -> Row[Any]:
    row = await invitation_queries.by_id(tx, platform_no, invitation_id)
    if row is None:
        raise NotFound("Invitation not found.", param="id")
    return row
