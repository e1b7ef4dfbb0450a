"""`/dashboard/{platformId}/team`: members, their roles, and invitations."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from dream_api import accounts, platforms
from dream_api.accounts import ROLES, Role
from dream_api.core import mail
from dream_api.core.db import Database, Row, Tx
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.dependencies import PlatformContext, PlatformPage, PlatformPageCanManageTeam
from dream_api.dashboard.forms import FormErrors, Given, SentForm, errors_of, require_confirmation, submits
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.dashboard.platform.page import ROLE_WORDS, changing
from dream_api.platforms import emails
from dream_api.tenancy import membership

Id = Annotated[str, Path(max_length=64, pattern=r"^[^\x00]*$")]
router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/dashboard/{platformId}/team")


@router.get("")
async def show_team(db: Db, visit: PlatformPage) -> Response:
    return await _show(db, visit)


async def _show(
    db: Database,
    visit: PlatformContext,
    form: dict[str, str] | None = None,
    problems: FormErrors | None = None,
) -> Response:
    async with db.read() as tx:
        members = await _members(tx, visit.platform_no)
        invitations = await platforms.invitations_of(tx, visit.platform_no)
    return render_page(
        visit,
        "platform/team.html",
        here="team",
        status=422 if problems else 200,
        members=members,
        invitations=invitations,
        form=form or {"role": "member"},
        problems=problems or {},
        roles=roles_for(visit),
    )


def roles_for(visit: PlatformContext) -> list[tuple[str, str]]:
    """Those that the user may give: owners are made by owners."""
    given = ROLES if visit.role == "owner" else ROLES[1:]
    return [(role, ROLE_WORDS[role]) for role in reversed(given)]


async def _members(tx: Tx, platform_no: int) -> list[tuple[Row[Any], Row[Any]]]:
    """With the person behind each."""
    rows = await platforms.members_of(tx, platform_no)
    users = {user.id: user for user in await accounts.users_by_id(tx, [row.user_id for row in rows])}
    return [(row, users[row.user_id]) for row in rows]


@submits(router, "/invitations", _show, fields=errors_of("email", "role"), errors=AppError)
async def invite(
    request: Request, db: Db, settings: SettingsDep, visit: PlatformPageCanManageTeam, form: SentForm
) -> str:
    email, role = accounts.normalize_email(form.get("email", "")), _role(form)
    token = platforms.new_token()
    message = _invitation_email(settings, visit, email, role, token)
    async with db.write() as tx:
        await membership.invite(tx, changing(request, settings, visit), email, role, token)
        await mail.enqueue_email(tx, message)
    return f"{visit.base}/team"


@submits(router, "/invitations/{invitation_id}/send", _show, errors=())
async def send_again(
    request: Request,
    db: Db,
    settings: SettingsDep,
    visit: PlatformPageCanManageTeam,
    invitation_id: Id,
    form: SentForm,
) -> str:
    async with db.read() as tx:
        known = await platforms.read_invitation(tx, visit.platform_no, invitation_id)
    token = platforms.new_token()
    message = _invitation_email(settings, visit, known.email, known.role, token)
    async with db.write() as tx:
        await membership.invite_again(tx, changing(request, settings, visit), invitation_id, token)
        await mail.enqueue_email(tx, message)
    return f"{visit.base}/team"


@submits(router, "/invitations/{invitation_id}/revoke", _show, errors=())
async def revoke(
    request: Request,
    db: Db,
    settings: SettingsDep,
    visit: PlatformPageCanManageTeam,
    invitation_id: Id,
    form: SentForm,
) -> str:
    async with db.write() as tx:
        await membership.revoke_invitation(tx, changing(request, settings, visit), invitation_id)
    return f"{visit.base}/team"


@router.get("/{user_id}")
async def show_member(db: Db, visit: PlatformPage, user_id: Id) -> Response:
    return await _show_member(db, visit, user_id)


async def _show_member(
    db: Database,
    visit: PlatformContext,
    user_id: str,
    problems: FormErrors | None = None,
    form: dict[str, str] | None = None,
) -> Response:
    async with db.read() as tx:
        member = await platforms.find_member(tx, visit.platform_no, user_id)
        [user] = await accounts.users_by_id(tx, [user_id])
    is_oneself = user_id == visit.user.session.user_id
    return render_page(
        visit,
        "platform/member.html",
        here="team",
        status=422 if problems else 200,
        member=member,
        user=user,
        is_oneself=is_oneself,
        may_change=visit.may("team") and (member.role != "owner" or visit.role == "owner"),
        form={"role": member.role, "confirm": (form or {}).get("confirm", "")},
        problems=problems or {},
        roles=roles_for(visit),
    )


def _member_errors(error: AppError, _: Given) -> FormErrors:
    sentence = error.sentence if error.param == "confirm" else f"{error.sentence} {error.hint}"
    return {error.param or "": sentence}


@submits(
    router,
    "/{user_id}",
    _show_member,
    fields=lambda error, _: {"role": error.sentence},
    errors=(platforms.LastOwner, ValidationFailed),
)
async def change_role(
    request: Request, db: Db, settings: SettingsDep, visit: PlatformPageCanManageTeam, user_id: Id, form: SentForm
) -> str:
    async with db.write() as tx:
        await membership.change_role(tx, changing(request, settings, visit), user_id, _role(form))
    return f"{visit.base}/team"


@submits(
    router,
    "/{user_id}/remove",
    _show_member,
    fields=_member_errors,
    errors=(platforms.LastOwner, ValidationFailed),
)
async def remove(
    request: Request, db: Db, settings: SettingsDep, visit: PlatformPage, user_id: Id, form: SentForm
) -> str:
    """Everybody can leave; the name of the member, or of the platform that is left, is typed to confirm."""
    is_oneself = user_id == visit.user.session.user_id
    if not is_oneself:
        platforms.require_permission(visit.role, "team")
    async with db.read() as tx:
        await platforms.find_member(tx, visit.platform_no, user_id)
        [user] = await accounts.users_by_id(tx, [user_id])
    require_confirmation(form, visit.platform.name if is_oneself else user.email)
    async with db.write() as tx:
        await membership.leave(tx, changing(request, settings, visit), user_id)
    return "/dashboard" if is_oneself else f"{visit.base}/team"


def _role(form: dict[str, str]) -> Role:
    for role in ROLES:
        if form.get("role") == role:
            return role
    raise ValidationFailed("Choose a role.", param="role")


def _invitation_email(
    settings: Settings, visit: PlatformContext, email: str, role: str, token: str
) -> mail.EmailMessage:
    return emails.invitation(
        email,
        platform=visit.platform.name,
        role=role,
        invited_by=visit.user.session.shown_name,
        link_base=settings.link_base,
        token=token,
    )
