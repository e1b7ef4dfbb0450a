"""`/dashboard/operator/platforms` and `/levels`: all platforms with their levels, and what each level allows."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from dream_api import audit, catalog, customers, platforms, usage
from dream_api.audit import Actor
from dream_api.auth.csrf import read_csrf_form
from dream_api.catalog import Home, Level
from dream_api.core import clock
from dream_api.core.db import Database, Row, Tx
from dream_api.core.errors import Invalid, NotFound, ValidationFailed
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.audit import actor_of
from dream_api.dashboard.catalog import format as catalog_format
from dream_api.dashboard.csv_export import MOST_ROWS, csv_file
from dream_api.dashboard.dependencies import OperatorPage, OperatorPageCanManage, PlatformContext
from dream_api.dashboard.forms import FormErrors, form_errors
from dream_api.dashboard.layout import PageRenderer, PageRoute, redirect
from dream_api.platforms import Mode

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_frame = PageRenderer("dream_api.dashboard.operator", priced=catalog_format.priced, limited=catalog_format.limited)

_PLATFORMS = "/dashboard/operator/platforms"
_ON_A_PAGE = 50
_MOST_DIGITS = 3
_COLUMNS = ("id", "name", "level", "liveCustomers", "callsThisMonth", "createdAt")
Asked = Annotated[str, Query(max_length=120, pattern=r"^[^\x00]*$")]
After = Annotated[int | None, Query(ge=1, le=2**53)]
PlatformId = Annotated[str, Path(alias="platformId", max_length=255, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A platform as its operators see it; `level`: None of their own platform."""

    row: Row[Any]
    level: Level | None
    customers: int
    calls: int


@router.get(_PLATFORMS)
async def list_platforms(
    db: Db, settings: SettingsDep, visit: OperatorPage, q: Asked = "", after: After = None
) -> Response:
    mode: Mode = settings.home_mode
    async with db.read() as tx:
        rows = await platforms.page_of_platforms(tx, limit=_ON_A_PAGE + 1, after=after, containing=q)
        tenants = await _tenants(tx, rows[:_ON_A_PAGE], mode)
    next_after = tenants[-1].row.no if len(rows) > _ON_A_PAGE else None
    return _frame.render(visit, "platforms.html", here="platforms", tenants=tenants, q=q, next_after=next_after)


@router.get(_PLATFORMS + ".csv")
async def export_platforms(db: Db, settings: SettingsDep, visit: OperatorPageCanManage, q: Asked = "") -> Response:
    mode: Mode = settings.home_mode
    async with db.read() as tx:
        rows = await platforms.page_of_platforms(tx, limit=MOST_ROWS, after=None, containing=q)
        tenants: list[Tenant] = []
        for begin in range(0, len(rows), _ON_A_PAGE):
            tenants += await _tenants(tx, rows[begin : begin + _ON_A_PAGE], mode)
    return csv_file("platforms", _COLUMNS, [_cells(each) for each in tenants])


@router.get(_PLATFORMS + "/{platformId}")
async def show_platform(db: Db, settings: SettingsDep, visit: OperatorPage, platform_id: PlatformId) -> Response:
    return await _show_one(db, settings, visit, platform_id)


@router.post(_PLATFORMS + "/{platformId}/level")
async def assign_level(
    request: Request, db: Db, settings: SettingsDep, visit: OperatorPageCanManage, platform_id: PlatformId
) -> Response:
    """Without a payment; in force within a second."""
    form = await read_csrf_form(request, visit.user)
    typed = form.get("level", "")
    mode: Mode = settings.home_mode
    try:
        if not (typed.isascii() and typed.isdecimal()) or len(typed) > _MOST_DIGITS:
            raise ValidationFailed("Choose one of the levels.", param="level")
        async with db.write() as tx:
            platform = await platforms.find(tx, platform_id)
            level = await catalog.assign_level(tx, platform, int(typed), mode)
            await _record(tx, request, visit, platform.id, level.number)
    except Invalid as error:
        return await _show_one(db, settings, visit, platform_id, form_errors(error, {"platform": "level"}))
    return redirect(f"{_PLATFORMS}/{platform.id}")


