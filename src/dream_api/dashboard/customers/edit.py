"""Actions on a customer: change the profile and the plan, block, delete, open the portal."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import customers, platforms
from dream_api.auth.csrf import read_csrf_form
from dream_api.billing.dependencies import BillingDep
from dream_api.core.db import Database
from dream_api.core.errors import AppError, Conflict, ValidationFailed
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.customers.audit_details import audit_details
from dream_api.dashboard.audit import record
from dream_api.dashboard.customers.detail import PATH, Id, customer_page
from dream_api.dashboard.customers.detail_data import at_gateway
from dream_api.dashboard.customers.form import read_profile
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanSell
from dream_api.dashboard.layout import PageRoute, project_url, redirect
from dream_api.metering import MeteringEngine
from dream_api.metering.dependencies import MeteringDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post(PATH)
async def change_profile(
    request: Request, db: Db, engine: MeteringDep, visit: ProjectPageCanSell, customer_id: Id
) -> Response:
    form = await read_csrf_form(request, visit.user)
    try:
        email, name = read_profile(form)
        return await _change(request, db, visit, customer_id, {"email": email, "name": name})
    except AppError as error:
        return await _again(db, engine, visit, customer_id, form, error)


@router.post(PATH + "/plan")
async def set_plan(
    request: Request, db: Db, engine: MeteringDep, visit: ProjectPageCanSell, customer_id: Id
) -> Response:
    """In force for metered calls within a second; without one the project's default tier."""
    form = await read_csrf_form(request, visit.user)
    plan = form.get("plan") or None
    try:
        if plan is not None:
            (await engine.get_plans(visit.acting, plan)).find(plan, param="plan")
        return await _change(request, db, visit, customer_id, {"plan": plan})
    except AppError as error:
        return await _again(db, engine, visit, customer_id, form, error)


@router.post(PATH + "/status")
async def set_status(request: Request, db: Db, visit: ProjectPageCanSell, customer_id: Id) -> Response:
    form = await read_csrf_form(request, visit.user)
    status = "blocked" if form.get("status") == "blocked" else "active"
    return await _change(request, db, visit, customer_id, {"status": status})


async def _change(
    request: Request, db: Database, visit: ProjectContext, customer_id: str, values: dict[str, Any]
) -> Response:
    scope = visit.acting.scope
    async with db.write() as tx:
        customer = await customers.find(tx, scope, customer_id)
        customers.require_not_deleted(customer)
        now = await platforms.project_now(tx, scope.platform_id, scope.project_id, scope.mode)
        await customers.update(tx, scope, customer, values, now=now)
        change = audit_details(customer, values)
        if change is not None:
            await record(tx, request, visit, change[0], about=customer.id, **change[1])
    return redirect(project_url(visit, f"/customers/{customer_id}"))


@router.post(PATH + "/delete")
async def delete_customer(
    request: Request, db: Db, engine: MeteringDep, visit: ProjectPageCanSell, customer_id: Id
) -> Response:
    """Their name is typed first: name and address are erased, and nothing brings them back."""
    form = await read_csrf_form(request, visit.user)
    scope = visit.acting.scope
    async with db.read() as tx:
        customer = await customers.find(tx, scope, customer_id)
    if form.get("typed", "") != customer.user_id.strip():
        wrong = ValidationFailed("That is not the customer's user id.", param="typed")
        return await _again(db, engine, visit, customer_id, form, wrong)
    async with db.write() as tx:
        await customers.delete(tx, scope, await customers.find(tx, scope, customer_id))
        await record(tx, request, visit, "customer.deleted", about=customer.id)
    return redirect(project_url(visit, f"/customers/{customer_id}"))


@router.post(PATH + "/portal")
async def open_portal(
    request: Request,
    db: Db,
    settings: SettingsDep,
    engine: MeteringDep,
    billing_context: BillingDep,
    visit: ProjectPageCanSell,
    customer_id: Id,
) -> Response:
    """There the customer changes the plan or the card; the address works for an hour."""
    await read_csrf_form(request, visit.user)
    async with db.read() as tx:
        customer = await customers.find(tx, visit.acting.scope, customer_id)
        found = await at_gateway(tx, visit.acting.scope, customer.id)
    if found is None:
        problems = {"": "The customer has never paid, so there is nothing to see in a portal."}
        return await customer_page(db, engine, visit, customer_id, problems=problems, status=Conflict.status)
    back = settings.link_base + project_url(visit, f"/customers/{customer_id}")
    opened = await billing_context.gateway_of(found[0]).open_portal(found[0], found[1], back)
    return redirect(opened.url)


async def _again(
    db: Database,
    engine: MeteringEngine,
    visit: ProjectContext,
    customer_id: str,
    form: dict[str, str],
    error: AppError,
) -> Response:
    """The page once more, with what was typed and what is wrong with it; raises what no field is at fault for."""
    if error.status != ValidationFailed.status:
        raise error
    problems = {error.param or "": error.sentence}
    return await customer_page(
        db, engine, visit, customer_id, form=form, problems=problems, status=ValidationFailed.status
    )
