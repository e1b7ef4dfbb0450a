"""`/dashboard/{projectId}/{mode}/customers`: the list, its CSV export, and creating a customer."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import customers
from dream_api.auth.csrf import read_csrf_form
from dream_api.core import clock
from dream_api.core.db import Row
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http.dependencies import Db
from dream_api.customers.search import MAX_RESULTS, Filter, list_customers
from dream_api.dashboard.csv_export import MOST_ROWS, csv_file
from dream_api.dashboard.customers.form import read_profile
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage, ProjectPageCanSell
from dream_api.dashboard.layout import PageRenderer, PageRoute, project_url, redirect
from dream_api.metering import MeteringEngine
from dream_api.metering.dependencies import MeteringDep
from dream_api.usage import REQUESTS
from dream_api.usage.top_customers import period_totals

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_frame = PageRenderer("dream_api.dashboard.customers")
_PAGE = 50
_PIECE = 1_000
_LONGEST = 255
_PATH = "/dashboard/{projectId}/{mode}/customers"
Text = Annotated[str, Query()]


def _filter(q: str, plan: str, status: str, sort: str) -> Filter:
    return Filter(q.replace("\x00", "").strip()[:_LONGEST], plan[:_LONGEST], status[:_LONGEST], sort == "name")


@router.get(_PATH)
async def show_customers(
    db: Db,
    engine: MeteringDep,
    visit: ProjectPage,
    q: Text = "",
    plan: Text = "",
    status: Text = "",
    sort: Text = "",
    after: Text = "",
) -> Response:
    wanted = _filter(q, plan, status, sort)
    plans = await engine.get_plans(visit.acting)
    meter = plans.meters.get(REQUESTS) if visit.project.type == "saas" else None
    async with db.read() as tx:
        rows = await list_customers(tx, visit.acting.scope, wanted, limit=_PAGE + 1, after=after[:_LONGEST] or None)
        page = rows[:_PAGE]
        used = {} if meter is None else await period_totals(tx, visit.scope, meter, [row.no for row in page])
    last = (page[-1].user_id if wanted.by_name else page[-1].id) if len(rows) > _PAGE else None
    asked = {name: value for name, value in (("q", q), ("plan", plan), ("status", status), ("sort", sort)) if value}
    return _frame.render(
        visit,
        "customers.html",
        here="customers",
        mode_path="/customers",
        rows=page,
        used=used,
        counts_usage=meter is not None,
        default_plan=plans.default.name if plans.default else "–",
        plans=sorted(plans.by_name),
        wanted=wanted,
        is_filtered=bool(wanted.beginning or wanted.plan or wanted.status),
        most_found=MAX_RESULTS,
        query=urlencode(asked),
        next_url=None if last is None else "?" + urlencode(asked | {"after": last}),
    )


@router.get(_PATH + ".csv")
async def export_customers(
    db: Db, visit: ProjectPage, q: Text = "", plan: Text = "", status: Text = "", sort: Text = ""
) -> Response:
    wanted = _filter(q, plan, status, sort)

    rows: list[Row[Any]] = []
    after: str | None = None
    while len(rows) < MOST_ROWS:
        async with db.read() as tx:
            piece = await list_customers(tx, visit.acting.scope, wanted, limit=_PIECE, after=after)
        rows += piece
        if len(piece) < _PIECE:
            break
        after = piece[-1].user_id if wanted.by_name else piece[-1].id
    heads = ("id", "userId", "email", "name", "status", "plan", "createdAt", "updatedAt")
    cells = ((row.id, row.user_id, row.email, row.name, row.status, row.plan, *_times(row)) for row in rows)
    return csv_file(f"customers-{visit.mode}", heads, cells)


def _times(row: Row[Any]) -> tuple[str, str]:
    return clock.rfc3339(row.created_at), clock.rfc3339(row.updated_at)


@router.get(_PATH + "/new")
async def ask_for_customer(engine: MeteringDep, visit: ProjectPageCanSell) -> Response:
    return await _form(engine, visit, {}, {})


@router.post(_PATH)
async def create_customer(request: Request, db: Db, engine: MeteringDep, visit: ProjectPageCanSell) -> Response:
    """A customer that metered calls already created is adopted with its counts."""
    form = await read_csrf_form(request, visit.user)
    plans = await engine.get_plans(visit.acting, form.get("plan") or None)
    try:
        user_id = customers.validate_user_id(form.get("userId", ""), "userId")
        email, name = read_profile(form)
        plan = plans.find(form["plan"], param="plan").name if form.get("plan") else None
        async with db.write() as tx:
            made = await customers.create(tx, visit.acting.scope, user_id, email=email, name=name, plan=plan)
    except AppError as error:
        if error.status not in (ValidationFailed.status, 409):
            raise
        return await _form(engine, visit, form, {error.param or "": error.sentence})
    return redirect(project_url(visit, f"/customers/{made.id}"))


async def _form(
    engine: MeteringEngine, visit: ProjectContext, form: dict[str, str], problems: dict[str, str]
) -> Response:
    plans = await engine.get_plans(visit.acting)
    return _frame.render(
        visit,
        "new.html",
        here="customers",
        mode_path="/customers",
        status=ValidationFailed.status if problems else 200,
        form=form,
        problems=problems,
        plans=sorted(plans.by_name),
        default_plan=plans.default.name if plans.default else "none",
    )
