"""`/dashboard/{projectId}/{mode}/customers/{customerId}`: one customer."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from dream_api import customers
from dream_api.core.db import Database, Row
from dream_api.core.errors import ValidationFailed
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.customers.detail_data import customer_detail
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.metering import MeteringEngine
from dream_api.metering.dependencies import MeteringDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
PATH = "/dashboard/{projectId}/{mode}/customers/{customerId}"
Id = Annotated[str, Path(alias="customerId", max_length=64, pattern=r"^cus_[0-9a-z]{26}$")]


@router.get(PATH)
async def show_customer(db: Db, engine: MeteringDep, visit: ProjectPage, customer_id: Id) -> Response:
    return await customer_page(db, engine, visit, customer_id)


async def customer_page(
    db: Database,
    engine: MeteringEngine,
    visit: ProjectContext,
    customer_id: str,
    *,
    form: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
    status: int = 0,
) -> Response:
    """With what was typed and what is wrong with it, where something is."""
    plans = await engine.get_plans(visit.acting)
    async with db.read() as tx:
        customer: Row[Any] = await customers.find(tx, visit.acting.scope, customer_id)
        page = await customer_detail(tx, visit.acting.scope, customer, plans, visit.project_now)
    return render_page(
        visit,
        "customers/customer.html",
        here="customers",
        mode_path="/customers",
        status=status or (ValidationFailed.status if problems else 200),
        page=page,
        customer=customer,
        plans=sorted(plans.by_name),
        default_plan=plans.default.name if plans.default else "none",
        form={"plan": customer.plan or "", "email": customer.email or "", "name": customer.name or "", **(form or {})},
        problems=problems or {},
    )
