"""`/dashboard/operator/platforms` and `/levels`: all platforms with their levels, and what each level allows."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from dream_api import audit, catalog, customers, platforms, usage
from dream_api.audit import Actor
from dream_api.catalog import Home, Level
from dream_api.core import clock
from dream_api.core.db import Database, Row, Tx
from dream_api.core.errors import Invalid, NotFound, ValidationFailed
from dream_api.core.html import format as formats
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard import cells
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.audit import actor_of
from dream_api.dashboard.dependencies import OperatorContext, OperatorExport, OperatorPage, OperatorPageCanManage
from dream_api.dashboard.exports import Fetch
from dream_api.dashboard.forms import FormErrors, SentForm, submits
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.platforms import Mode

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PLATFORMS = "/dashboard/operator/platforms"
_ON_A_PAGE = 50
_MOST_DIGITS = 3
PlatformId = Annotated[str, Path(alias="platformId", max_length=255, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A platform as its operators see it; `level`: None of their own platform."""

    row: Row[Any]
    level: Level | None
    customers: int
    calls: int


class PlatformQuery(lists.ListQuery):
    q: Annotated[str, Field(max_length=120, pattern=r"^[^\x00]*$")] = ""
    after: Annotated[int | None, Field(ge=1, le=2**53)] = None


Asked = Annotated[PlatformQuery, Query()]
PLATFORMS = lists.ListPage[Tenant, OperatorContext](
    title="Platforms",
    here="platforms",
    path="/platforms",
    columns=[
        lists.Column("Platform", lists.text(lambda one: cells.link(f"{_PLATFORMS}/{one.row.id}", one.row.name))),
        lists.Column("Level", lists.text(lambda one: one.level.display_name if one.level else cells.soft("–"))),
        lists.Column("Live customers", lists.text(lambda one: formats.number(one.customers)), "less"),
        lists.Column("Calls this month", lists.text(lambda one: formats.number(one.calls)), "less"),
        lists.Column("Created", lists.real_time(lambda one: one.row.created_at)),
    ],
    filters=[lists.Search("q", "Name or ID")],
    exports={
        "id": lambda one: one.row.id,
        "name": lambda one: one.row.name,
        "level": lambda one: one.level and one.level.number,
        "liveCustomers": lambda one: one.customers,
        "callsThisMonth": lambda one: one.calls,
        "createdAt": lambda one: clock.rfc3339(one.row.created_at),
    },
    cursor=lambda one: one.row.no,
    empty=lists.Empty("No platforms yet", "When someone signs up and creates a platform, it appears here."),
)


@router.get(_PLATFORMS)
async def list_platforms(db: Db, settings: SettingsDep, visit: OperatorPage, asked: Asked) -> Response:
    return await PLATFORMS.show(db, visit, asked, _fetch(settings.home_mode, asked))


@router.get(_PLATFORMS + ".csv")
async def export_platforms(db: Db, settings: SettingsDep, _: OperatorExport, asked: Asked) -> Response:
    return PLATFORMS.export(db, "platforms", _fetch(settings.home_mode, asked))


def _fetch(mode: Mode, asked: PlatformQuery) -> Fetch[Tenant]:
    async def fetch(tx: Tx, limit: int, after: int | None) -> list[Tenant]:
        return await _tenants(
            tx, await platforms.page_of_platforms(tx, limit=limit, after=after, containing=asked.q), mode
        )

    return fetch


@router.get(_PLATFORMS + "/{platformId}")
async def show_platform(db: Db, settings: SettingsDep, visit: OperatorPage, platform_id: PlatformId) -> Response:
    return await _show_one(db, settings, visit, platform_id)


