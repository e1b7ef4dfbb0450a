"""`/dashboard/{projectId}/{mode}/settings`: a project's name, its websites, and its test clock."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing, platforms
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.errors import Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanManage, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, SentForm, submits
from dream_api.dashboard.layout import PageRoute, project_url, render_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/settings"
# By how much the clock is moved: hours, or whole months.
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24}
_MONTHS = {"month": 1, "year": 12}


@router.get(_PATH)
async def show_settings(db: Db, visit: ProjectPageCanSell) -> Response:
    return await _show(db, visit, {})


def _changed(add: str | None, remove: str | None) -> dict[str, str]:
    return {name: origin for name, origin in (("added", add), ("removed", remove)) if origin is not None}


def _moment(form: Form, now: int) -> int:
    by, typed = form.get("by", ""), form.get("advanceTo", "")
    if typed:
        try:
            return clock.from_datetime(datetime.fromisoformat(typed).replace(tzinfo=UTC))
        except ValueError:
            raise ValidationFailed("Enter a date and time, such as 2027-01-31T09:00.", param="advanceTo") from None
    if by in _MONTHS:
        return clock.add_months(now, _MONTHS[by])
    return now + _HOURS.get(by, 0) * clock.HOUR


async def _show(db: Database, visit: ProjectContext, form: Form, problems: FormErrors | None = None) -> Response:
    async with db.read() as tx:
        project = await platforms.find_project(tx, visit.project.id)
        is_home = await platforms.home_project_id(tx) == project.id
    return render_page(
        visit,
        "catalog/settings.html",
        here="settings",
        status=422 if problems else 200,
        mode_path="/settings",
        origins=project.origins,
        has_clock=visit.mode == "test" and not is_home,
        may_manage=visit.may("manage"),
        form={"name": visit.project.name, **form},
        problems=problems or {},
    )


@submits(router, _PATH, _show, errors=Invalid)
async def rename_project(request: Request, db: Db, visit: ProjectPageCanManage, form: SentForm) -> str:
    async with db.write() as tx:
        await platforms.rename_project(tx, visit.project, form.get("name", ""))
        await record(tx, request, visit, "project.changed", about=visit.project.id)
    return project_url(visit, "/settings")


@submits(router, _PATH + "/origins", _show, errors=Invalid)
async def change_origins(request: Request, db: Db, visit: ProjectPageCanManage, form: SentForm) -> str:
    """One more, or one less."""
    add, remove = form.get("add"), form.get("remove")
    async with db.write() as tx:
        await platforms.change_origins(
            tx, visit.project, add=[] if add is None else [add], remove=[] if remove is None else [remove]
        )
        await record(tx, request, visit, "origins.changed", about=visit.project.id, **_changed(add, remove))
    return project_url(visit, "/settings")


@submits(router, _PATH + "/clock", _show, fields={"project": "advanceTo", "": "advanceTo"})
async def move_clock(
    request: Request, billing_context: BillingDep, db: Db, visit: ProjectPageCanSell, form: SentForm
) -> str:
    """What becomes due in between has happened when the page answers."""
    if visit.mode == "live":
        raise billing.TestClockNeedsSandbox("Live mode has no test clock.")
    async with db.write() as tx:
        now = await platforms.project_now(tx, visit.platform_no, visit.project.id, visit.mode)
        to = _moment(form, now)
        await platforms.require_movable(tx, visit.project, to)
        account = await billing.ensure_account(tx, visit.scope)
        await record(tx, request, visit, "clock.moved", about=visit.project.id, to=clock.rfc3339(to))
    await billing.advance(billing_context, visit.project, account, to)
    return project_url(visit, "/settings")
