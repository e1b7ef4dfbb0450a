"""`/account/tokens`: issue and revoke personal tokens."""

from collections.abc import Sequence
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, audit, platforms
from dream_api.accounts import ROLES, Role
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.csrf import read_csrf_form
from dream_api.auth.token_roles import lower_role
from dream_api.core import clock
from dream_api.core.errors import AppError, NotFound, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.account.page import INVALID, actor
from dream_api.dashboard.forms import FormErrors, SentForm, submits
from dream_api.dashboard.layout import PageRoute, redirect, render_public
from dream_api.platforms import Membership

router = APIRouter(prefix="/account/tokens", route_class=PageRoute, include_in_schema=False)

_LIVES = {"30": "30 days", "90": "90 days", "365": "1 year", "": "No expiration"}


@router.get("")
async def show_form(user: SignedIn) -> Response:
    return _form(user, {"expires": "90", "role": "viewer"}, {})


def _form(user: SignedInUser, form: Form, problems: FormErrors) -> Response:
    shown: dict[str, Any] = {
        "platforms": [(each.platform.id, f"{each.platform.name} ({each.role})") for each in user.memberships],
        "roles": [(role, _may(role)) for role in reversed(_roles_of(user.memberships))],
        "lives": list(_LIVES.items()),
    }
    return render_public(
        "account/tokens.html", user, status=INVALID if problems else 200, form=form, problems=problems, **shown
    )


@submits(router, "", _form, errors=AppError)
async def issue(request: Request, db: Db, user: SignedIn, form: SentForm) -> Response:
    membership, role, expires_at = _asked(user, form)
    async with db.write() as tx:
        await platforms.require_open(tx, membership.platform.no)
        issued = await accounts.issue_token(
            tx,
            membership.platform.no,
            role,
            created_by=user.session.user_id,
            name=form.get("name", ""),
            expires_at=expires_at,
            user_id=user.session.user_id,
        )
        streams = [membership.platform.log_stream, audit.Stream(user.session.user_id)]
        details = {"role": role, "name": form.get("name", "")}
        by = actor(request, user)
        await audit.record_in_streams(tx, streams, "token.issued", by=by, about=issued.id, details=details)
    return render_public("account/token_issued.html", user, issued=issued, membership=membership)


@router.post("/{token_id}/revoke")
async def revoke(request: Request, db: Db, user: SignedIn, token_id: str) -> Response:
    await read_csrf_form(request, user)
    user_id = user.session.user_id
    async with db.write() as tx:
        own = next((row for row in await accounts.list_user_tokens(tx, user_id) if row.id == token_id), None)
        if own is None:
            raise NotFound("Token not found.", param="token")
        await accounts.revoke_token(tx, own.platform_no, own.id)
        by = actor(request, user)
        streams = [
            audit.Stream(user_id),
            *(each.platform.log_stream for each in user.memberships if each.platform.no == own.platform_no),
        ]
        await audit.record_in_streams(tx, streams, "token.revoked", by=by, about=own.id)
    return redirect("/account?done=token")


def _roles_of(memberships: Sequence[Membership]) -> list[Role]:
    """Those that a token of theirs may have somewhere, the one that may most first."""
    highest = min((ROLES.index(each.role) for each in memberships), default=len(ROLES) - 1)
    return list(ROLES[highest:])


def _may(role: Role) -> str:
    return {
        "owner": "Owner – everything",
        "admin": "Admin – manage the platform",
        "member": "Member – products and customers",
        "viewer": "Viewer – read-only",
    }[role]


def _asked(user: SignedInUser, form: Form) -> tuple[Membership, Role, int | None]:
    """Where, as what and until when; raises ValidationFailed."""
    membership = next((each for each in user.memberships if each.platform.id == form.get("platform")), None)
    if membership is None:
        raise ValidationFailed("Choose a platform.", param="platform")
    if form.get("role") not in ROLES:
        raise ValidationFailed("Choose a role.", param="role")
    role = cast(Role, form["role"])
    if lower_role(role, membership.role) != role:
        sentence = f"Your role there is {membership.role}; a token cannot have a higher one."
        raise ValidationFailed(sentence, param="role")
    if form.get("expires", "") not in _LIVES:
        raise ValidationFailed("Choose an expiration.", param="expires")
    days = int(form.get("expires") or 0)
    return membership, role, clock.now() + days * clock.DAY if days else None