@router.get("/dashboard/operator/levels")
async def list_levels(db: Db, settings: SettingsDep, visit: OperatorPage) -> Response:
    """Each is a tier of the project home, and edited there."""
    mode: Mode = settings.home_mode
    async with db.read() as tx:
        home = await catalog.find_home(tx)
        offers = await catalog.list_tiers(tx, home.project.platform_no, home.project.id, mode)
        held = await customers.customers_by_plan(tx, _scope_of(home, mode))
    levels = sorted((offer for offer in offers if offer.number is not None), key=lambda offer: offer.number or 0)
    url = f"/dashboard/{home.project.id}/{mode}"
    return render_page(
        visit,
        "operator/levels.html",
        here="levels",
        levels=levels,
        held=held,
        tiers_url=f"{url}/tiers",
        new_url=f"{url}/new-tier",
        home_name=home.project.name,
        sells_in=mode,
    )


async def _record(tx: Tx, request: Request, visit: OperatorContext, platform: platforms.Platform, number: int) -> None:
    """In the operator's stream who it was, in the platform's that an operator did it; in one order, as all do it."""
    by = {visit.platform.log_stream: actor_of(request, visit.user), platform.log_stream: Actor("operator", "")}
    for stream in sorted(by):
        details = {"platform": platform.id, "level": str(number)}
        await audit.record(tx, stream, "level.changed", by=by[stream], about=platform.id, details=details)


async def _show_one(
    db: Database,
    settings: Settings,
    visit: OperatorContext,
    platform_id: str,
    problems: FormErrors | None = None,
) -> Response:
    mode: Mode = settings.home_mode
    async with db.read() as tx:
        row = await platforms.platform_by_id(tx, platform_id)
        if row is None:
            raise NotFound("Platform not found.")
        [tenant] = await _tenants(tx, [row], mode)
        levels = [level for level in await catalog.list_levels(tx, mode) if not level.is_archived]
        projects = await platforms.projects_of(tx, row.no, limit=_ON_A_PAGE)
        members = len(await platforms.members_of(tx, row.no))
    return render_page(
        visit,
        "operator/platform.html",
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


@submits(router, _PLATFORMS + "/{platformId}/level", _show_one, fields={"platform": "level"}, errors=Invalid)
async def assign_level(
    request: Request,
    db: Db,
    settings: SettingsDep,
    visit: OperatorPageCanManage,
    platform_id: PlatformId,
    form: SentForm,
) -> str:
    """Without a payment; in force within a second."""
    typed = form.get("level", "")
    mode: Mode = settings.home_mode
    if not (typed.isascii() and typed.isdecimal()) or len(typed) > _MOST_DIGITS:
        raise ValidationFailed("Choose a level.", param="level")
    async with db.write() as tx:
        platform = await platforms.find(tx, platform_id)
        level = await catalog.assign_level(tx, platform, int(typed), mode)
        await _record(tx, request, visit, platform, level.number)
    return f"{_PLATFORMS}/{platform.id}"


async def _tenants(tx: Tx, rows: Any, mode: Mode) -> list[Tenant]:
    """So many statements, however many platforms."""
    home = await catalog.find_home(tx)
    scope = _scope_of(home, mode)
    levels = await catalog.list_levels(tx, mode)
    by_name = {level.name: level for level in levels}
    offers = await catalog.list_tiers(tx, scope.platform_no, scope.project_id, mode)
    default = next((by_name.get(offer.name) for offer in offers if offer.is_default), None)
    wanted: list[customers.CustomerKey] = [(scope.platform_no, scope.project_id, scope.mode, row.id) for row in rows]
    found = await customers.find_many(tx, wanted)
    plans = {key[3]: customer.plan for key, customer in found.items()}
    many = await customers.live_customers_by_platform(tx, [row.no for row in rows])
    month, _ = clock.month_of(clock.now())
    calls = await usage.calls_by_platform(tx, [row.no for row in rows], home.requests, month)
    return [
        Tenant(
            row,
            None if row.no == scope.platform_no else by_name.get(plans.get(row.id) or "", default),
            many.get(row.no, 0),
            calls.get(row.no, 0),
        )
        for row in rows
    ]


def _scope_of(home: Home, mode: Mode) -> platforms.ProjectScope:
    return platforms.ProjectScope(home.project.platform_no, home.project.id, mode)
