"""`/api/team`: members and invitations of a platform."""

from typing import Annotated

from fastapi import Path, Request
from pydantic import Field

from dream_api import accounts, platforms, tenancy
from dream_api.api.endpoint import Endpoints, JsonBody, Post
from dream_api.api.enums import Role
from dream_api.api.models import NO_NUL, ResponseModel, example, example_of, path_id
from dream_api.api.platforms.models import Deleted, Invitation, Member, to_member
from dream_api.auth.dependencies import CanManageTeam, PlatformMember
from dream_api.auth.principals import PlatformPrincipal
from dream_api.auth.rate_limit import client_address
from dream_api.core import mail
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.platforms import emails
from dream_api.tenancy import membership
from dream_api.tenancy.membership import TeamChange

endpoints = Endpoints("Team", "/api/team")

_UserId = Annotated[
    str,
    Path(
        alias="userId",
        max_length=64,
        pattern=NO_NUL,
        description="`usr_…`",
        examples=["usr_01k9q3v8zd0g2m4n6p8r0t2v4w"],
    ),
]
_InvitationId = Annotated[str, path_id("inv")]


class InvitationCreate(RequestModel, json_schema_extra=example({"email": "grace@example.com", "role": "member"})):
    """An email address to invite, and the role of the new member."""

    email: str = Field(max_length=254)
    role: Role = Field(description="Only owners may invite owners.")


class MemberUpdate(RequestModel, json_schema_extra=example({"role": "admin"})):
    """The member's new role."""

    role: Role = Field(description="Only owners can add owners or change the role of an owner.")


class Team(
    ResponseModel,
    json_schema_extra=example({"members": [example_of(Member)], "invitations": [example_of(Invitation)]}),
):
    """Oldest members and invitations first."""

    members: list[Member]
    invitations: list[Invitation]


@endpoints.get("", "team.get", "Get the team")
async def get_team(db: Db, developer: PlatformMember) -> ModelResponse[Team]:
    """All members with their roles, and all invitations that were not accepted yet."""
    async with db.read() as tx:
        rows = await platforms.members_of(tx, developer.platform_no)
        users = {user.id: user for user in await accounts.users_by_id(tx, [row.user_id for row in rows])}
        invitations = await platforms.invitations_of(tx, developer.platform_no)
    members = [to_member(row, users[row.user_id]) for row in rows]
    return json_response(Team.model_validate({"members": members, "invitations": invitations}))


@endpoints.post(
    "/invitations",
    "invitations.create",
    "Create an invitation",
    status=201,
    errors=(platforms.AlreadyAMember, platforms.AlreadyInvited, tenancy.MembersLimitReached),
)
async def create_invitation(
    settings: SettingsDep, developer: CanManageTeam, post: Post[InvitationCreate]
) -> ModelResponse[Invitation]:
    """Sends an email with a link, which works once within 7 days."""
    email, role, token = accounts.normalize_email(post.body.email), post.body.role, platforms.new_token()
    message = _invitation_email(settings, developer, email, role, token)
    change = _team_change(post.request, settings, developer)

    async def effect(tx: Tx) -> Invitation:
        invited = await membership.invite(tx, change, email, role, token)
        await mail.enqueue_email(tx, message)
        return Invitation.model_validate(invited)

    return await post.commit(developer, effect)


@endpoints.post("/invitations/{id}/send", "invitations.resend", "Resend an invitation", errors=(NotFound,))
async def resend_invitation(
    request: Request, db: Db, settings: SettingsDep, developer: CanManageTeam, invitation_id: _InvitationId
) -> ModelResponse[Invitation]:
    """Sends a new link, which works for another 7 days. The old link stops working."""
    async with db.read() as tx:
        known = await platforms.read_invitation(tx, developer.platform_no, invitation_id)
    token = platforms.new_token()
    message = _invitation_email(settings, developer, known.email, known.role, token)
    async with db.write() as tx:
        row = await membership.invite_again(tx, _team_change(request, settings, developer), invitation_id, token)
        await mail.enqueue_email(tx, message)
    return json_response(Invitation.model_validate(row))


@endpoints.delete("/invitations/{id}", "invitations.revoke", "Revoke an invitation", errors=(NotFound,))
async def revoke_invitation(
    request: Request, db: Db, settings: SettingsDep, developer: CanManageTeam, invitation_id: _InvitationId
) -> ModelResponse[Deleted]:
    """Its link stops working."""
    async with db.write() as tx:
        await membership.revoke_invitation(tx, _team_change(request, settings, developer), invitation_id)
    return json_response(Deleted())


@endpoints.patch("/members/{userId}", "members.update", "Update a member", errors=(NotFound, platforms.LastOwner))
async def update_member(
    request: Request,
    db: Db,
    settings: SettingsDep,
    developer: CanManageTeam,
    user_id: _UserId,
    body: JsonBody[MemberUpdate],
) -> ModelResponse[Member]:
    """The new role takes effect immediately. A platform needs at least one owner."""
    async with db.write() as tx:
        row = await membership.change_role(tx, _team_change(request, settings, developer), user_id, body.role)
        [user] = await accounts.users_by_id(tx, [user_id])
    return json_response(to_member(row, user))


@endpoints.delete("/members/{userId}", "members.remove", "Remove a member", errors=(NotFound, platforms.LastOwner))
async def remove_member(
    request: Request, db: Db, settings: SettingsDep, developer: PlatformMember, user_id: _UserId
) -> ModelResponse[Deleted]:
    """They lose access to the platform, and their personal tokens for it stop working. Members can remove themselves.
    The last owner cannot leave."""
    async with db.write() as tx:
        await membership.leave(tx, _team_change(request, settings, developer), user_id)
    return json_response(Deleted())


def _team_change(request: Request, settings: Settings, developer: PlatformPrincipal) -> TeamChange:
    return TeamChange(developer, developer.actor(client_address(request.scope)), settings.home_mode)


def _invitation_email(
    settings: Settings, developer: PlatformPrincipal, email: str, role: Role, token: str
) -> mail.EmailMessage:
    return emails.invitation(
        email,
        platform=developer.platform.name,
        role=role,
        invited_by=developer.shown_name,
        link_base=settings.link_base,
        token=token,
    )
