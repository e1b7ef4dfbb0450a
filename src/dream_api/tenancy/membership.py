"""Team membership: each change is checked against the level's seat limit and written to the security log, in one
transaction."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api import accounts, audit, platforms
from dream_api.accounts import Role, Session
from dream_api.audit import Actor
from dream_api.auth.principals import PlatformPrincipal
from dream_api.core.db import Tx
from dream_api.platforms import Mode, Platform
from dream_api.tenancy.member_limit import require_free_seat, sync_member_count


@dataclass(frozen=True, slots=True)
class TeamChange:
    """A developer who changes the team, as the log knows them; `mode`: in which home sells its levels."""

    developer: PlatformPrincipal
    actor: Actor
    mode: Mode

    @property
    def platform(self) -> Platform:
        return self.developer.platform


async def create_platform(tx: Tx, name: str, session: Session, mode: Mode, *, address: str | None) -> Platform:
    """A new platform on the lowest level, owned by the signed-in user."""
    platform = await platforms.create(tx, name)
    await platforms.add_member(tx, platform.no, session.user_id, "owner")
    await sync_member_count(tx, platform, mode)
    by = _actor_of(session, address)
    await audit.record(
        tx, platform.log_stream, "platform.created", by=by, about=platform.id, details={"name": platform.name}
    )
    return platform


async def invite(tx: Tx, by: TeamChange, email: str, role: Role, token: str) -> Row[Any]:
    """The new invitation, whose email the caller sends; raises MembersLimitReached where no seat is free."""
    await require_free_seat(tx, by.platform, by.mode)
    invited = await platforms.invite(
        tx, by.platform.no, email, role, token, by=by.developer.role, invited_by=by.developer.shown_name
    )
    await _record(tx, by, "member.invited", invited.id, email=invited.email, role=role)
    return invited


async def invite_again(tx: Tx, by: TeamChange, invitation_id: str, token: str) -> Row[Any]:
    """The invitation with a new link, whose email the caller sends."""
    invited = await platforms.invite_again(tx, by.platform.no, invitation_id, token, by=by.developer.role)
    await _record(tx, by, "member.invited", invited.id, email=invited.email, role=invited.role)
    return invited


async def revoke_invitation(tx: Tx, by: TeamChange, invitation_id: str) -> None:
    gone = await platforms.revoke_invitation(tx, by.platform.no, invitation_id, by=by.developer.role)
    await _record(tx, by, "member.uninvited", gone.id, email=gone.email, role=gone.role)


async def accept(tx: Tx, token: str, session: Session, mode: Mode, *, address: str | None) -> Platform:
    """The platform of the invitation, of which the signed-in user is a member now."""
    return await _join(tx, await platforms.use_invitation(tx, token, session.email), session, mode, address)


async def accept_waiting(tx: Tx, invitation_id: str, session: Session, mode: Mode, *, address: str | None) -> Platform:
    """As `accept`, without the link of the invitation: the user's address is verified."""
    return await _join(tx, await _use_waiting(tx, invitation_id, session), session, mode, address)


async def decline(tx: Tx, invitation_id: str, session: Session, *, address: str | None) -> None:
    """Delete an invitation of the user's verified address."""
    invitation = await _use_waiting(tx, invitation_id, session)
    platform = await platforms.get(tx, invitation.platform_no)
    by, details = _actor_of(session, address), {"email": invitation.email, "role": invitation.role}
    await audit.record(tx, platform.log_stream, "member.declined", by=by, about=invitation.id, details=details)


async def _use_waiting(tx: Tx, invitation_id: str, session: Session) -> Row[Any]:
    """The address is read again: the session may know a former one."""
    user = await accounts.find_user(tx, session.user_id)
    if user is None or user.verified_at is None:
        raise accounts.EmailNotVerified("The email address is not verified.")
    return await platforms.use_invitation_of(tx, invitation_id, user.email)


async def _join(tx: Tx, invitation: Row[Any], session: Session, mode: Mode, address: str | None) -> Platform:
    await platforms.lock_platform(tx, invitation.platform_no)
    await platforms.require_open(tx, invitation.platform_no)
    platform = await platforms.get(tx, invitation.platform_no)
    await platforms.add_member(tx, platform.no, session.user_id, invitation.role)
    await sync_member_count(tx, platform, mode)
    by, about = _actor_of(session, address), session.user_id
    details = {"email": invitation.email, "role": invitation.role}
    await audit.record(tx, platform.log_stream, "member.joined", by=by, about=about, details=details)
    return platform


def _actor_of(session: Session, address: str | None) -> Actor:
    return Actor("user", session.user_id, session.shown_name, address or "")


async def change_role(tx: Tx, by: TeamChange, user_id: str, role: Role) -> Row[Any]:
    """The member as they are then."""
    before = await platforms.change_role(tx, by.platform.no, user_id, role, by=by.developer.role)
    if before.role != role:
        await _record(tx, by, "member.role_changed", user_id, role=role, before=before.role)
    return await platforms.find_member(tx, by.platform.no, user_id)


async def leave(tx: Tx, by: TeamChange, user_id: str) -> None:
    """They are no member any more, and their personal tokens on the platform end; oneself may always leave."""
    is_oneself = user_id == by.developer.user_id
    if not is_oneself:
        platforms.require_permission(by.developer.role, "team")
    left = await platforms.remove_member(tx, by.platform.no, user_id, by=by.developer.role)
    await sync_member_count(tx, by.platform, by.mode)
    action = "member.left" if is_oneself else "member.removed"
    await _record(tx, by, action, user_id, role=left.role)


async def transfer(tx: Tx, by: TeamChange, to_user_id: str) -> None:
    """Make another member the owner; the present owner becomes an admin."""
    assert by.developer.user_id is not None
    await platforms.transfer(tx, by.platform.no, by.developer.user_id, to_user_id)
    await _record(tx, by, "owner.transferred", to_user_id)


async def _record(tx: Tx, by: TeamChange, action: str, about: str, **details: str) -> None:
    await audit.record(tx, by.platform.log_stream, action, by=by.actor, about=about, details=details)
