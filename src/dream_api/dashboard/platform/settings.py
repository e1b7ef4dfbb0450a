"""`/dashboard/{platformId}/settings`: rename, transfer and delete a platform."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, platforms, retention
from dream_api.auth.csrf import read_csrf_form
from dream_api.core.db import Database, Row
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import PlatformContext, PlatformPageCanManage, PlatformPageIsOwner
from dream_api.dashboard.forms import FormErrors
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.dashboard.platform.page import changing, frame, problems_of
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
    return frame.render(
        visit,
        "settings.html",
        here="platform",
        status=422 if problems else 200,
        others=await _others(db, visit) if visit.may("own") else [],
        form={"name": visit.platform.name} | (form or {}),
        problems=problems or {},
    )


async def _others(db: Database, visit: PlatformContext) -> list[tuple[str, str]]:
    """Members that ownership could be transferred to."""
    async with db.read() as tx:
        ids = [row.user_id for row in await platforms.members_of(tx, visit.platform_id)]
        users = await accounts.users_by_id(tx, [one for one in ids if one != visit.user.session.user_id])
    return [(user.id, _named(user)) for user in users]


def _named(user: Row[Any]) -> str:
    return f"{user.name} ({user.email})" if user.name else user.email


@router.post("")
async def rename(request: Request, db: Db, visit: PlatformPageCanManage) -> Response:
    form = await read_csrf_form(request, visit.user)
    try:
        async with db.write() as tx:
            renamed = await platforms.rename(tx, visit.platform, form.get("name", ""))
            await record(
                tx,
                request,
                visit,
                "platform.changed",
                about=visit.platform_id,
                name=renamed.name,
                before=visit.platform.name,
            )
    except ValidationFailed as error:
        return await _show(db, visit, form, problems_of(error, "name"))
    return redirect(f"/dashboard/{visit.platform_id}/settings")


@router.post("/transfer")
async def transfer(request: Request, db: Db, settings: SettingsDep, visit: PlatformPageIsOwner) -> Response:
    """The user is an admin from then on."""
    form = await read_csrf_form(request, visit.user)
    try:
        if form.get("confirmed") != visit.platform.name:
            raise ValidationFailed("Type the platform's name to hand it over.", param="confirmed")
        async with db.write() as tx:
            await membership.transfer(tx, changing(request, settings, visit), form.get("userId", ""))
    except AppError as error:
        return await _show(db, visit, form, problems_of(error, "userId", "confirmed"))
    return redirect(f"/dashboard/{visit.platform_id}/team")


@router.post("/delete")
async def delete(request: Request, db: Db, settings: SettingsDep, visit: PlatformPageIsOwner) -> Response:
    """After 14 days; until then it can be taken back."""
    form = await read_csrf_form(request, visit.user)
    try:
        if form.get("deleted") != visit.platform.name:
            raise ValidationFailed("Type the platform's name to delete it.", param="deleted")
        async with db.write() as tx:
            await retention.close_platform(tx, visit.platform, settings.home_mode)
            await record(tx, request, visit, "platform.deletion_asked", about=visit.platform_id)
    except AppError as error:
        sentence = error.sentence if error.param == "deleted" else f"{error.sentence} {error.hint}"
        return await _show(db, visit, form, {"deleted": sentence})
    return redirect(f"/dashboard/{visit.platform_id}/settings")


@router.post("/keep")
async def cancel_deletion(request: Request, db: Db, visit: PlatformPageIsOwner) -> Response:
    """The deletion is taken back."""
    await read_csrf_form(request, visit.user)
    async with db.write() as tx:
        await retention.reopen_platform(tx, visit.platform)
        await record(tx, request, visit, "platform.deletion_stopped", about=visit.platform_id)
    return redirect(f"/dashboard/{visit.platform_id}/settings")
