"""`/api/team`: members and invitations of a platform."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from dream_api import accounts, platforms, tenancy
from dream_api.accounts import Role
from dream_api.api.platforms.models import (
    BODY_ERRORS,
    INVITATION_EXAMPLE,
    MEMBER_EXAMPLE,
    Done,
    Invitation,
    Member,
    ResponseModel,
    invitation_response,
    member_response,
)
from dream_api.auth.dependencies import CanManageTeam, IdempotencyKey, PlatformMember
from dream_api.auth.principals import PlatformPrincipal
from dream_api.auth.rate_limit import client_address
from dream_api.auth.tenant_resolution import PLATFORM_AUTH_ERRORS
from dream_api.core import errors, mail
from dream_api.core.db import Tx
from dream_api.core.http import (
    RequestModel,
    error_responses,
    example_response,
    idempotent_response,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.platforms import emails
from dream_api.tenancy import membership
from dream_api.tenancy.membership import TeamChange

router = APIRouter(tags=["Team"], prefix="/api/team")

UserId = Annotated[
    str,
    Path(alias="userId", max_length=64, pattern=r"^[^\x00]*$", examples=["usr_01k9q3v8zd0g2m4n6p8r0t2v4w"]),
]
InvitationId = Annotated[
    str, Path(alias="id", max_length=64, pattern=r"^[^\x00]*$", examples=["inv_01k9q3v8zd0g2m4n6p8r0t2v4w"])
]


class InvitationCreate(RequestModel):
    """An email address and the role that it is invited to."""

    email: str = Field(max_length=254)
    role: Role = Field(description="Owners are invited by owners only.")


class RoleChange(RequestModel):
    """What they are to be."""

    role: Role = Field(description="Owners are made, and made less, by owners only.")


class Team(ResponseModel):
    """Who came first stands first."""

    members: list[Member]
    invitations: list[Invitation]


@router.get(
    "",
    summary="Read the team",
    response_model=Team,
    responses={
        **example_response(200, {"members": [MEMBER_EXAMPLE], "invitations": [INVITATION_EXAMPLE]}),
        **error_responses(*PLATFORM_AUTH_ERRORS),
    },
)
async def read_team(db: Db, developer: PlatformMember) -> Response:
    """All members with their roles, and all who were invited and have not come yet."""
    async with db.read() as tx:
        rows = await platforms.members_of(tx, developer.platform.id)
        users = {user.id: user for user in await accounts.users_by_id(tx, [row.user_id for row in rows])}
        waiting = await platforms.invitations_of(tx, developer.platform.id)
    team = [member_response(row, users[row.user_id]) for row in rows]
    return json_response(Team(members=team, invitations=[invitation_response(row) for row in waiting]))


@router.post(
    "/invitations",
    summary="Invite somebody",
    status_code=201,
    response_model=Invitation,
    responses={
        **example_response(201, INVITATION_EXAMPLE),
        **error_responses(
            *PLATFORM_AUTH_ERRORS,
            *BODY_ERRORS,
            platforms.AlreadyAMember,
            platforms.AlreadyInvited,
            tenancy.MembersLimitReached,
        ),
    },
    openapi_extra=request_body(InvitationCreate, {"email": "grace@example.com", "role": "member"}),
)
async def invite(
    request: Request, settings: SettingsDep, developer: CanManageTeam, _: IdempotencyKey = None
) -> Response:
    """A mail with a link goes to the address; it works once, and for 7 days."""
    body, raw = await read_json_body(request, InvitationCreate)
    email, token = accounts.normalize_email(body.email), platforms.new_token()
    message = _invitation_email(settings, developer, email, body.role, token)
    by = changing(request, settings, developer)

    async def effect(tx: Tx) -> Invitation:
        invited = await membership.invite(tx, by, email, body.role, token)
        await mail.enqueue_email(tx, message)
        return invitation_response(invited)

    return await idempotent_response(
        request,
        platform_id=developer.platform.id,
        caller=developer.caller,
        status=201,
        body=raw,
        effect=effect,
    )


@router.post(
    "/invitations/{id}/send",
    summary="Send an invitation again",
    response_model=Invitation,
    responses={**example_response(200, INVITATION_EXAMPLE), **error_responses(*PLATFORM_AUTH_ERRORS, errors.NotFound)},
)
async def send_again(
    request: Request, db: Db, settings: SettingsDep, developer: CanManageTeam, invitation_id: InvitationId
) -> Response:
    """With a new link for another 7 days; the one before ends."""
    async with db.read() as tx:
        known = await platforms.read_invitation(tx, developer.platform.id, invitation_id)
    token = platforms.new_token()
    message = _invitation_email(settings, developer, known.email, known.role, token)
    async with db.write() as tx:
        row = await membership.invite_again(tx, changing(request, settings, developer), invitation_id, token)
        await mail.enqueue_email(tx, message)
    return json_response(invitation_response(row))


@router.delete(
    "/invitations/{id}",
    summary="Revoke an invitation",
    response_model=Done,
    responses={**example_response(200, {"deleted": True}), **error_responses(*PLATFORM_AUTH_ERRORS, errors.NotFound)},
)
async def revoke_invitation(
    request: Request, db: Db, settings: SettingsDep, developer: CanManageTeam, invitation_id: InvitationId
) -> Response:
    """Its link is worth nothing from now on."""
    async with db.write() as tx:
        await membership.revoke_invitation(tx, changing(request, settings, developer), invitation_id)
    return json_response(Done())


@router.patch(
    "/members/{userId}",
    summary="Change a member's role",
    response_model=Member,
    responses={
        **example_response(200, MEMBER_EXAMPLE),
        **error_responses(*PLATFORM_AUTH_ERRORS, *BODY_ERRORS, errors.NotFound, platforms.LastOwner),
    },
    openapi_extra=request_body(RoleChange, {"role": "admin"}),
)
async def change_role(
    request: Request, db: Db, settings: SettingsDep, developer: CanManageTeam, user_id: UserId
) -> Response:
    """In force at once; the last owner stays one."""
    body, _ = await read_json_body(request, RoleChange)
    async with db.write() as tx:
        row = await membership.change_role(tx, changing(request, settings, developer), user_id, body.role)
        [user] = await accounts.users_by_id(tx, [user_id])
    return json_response(member_response(row, user))


@router.delete(
    "/members/{userId}",
    summary="Remove a member",
    response_model=Done,
    responses={
        **example_response(200, {"deleted": True}),
        **error_responses(*PLATFORM_AUTH_ERRORS, errors.NotFound, platforms.LastOwner),
    },
)
async def remove_member(
    request: Request, db: Db, settings: SettingsDep, developer: PlatformMember, user_id: UserId
) -> Response:
    """They see nothing of the platform any more, and their personal tokens on it end. Everybody may leave but the last
    owner."""
    async with db.write() as tx:
        await membership.leave(tx, changing(request, settings, developer), user_id)
    return json_response(Done())


def changing(request: Request, settings: Settings, developer: PlatformPrincipal) -> TeamChange:
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