@router.get("/dashboard/operator/levels")
async def list_levels(db: Db, settings: SettingsDep, visit: OperatorPage) -> Response:
    """Each is a tier of the project home, and edited there."""
    mode: Mode = settings.home_mode
    async with db.read() as tx:
        home = await catalog.find_home(tx)
        offers = await catalog.list_tiers(tx, home.project.platform_id, home.project.id, mode)
        held = await customers.customers_by_plan(tx, _scope_of(home, mode))
    levels = sorted((offer for offer in offers if offer.number is not None), key=lambda offer: offer.number or 0)
    tiers_url = f"/dashboard/{home.project.id}/{mode}/tiers"
    return _frame.render(
        visit, "levels.html", here="levels", levels=levels, held=held, tiers_url=tiers_url, sells_in=mode
    )


async def _record(tx: Tx, request: Request, visit: PlatformContext, platform_id: str, number: int) -> None:
    """In the operator's stream who it was, in the platform's that an operator did it; in one order, as all do it."""
    by = {visit.platform_id: actor_of(request, visit.user), platform_id: Actor("operator", "")}
    for stream in sorted(by):
        details = {"platform": platform_id, "level": str(number)}
        await audit.record(tx, stream, "level.changed", by=by[stream], about=platform_id, details=details)


async def _show_one(
    db: Database,
    settings: Settings,
    visit: PlatformContext,
    platform_id: str,
    problems: FormErrors | None = None,
) -> Response:
    mode: Mode = settings.home_mode
    async with db.read() as tx:
        row = await platforms.platform_row(tx, platform_id)
        if row is None:
            raise NotFound("There is no such platform.")
        [tenant] = await _tenants(tx, [row], mode)
        levels = [level for level in await catalog.list_levels(tx, mode) if not level.is_archived]
        projects = await platforms.projects_of(tx, row.id, limit=_ON_A_PAGE)
        members = len(await platforms.members_of(tx, row.id))
    return _frame.render(
        visit,
        "platform.html",
        here="platforms",
        status=422 if problems else 200,
        tenant=tenant,
        levels=levels,
        own_projects=projects,
        members=members,
        may_assign=visit.may("manage") and tenant.level is not None,
        form={"level": "" if tenant.level is None else str(tenant.level.number)},
        problems=problems or {},
    )


async def _tenants(tx: Tx, rows: Any, mode: Mode) -> list[Tenant]:
    """So many statements, however many platforms."""
    home = await catalog.find_home(tx)
    scope = _scope_of(home, mode)
    levels = await catalog.list_levels(tx, mode)
    by_name = {level.name: level for level in levels}
    offers = await catalog.list_tiers(tx, scope.platform_id, scope.project_id, mode)
    default = next((by_name.get(offer.name) for offer in offers if offer.is_default), None)
    wanted: list[customers.CustomerKey] = [(scope.platform_id, scope.project_id, scope.mode, row.id) for row in rows]
    found = await customers.find_many(tx, wanted)
    plans = {key[3]: customer.plan for key, customer in found.items()}
    many = await customers.live_customers_by_platform(tx, [row.id for row in rows])
    month, _ = clock.month_of(clock.now())
    calls = await usage.calls_by_platform(tx, [row.no for row in rows], home.requests, month)
    return [
        Tenant(
            row,
            None if row.id == scope.platform_id else by_name.get(plans.get(row.id) or "", default),
            many.get(row.id, 0),
            calls.get(row.no, 0),
        )
        for row in rows
    ]


def _scope_of(home: Home, mode: Mode) -> platforms.ProjectScope:
    return platforms.ProjectScope(home.project.platform_id, home.project.platform_no, home.project.id, mode)


def _cells(tenant: Tenant) -> tuple[object, ...]:
    row, level = tenant.row, tenant.level
    number = None if level is None else level.number
    return (row.id, row.name, number, tenant.customers, tenant.calls, clock.rfc3339(row.created_at))
