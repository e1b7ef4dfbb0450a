"""`/dashboard/{platformId}/settings`: rename, transfer and delete a platform."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, platforms, retention
from dream_api.core.db import Database, Row
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import PlatformContext, PlatformPageCanManage, PlatformPageIsOwner
from dream_api.dashboard.forms import FormErrors, Given, SentForm, errors_of, require_confirmation, submits
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.dashboard.platform.page import changing
from dream_api.tenancy import membership

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/dashboard/{platformId}/settings")


@router.get("")
async def show_settings(db: Db, visit: PlatformPageCanManage) -> Response:
    return await _show(db, visit)


async def _show(
    db: Database,
    visit: PlatformContext,
    form: dict[str, str] | None = None,
    problems: FormErrors | None = None,
) -> Response:
    return render_page(
        visit,
        "platform/settings.html",
        here="platform",
        status=422 if problems else 200,
        others=await _others(db, visit) if visit.may("own") else [],
        form={"name": visit.platform.name} | (form or {}),
        problems=problems or {},
    )


async def _others(db: Database, visit: PlatformContext) -> list[tuple[str, str]]:
    """Members that ownership could be transferred to."""
    async with db.read() as tx:
        ids = [row.user_id for row in await platforms.members_of(tx, visit.platform_no)]
        users = await accounts.users_by_id(tx, [one for one in ids if one != visit.user.session.user_id])
    return [(user.id, _named(user)) for user in users]


def _named(user: Row[Any]) -> str:
    return f"{user.name} ({user.email})" if user.name else user.email


@submits(router, "", _show, fields=errors_of("name"), errors=ValidationFailed)
async def rename(request: Request, db: Db, visit: PlatformPageCanManage, form: SentForm) -> str:
    async with db.write() as tx:
        renamed = await platforms.rename(tx, visit.platform, form.get("name", ""))
        details = {"name": renamed.name, "before": visit.platform.name}
        await record(tx, request, visit, "platform.changed", about=visit.platform_id, **details)
    return f"{visit.base}/settings"


@submits(router, "/transfer", _show, fields=errors_of("userId", "confirmed"), errors=AppError)
async def transfer(request: Request, db: Db, settings: SettingsDep, visit: PlatformPageIsOwner, form: SentForm) -> str:
    """The user is an admin from then on."""
    require_confirmation(form, visit.platform.name, "confirmed")
    async with db.write() as tx:
        await membership.transfer(tx, changing(request, settings, visit), form.get("userId", ""))
    return f"{visit.base}/team"


def _deletion_errors(error: AppError, _: Given) -> FormErrors:
    return {"deleted": error.sentence if error.param == "deleted" else f"{error.sentence} {error.hint}"}


@submits(router, "/delete", _show, fields=_deletion_errors, errors=AppError)
async def delete(request: Request, db: Db, settings: SettingsDep, visit: PlatformPageIsOwner, form: SentForm) -> str:
    """After 14 days; until then it can be undone."""
    require_confirmation(form, visit.platform.name, "deleted")
    async with db.write() as tx:
        await retention.close_platform(tx, visit.platform, settings.home_mode)
        await record(tx, request, visit, "platform.deletion_asked", about=visit.platform_id)
    return f"{visit.base}/settings"


@submits(router, "/keep", _show, errors=())
async def cancel_deletion(request: Request, db: Db, visit: PlatformPageIsOwner, form: SentForm) -> str:
    async with db.write() as tx:
        await retention.reopen_platform(tx, visit.platform)
        await record(tx, request, visit, "platform.deletion_stopped", about=visit.platform_id)
    return f"{visit.base}/settings"
