"""`/api/customers`: create, list, get, update and delete customers. `{id}` is `cus_…` or `userId:…`."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from pydantic import Field
from typing_extensions import TypeAliasType

from dream_api import billing, customers, platforms
from dream_api.api.endpoint import Endpoints, JsonBody, Post
from dream_api.api.models import (
    METADATA,
    METADATA_CHANGES,
    NO_NUL,
    Page,
    PageRequest,
    ResponseModel,
    StoredMetadata,
    Timestamp,
    example,
    page_of,
)
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.auth.principals import ProjectPrincipal
from dream_api.billing.dependencies import BillingDep
from dream_api.catalog import UnknownPlan
from dream_api.core import metadata
from dream_api.core.db import Row, Tx
from dream_api.core.errors import NotFound, ValidationFailed
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db
from dream_api.core.metadata import MetadataUpdate
from dream_api.customers.audit_details import audit_details
from dream_api.customers.rules import CustomerExists
from dream_api.metering.dependencies import MeteringDep

endpoints = Endpoints("Customers", "/api/customers")

CustomerStatus = TypeAliasType("CustomerStatus", Literal["active", "blocked", "deleted"])
CustomerUpdateStatus = TypeAliasType("CustomerUpdateStatus", Literal["active", "blocked"])
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Name = Annotated[str, Field(max_length=120, pattern=NO_NUL)]
PlanName = Annotated[str, Field(max_length=63)]
Id = Annotated[
    str,
    Path(
        alias="id",
        description="`cus_…`, or `userId:` followed by your own user ID.",
        max_length=300,
        pattern=NO_NUL,
        examples=["userId:user_123"],
    ),
]
WhatOfSubscriptions = Annotated[
    Literal["refuse", "end"],
    Query(
        description="What happens to the customer's subscriptions. `refuse`: while there is one, the customer is not "
        "deleted. `end`: they end now, without another charge and without a refund."
    ),
]
_EXAMPLE = {
    "userId": "user_123",
    "email": "ada@example.com",
    "name": "Ada",
    "plan": "free",
    "metadata": {"company": "Analytical Engines"},
}


class CustomerCreate(RequestModel, json_schema_extra=example(_EXAMPLE)):
    """A customer to create, or to update if metered calls already created the customer."""

    user_id: str = Field(min_length=1, max_length=customers.LONGEST_USER_ID, description="Your own user ID.")
    email: Email | None = None
    name: Name | None = None
    plan: PlanName | None = Field(None, description="A plan of the project; null: its default plan.")
    metadata: MetadataUpdate | None = METADATA


class CustomerUpdate(RequestModel, json_schema_extra=example({"plan": "free", "status": "active"})):
    """The fields to change. Other fields stay the same."""

    email: Email | None = None
    name: Name | None = None
    plan: PlanName | None = Field(None, description="null: the project's default plan.")
    status: CustomerUpdateStatus | None = Field(None, description="blocked: metered calls are rejected.")
    metadata: MetadataUpdate | None = METADATA_CHANGES


class Customer(
    ResponseModel,
    json_schema_extra=example(
        {
            "id": "cus_01k9q3v8zd0g2m4n6p8r0t2v4w",
            **_EXAMPLE,
            "status": "active",
            "createdAt": "2026-11-21T09:14:00Z",
            "updatedAt": "2026-11-21T09:14:00Z",
        }
    ),
):
    """An end user of a project and mode."""

    id: str
    user_id: str = Field(description="Your own user ID.")
    email: str | None
    name: str | None
    status: CustomerStatus
    plan: str | None = Field(description="null: the project's default plan.")
    metadata: StoredMetadata
    created_at: Timestamp
    updated_at: Timestamp


class CustomerList(Page[Customer]):
    """Newest first."""


@endpoints.post("", "customers.create", "Create a customer", status=201, errors=(UnknownPlan, CustomerExists))
async def create_customer(engine: MeteringDep, acting: CanSell, post: Post[CustomerCreate]) -> ModelResponse[Customer]:
    """If metered calls already created the customer, it is updated and keeps its counts."""
    body = post.body
    customers.validate_user_id(body.user_id, "userId")
    plans = await engine.get_plans(acting, body.plan)
    attached = metadata.dump(metadata.create(body.metadata))

    async def effect(tx: Tx) -> Customer:
        if body.plan is not None:
            plans.find(body.plan, param="plan")
        now = await platforms.project_now(tx, acting.platform_no, acting.project_id, acting.mode)
        profile = {"email": body.email, "name": body.name, "plan": body.plan}
        row = await customers.create(tx, acting.scope, body.user_id, **profile, metadata=attached, now=now)
        return Customer.model_validate(row)

    return await post.commit(acting, effect)


@endpoints.get("", "customers.list", "List customers")
async def list_customers(
    db: Db, acting: CanView, page: Annotated[PageRequest, page_of("cus")]
) -> ModelResponse[CustomerList]:
    """Newest first."""
    async with db.read() as tx:
        rows = await customers.page_of(tx, acting.scope, limit=page.fetch, after=page.after)
    return json_response(page.page(CustomerList, rows))


@endpoints.get("/{id:path}", "customers.get", "Get a customer", errors=(NotFound,))
async def get_customer(db: Db, acting: CanView, reference: Id) -> ModelResponse[Customer]:
    """Use the customer's id (`cus_…`), or `userId:` followed by your own user ID."""
    async with db.read() as tx:
        return json_response(Customer.model_validate(await customers.find(tx, acting.scope, reference)))


