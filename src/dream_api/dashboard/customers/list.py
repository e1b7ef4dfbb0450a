"""`/dashboard/{projectId}/{mode}/customers`: the list, its CSV export, and creating a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import customers, platforms
from dream_api.core import clock
from dream_api.core.db import Row, Tx
from dream_api.core.errors import ValidationFailed
from dream_api.core.html import format as formats
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.customers.search import MAX_RESULTS, Filter, list_customers
from dream_api.dashboard import cells, statuses
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.customers.form import read_profile
from dream_api.dashboard.dependencies import ProjectContext, ProjectExport, ProjectPage, ProjectPageCanSell
from dream_api.dashboard.exports import Fetch
from dream_api.dashboard.forms import FormErrors, SentForm, submits
from dream_api.dashboard.layout import PageRoute, project_url, render_page
from dream_api.metering import MeteringEngine
from dream_api.metering.dependencies import MeteringDep
from dream_api.usage import REQUESTS, Meter
from dream_api.usage.top_customers import period_totals

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_LONGEST = 255
_PATH = "/dashboard/{projectId}/{mode}/customers"


class CustomerQuery(lists.ListQuery):
    q: str = ""
    plan: str = ""
    status: str = ""
    sort: str = ""
    after: str | None = None

    @property
    def filter(self) -> Filter:
        q, plan, status = (text.strip()[:_LONGEST] for text in (self.q, self.plan, self.status))
        return Filter(q, plan, status, self.sort == "name")


Asked = Annotated[CustomerQuery, Query()]


@dataclass(frozen=True, slots=True)
class ListedCustomer:
    """A customer with the requests counted so far, and the plan that those without one of their own are on."""

    row: Row[Any]
    default_plan: str = ""
    requests: int = 0


def _name(one: ListedCustomer, visit: ProjectContext) -> object:
    row = one.row
    email = row.email if row.email != row.user_id else ""
    status = "" if row.status == "active" else statuses.label(row.status, "customer")
    return cells.link(f"{visit.base}/customers/{row.id}", row.user_id, email) + cells.narrow_only(status)


_COLUMNS: Sequence[lists.Column[ListedCustomer, ProjectContext]] = [
    lists.Column("Customer", _name, "cut"),
    lists.Column("Plan", lists.text(lambda one: one.row.plan or cells.soft(one.default_plan))),
    lists.Column("Status", lists.text(lambda one: statuses.state(one.row.status, "customer")), "less"),
    lists.Column("Created", lists.project_time(lambda one: one.row.created_at)),
]
_REQUESTS = lists.Column[ListedCustomer, ProjectContext](
    "Requests", lists.text(lambda one: formats.number(one.requests)), "wide-only"
)
CUSTOMERS = lists.ListPage[ListedCustomer, ProjectContext](
    title="Customers",
    here="customers",
    path="/customers",
    columns=_COLUMNS,
    filters=[
        lists.Search("q", "User ID or email"),
        lists.Select("plan", "Plan"),
        lists.Select("status", "Status", statuses.options("customer")),
        lists.Select("sort", "Sort order", [("", "Newest first"), ("name", "User ID")]),
    ],
    exports={
        "id": lambda one: one.row.id,
        "userId": lambda one: one.row.user_id,
        "email": lambda one: one.row.email,
        "name": lambda one: one.row.name,
        "status": lambda one: one.row.status,
        "plan": lambda one: one.row.plan,
        "createdAt": lambda one: clock.rfc3339(one.row.created_at),
        "updatedAt": lambda one: clock.rfc3339(one.row.updated_at),
    },
    actions=[lists.Action("New customer", "/customers/new", "sell")],
    cursor=lambda one: one.row.id,
    nothing_found="Search matches the start of the user ID or email, and is case-sensitive.",
    empty=lists.Empty(
        "No customers yet",
        "A customer is created with the first metered call of a user. You can also create one here.",
        lists.Action("New customer", "/customers/new", "sell"),
    ),
)


_IN_A_STORE = "A customer is created at the first checkout with a user ID. You can also create one here."


def _user_id(one: ListedCustomer) -> str:
    return one.row.user_id


BY_NAME = replace(CUSTOMERS, cursor=_user_id)


@router.get(_PATH)
async def show_customers(db: Db, engine: MeteringDep, visit: ProjectPage, asked: Asked) -> Response:
    plans = await engine.get_plans(visit.acting)
    meter = plans.meters.get(REQUESTS) if visit.project.type == "saas" else None
    default = plans.default.name if plans.default else "–"
    note = f"Search finds at most {MAX_RESULTS} user IDs and {MAX_RESULTS} emails. Enter more characters to narrow it."
    page = _page_of(asked)
    if meter is not None:
        page = replace(page, columns=[*_COLUMNS[:3], _REQUESTS, _COLUMNS[3]])
    elif visit.project.type == "store":
        columns, filters = [_COLUMNS[0], *_COLUMNS[2:]], [page.filters[0], *page.filters[2:]]
        page = replace(page, columns=columns, filters=filters, empty=replace(page.empty, sentence=_IN_A_STORE))
    return await page.show(
        db,
        visit,
        asked,
        _fetch(visit, asked, default, meter),
        options={"plan": [("", "All"), *((plan, plan) for plan in sorted(plans.by_name))]},
        note=note if asked.q else "",
    )


@router.get(_PATH + ".csv")
async def export_customers(db: Db, visit: ProjectExport, asked: Asked) -> Response:
    return _page_of(asked).export(db, f"customers-{visit.mode}", _fetch(visit, asked))


def _page_of(asked: CustomerQuery) -> lists.ListPage[ListedCustomer, ProjectContext]:
    return BY_NAME if asked.filter.by_name else CUSTOMERS


def _fetch(
    visit: ProjectContext, asked: CustomerQuery, default_plan: str = "", meter: Meter | None = None
) -> Fetch[ListedCustomer]:
    async def fetch(tx: Tx, limit: int, after: str | None) -> list[ListedCustomer]:
        cursor = after[:_LONGEST] if after else None
        rows = await list_customers(tx, visit.scope, asked.filter, limit=limit, after=cursor)
        used: Mapping[int, int] = {}
        if meter is not None:
            used = await period_totals(tx, visit.scope, meter, [row.no for row in rows])
        return [ListedCustomer(row, default_plan, used.get(row.no, 0)) for row in rows]

    return fetch


@router.get(_PATH + "/new")
async def ask_for_customer(engine: MeteringDep, visit: ProjectPageCanSell) -> Response:
    return await _form(engine, visit, {}, {})


async def _form(engine: MeteringEngine, visit: ProjectContext, form: Form, problems: FormErrors) -> Response:
    plans = await engine.get_plans(visit.acting)
    return render_page(
        visit,
        "customers/new.html",
        here="customers",
        mode_path="/customers",
        status=ValidationFailed.status if problems else 200,
        form=form,
        problems=problems,
        plans=sorted(plans.by_name),
        default_plan=plans.default.name if plans.default else "none",
    )


@submits(router, _PATH, _form)
async def create_customer(db: Db, engine: MeteringDep, visit: ProjectPageCanSell, form: SentForm) -> str:
    """If metered calls already created the customer, it is updated and keeps its counts."""
    plans = await engine.get_plans(visit.acting, form.get("plan") or None)
    user_id = customers.validate_user_id(form.get("userId", ""), "userId")
    email, name = read_profile(form)
    plan = plans.find(form["plan"], param="plan").name if form.get("plan") else None
    async with db.write() as tx:
        now = await platforms.project_now(tx, visit.platform_no, visit.project.id, visit.mode)
        made = await customers.create(tx, visit.scope, user_id, email=email, name=name, plan=plan, now=now)
    return project_url(visit, f"/customers/{made.id}")
