"""`/dashboard/{projectId}/{mode}/settings`: a project's name, its websites, and the clock of its test mode."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing, platforms
from dream_api.auth.csrf import read_csrf_form
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.errors import Conflict, Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.catalog.tier_page import frame
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanManage, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, form_errors
from dream_api.dashboard.layout import PageRoute, project_url, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/settings"
# By how much the clock is moved: hours, or whole months.
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24}
_MONTHS = {"month": 1, "year": 12}


@router.get(_PATH)
async def show_settings(db: Db, visit: ProjectPageCanSell) -> Response:
    return await _show(db, visit, {"name": visit.project.name})


@router.post(_PATH)
async def rename_project(request: Request, db: Db, visit: ProjectPageCanManage) -> Response:
    form = await read_csrf_form(request, visit.user)
    try:
        async with db.write() as tx:
            await platforms.rename_project(tx, visit.project, form.get("name", ""))
            await record(tx, request, visit, "project.changed", about=visit.project.id)
    except Invalid as error:
        return await _show(db, visit, form, form_errors(error))
    return redirect(project_url(visit, "/settings"))


@router.post(_PATH + "/origins")
async def change_origins(request: Request, db: Db, visit: ProjectPageCanManage) -> Response:
    """One more, or one less."""
    form = await read_csrf_form(request, visit.user)
    add, remove = form.get("add"), form.get("remove")
    try:
        async with db.write() as tx:
            await platforms.change_origins(
                tx, visit.project, add=[] if add is None else [add], remove=[] if remove is None else [remove]
            )
            await record(tx, request, visit, "origins.changed", about=visit.project.id, **_changed(add, remove))
    except Invalid as error:
        return await _show(db, visit, {**form, "name": visit.project.name}, form_errors(error))
    return redirect(project_url(visit, "/settings"))


@router.post(_PATH + "/clock")
async def move_clock(request: Request, db: Db, billing_context: BillingDep, visit: ProjectPageCanSell) -> Response:
    """What falls due on the way has happened when the page answers."""
    form = await read_csrf_form(request, visit.user)
    try:
        if visit.mode == "live":
            raise billing.TestClockNeedsSandbox("Live mode keeps real time.")
        async with billing_context.database.write() as tx:
            now = await platforms.project_now(tx, visit.platform_id, visit.project.id, visit.mode)
            to = _moment(form, now)
            await platforms.require_movable(tx, visit.project, to)
            account = await billing.ensure_account(tx, visit.scope)
            await record(tx, request, visit, "clock.moved", about=visit.project.id, to=clock.rfc3339(to))
        await billing.advance(billing_context, visit.project, account, to)
    except (Invalid, Conflict) as error:
        problems = form_errors(error, {"project": "advanceTo", "": "advanceTo"})
        return await _show(db, visit, {**form, "name": visit.project.name}, problems)
    return redirect(project_url(visit, "/settings"))


def _changed(add: str | None, remove: str | None) -> dict[str, str]:
    return {name: origin for name, origin in (("added", add), ("removed", remove)) if origin is not None}


def _moment(form: Form, now: int) -> int:
    by, typed = form.get("by", ""), form.get("advanceTo", "")
    if typed:
        try:
            return clock.from_datetime(datetime.fromisoformat(typed).replace(tzinfo=UTC))
        except ValueError:
            raise ValidationFailed("Type a moment, such as 2027-01-31T09:00.", param="advanceTo") from None
    if by in _MONTHS:
        return clock.add_months(now, _MONTHS[by])
    return now + _HOURS.get(by, 0) * clock.HOUR


async def _show(db: Database, visit: ProjectContext, form: Form, problems: FormErrors | None = None) -> Response:
    async with db.read() as tx:
        ahead = await platforms.clock_offset(tx, visit.platform_id, visit.project.id, visit.mode)
        project = await platforms.find_project(tx, visit.project.id)
        is_home = await platforms.home_project_id(tx) == project.id
    return frame.render(
        visit,
        "settings.html",
        here="settings",
        status=422 if problems else 200,
        mode_path="/settings",
        origins=project.origins,
        ahead=ahead,
        now=clock.now() + ahead,
        has_clock=visit.mode == "test" and not is_home,
        may_manage=visit.may("manage"),
        form=form,
        problems=problems or {},
    )