@endpoints.patch(
    "/{id:path}",
    "customers.update",
    "Update a customer",
    errors=(NotFound, UnknownPlan, customers.CustomerDeleted),
)
async def update_customer(
    request: Request,
    db: Db,
    engine: MeteringDep,
    billing_context: BillingDep,
    acting: CanSell,
    reference: Id,
    body: JsonBody[CustomerUpdate],
) -> ModelResponse[Customer]:
    """The change affects metered calls within a second. Blocking pauses the customer's subscriptions: no invoices are
    made. Unblocking resumes them; periods that passed meanwhile are not charged."""
    if body.plan is not None:
        (await engine.get_plans(acting, body.plan)).find(body.plan, param="plan")
    values = body.model_dump(exclude_unset=True)
    if values.get("status", "") is None:
        raise ValidationFailed("The status must be active or blocked.", param="status")
    async with db.write() as tx:
        customer = await customers.find(tx, acting.scope, reference)
        customers.require_not_deleted(customer)
        if "metadata" in values:
            values["metadata"] = await _merge_metadata(tx, acting, customer, body)
        now = await platforms.project_now(tx, acting.platform_no, acting.project_id, acting.mode)
        changed = await customers.update(tx, acting.scope, customer, values, now=now)
        await _audit_update(tx, request, acting, customer, values)
        is_status_changed = changed.status != customer.status
        if is_status_changed:
            await billing.record_status_change(tx, acting.scope, customer.id)
    if is_status_changed:
        await billing.follow_at_once(billing_context, acting.scope, customer.id)
    return json_response(Customer.model_validate(changed))


async def _merge_metadata(tx: Tx, acting: ProjectPrincipal, customer: Row[Any], body: CustomerUpdate) -> str:
    """Of the locked row: concurrent requests that change different keys all take effect."""
    locked = await customers.lock(tx, acting.scope, customer.id)
    assert locked is not None
    customers.require_not_deleted(locked)
    return metadata.dump(metadata.merge(metadata.load(locked.metadata), body.metadata))


async def _audit_update(
    tx: Tx, request: Request, acting: ProjectPrincipal, before: Row[Any], values: dict[str, Any]
) -> None:
    """Developers' changes are all recorded; of servers' frequent changes, only blocking and unblocking."""
    change = audit_details(before, values)
    if change is not None and (acting.role is not None or change[0] != "customer.changed"):
        await audit_request(tx, request, acting, change[0], about=before.id, details=change[1])


@endpoints.delete("/{id:path}", "customers.delete", "Delete a customer", errors=(NotFound, billing.CustomerSubscribed))
async def delete_customer(
    request: Request,
    db: Db,
    billing_context: BillingDep,
    acting: CanSell,
    reference: Id,
    subscriptions: WhatOfSubscriptions = "refuse",
) -> ModelResponse[Customer]:
    """Name, email and metadata are erased, and metered calls are rejected. The counts are kept, because they were
    billed."""
    async with db.read() as tx:
        found = await customers.find(tx, acting.scope, reference)
    if subscriptions == "end":
        await billing.end_subscriptions(billing_context, acting.scope, found.id)
    async with db.write() as tx:
        customer = await customers.lock(tx, acting.scope, found.id)
        assert customer is not None
        await billing.require_not_subscribed(tx, acting.scope, customer)
        now = await platforms.project_now(tx, acting.platform_no, acting.project_id, acting.mode)
        deleted = await customers.delete(tx, acting.scope, customer, now=now)
        if customer.status != "deleted":
            await audit_request(tx, request, acting, "customer.deleted", about=customer.id)
            await billing.record_status_change(tx, acting.scope, customer.id)
    await billing.follow_at_once(billing_context, acting.scope, customer.id)
    return json_response(Customer.model_validate(deleted))
