"""Actions on a customer: change the profile and the plan, block, delete, open the portal."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing, customers, platforms
from dream_api.billing.dependencies import BillingDep
from dream_api.core.db import Database
from dream_api.core.errors import Conflict, Invalid
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.customers.audit_details import audit_details
from dream_api.dashboard.audit import record
from dream_api.dashboard.customers.detail import PATH, Id, customer_page
from dream_api.dashboard.customers.detail_data import at_gateway
from dream_api.dashboard.customers.form import read_profile
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanSell
from dream_api.dashboard.forms import SentForm, require_confirmation, submits
from dream_api.dashboard.layout import PageRoute, project_url
from dream_api.metering.dependencies import MeteringDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_DELETE_FIELDS = {"": "subscriptions"}


async def _change(
    request: Request, db: Database, visit: ProjectContext, customer_id: str, values: dict[str, Any]
) -> str:
    scope = visit.scope
    async with db.write() as tx:
        customer = await customers.find(tx, scope, customer_id)
        customers.require_not_deleted(customer)
        now = await platforms.project_now(tx, scope.platform_no, scope.project_id, scope.mode)
        await customers.update(tx, scope, customer, values, now=now)
        change = audit_details(customer, values)
        if change is not None:
            await record(tx, request, visit, change[0], about=customer.id, **change[1])
        if values.get("status", customer.status) != customer.status:
            await billing.record_status_change(tx, scope, customer.id)
    return project_url(visit, f"/customers/{customer_id}")


@submits(router, PATH, customer_page, errors=Invalid)
async def change_profile(
    request: Request, db: Db, engine: MeteringDep, visit: ProjectPageCanSell, customer_id: Id, form: SentForm
) -> str:
    email, name = read_profile(form)
    return await _change(request, db, visit, customer_id, {"email": email, "name": name})


@submits(router, PATH + "/plan", customer_page, errors=Invalid)
async def set_plan(
    request: Request, db: Db, engine: MeteringDep, visit: ProjectPageCanSell, customer_id: Id, form: SentForm
) -> str:
    """In force for metered calls within a second; without one the project's default plan."""
    plan = form.get("plan") or None
    if plan is not None:
        (await engine.get_plans(visit.acting, plan)).find(plan, param="plan")
    return await _change(request, db, visit, customer_id, {"plan": plan})


@submits(router, PATH + "/status", customer_page, errors=Invalid)
async def set_status(
    request: Request,
    db: Db,
    engine: MeteringDep,
    billing_context: BillingDep,
    visit: ProjectPageCanSell,
    customer_id: Id,
    form: SentForm,
) -> str:
    """Blocking pauses the customer's subscriptions, unblocking resumes them."""
    status = "blocked" if form.get("status") == "blocked" else "active"
    shown = await _change(request, db, visit, customer_id, {"status": status})
    await billing.follow_at_once(billing_context, visit.scope, customer_id)
    return shown


@submits(router, PATH + "/delete", customer_page, errors=(Invalid, billing.CustomerSubscribed), fields=_DELETE_FIELDS)
async def delete_customer(
    request: Request,
    db: Db,
    engine: MeteringDep,
    billing_context: BillingDep,
    visit: ProjectPageCanSell,
    customer_id: Id,
    form: SentForm,
) -> str:
    """Confirmed by the user id: name, email and metadata are erased for good."""
    async with db.read() as tx:
        customer = await customers.find(tx, visit.scope, customer_id)
    require_confirmation(form, customer.user_id.strip(), "typed")
    if form.get("subscriptions") == "end":
        await billing.end_subscriptions(billing_context, visit.scope, customer_id)
    async with db.write() as tx:
        customer = await customers.lock(tx, visit.scope, customer_id)
        assert customer is not None
        await billing.require_not_subscribed(tx, visit.scope, customer)
        now = await platforms.project_now(tx, visit.platform_no, visit.project.id, visit.mode)
        await customers.delete(tx, visit.scope, customer, now=now)
        await record(tx, request, visit, "customer.deleted", about=customer.id)
        await billing.record_status_change(tx, visit.scope, customer_id)
    await billing.follow_at_once(billing_context, visit.scope, customer_id)
    return project_url(visit, f"/customers/{customer_id}")


@submits(router, PATH + "/portal", customer_page, errors=())
async def open_portal(
    db: Db,
    settings: SettingsDep,
    engine: MeteringDep,
    billing_context: BillingDep,
    visit: ProjectPageCanSell,
    customer_id: Id,
    form: SentForm,
) -> str | Response:
    """There the customer changes the plan or the card; the address works for an hour."""
    async with db.read() as tx:
        customer = await customers.find(tx, visit.scope, customer_id)
        found = await at_gateway(tx, visit.scope, customer.id)
    if found is None:
        problems = {"": "This customer has no payments yet, so there is no portal to open."}
        return await customer_page(db, engine, visit, customer_id, problems=problems, status=Conflict.status)
    back = settings.link_base + project_url(visit, f"/customers/{customer_id}")
    opened = await billing_context.gateway_of(found[0]).open_portal(found[0], found[1], back)
    return opened.url
