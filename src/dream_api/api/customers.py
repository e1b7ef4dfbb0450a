"""`/api/customers`: create, list, read, update and delete customers. `{id}` is `cus_…` or `userId:…`."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import customers, platforms
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView, IdempotencyKey
from dream_api.auth.principals import ProjectPrincipal
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.catalog import UnknownPlan
from dream_api.core import clock, errors
from dream_api.core.db import Row, Tx
from dream_api.core.http import (
    RequestModel,
    error_responses,
    idempotent_response,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch
from dream_api.customers.audit_details import audit_details
from dream_api.customers.rules import CustomerExists
from dream_api.metering.dependencies import MeteringDep

router = APIRouter(tags=["Customers"], prefix="/api/customers")

_LONGEST_EMAIL = 254
_LONGEST_NAME = 120
# PostgreSQL's text has none.
_NO_NUL = r"^[^\x00]*$"
_CURSOR = r"^cus_[0-9a-z]{26}$"
_BODY = (errors.MalformedJson, errors.BodyTooDeep, errors.TooLarge, errors.UnsupportedMedia)


class CustomerCreate(RequestModel):
    """A customer to make, or to adopt where metered calls made it before."""

    user_id: str = Field(min_length=1, max_length=customers.LONGEST_USER_ID, description="Your own id of the user.")
    email: str | None = Field(None, max_length=_LONGEST_EMAIL, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")
    name: str | None = Field(None, max_length=_LONGEST_NAME, pattern=_NO_NUL)
    plan: str | None = Field(None, max_length=63, description="A tier of the project; none: the default tier.")


class CustomerUpdate(RequestModel):
    """What is to change; what is left out stays."""

    email: str | None = Field(None, max_length=_LONGEST_EMAIL, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")
    name: str | None = Field(None, max_length=_LONGEST_NAME, pattern=_NO_NUL)
    plan: str | None = Field(None, max_length=63, description="null: back to the project's default tier.")
    status: Literal["active", "blocked"] | None = Field(None, description="blocked: metered calls are refused.")


class Customer(BaseModel):
    """An end user of a project and mode."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    user_id: str
    email: str | None
    name: str | None
    status: Literal["active", "blocked", "deleted"]
    plan: str | None
    created_at: str
    updated_at: str


class CustomerList(BaseModel):
    """Newest first."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    data: list[Customer]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


_EXAMPLE = {"userId": "user_123", "email": "ada@example.com", "name": "Ada", "plan": "free"}
_SHOWN = {
    "id": "cus_01k9q3v8zd0g2m4n6p8r0t2v4w",
    **_EXAMPLE,
    "status": "active",
    "createdAt": "2026-11-21T09:14:00Z",
    "updatedAt": "2026-11-21T09:14:00Z",
}
Id = Annotated[
    str,
    Path(
        alias="id",
        description="`cus_…`, or `userId:` and your own id.",
        max_length=300,
        pattern=_NO_NUL,
        examples=["userId:user_123"],
    ),
]


def _shown(status: int, example: Any) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {"application/json": {"example": example}}}}


@router.post(
    "",
    summary="Make a customer",
    status_code=201,
    response_model=Customer,
    responses={
        **_shown(201, _SHOWN),
        **error_responses(
            *PROJECT_AUTH_ERRORS, *_BODY, UnknownPlan, CustomerExists, IdempotencyInProgress, IdempotencyMismatch
        ),
    },
    openapi_extra=request_body(CustomerCreate, _EXAMPLE),
)
async def create_customer(request: Request, engine: MeteringDep, acting: CanSell, _: IdempotencyKey = None) -> Response:
    """A customer that metered calls already created is adopted with its counts."""
    body, raw = await read_json_body(request, CustomerCreate)
    customers.validate_user_id(body.user_id, "userId")
    plans = await engine.get_plans(acting, body.plan)

    async def effect(tx: Tx) -> Customer:
        if body.plan is not None:
            plans.find(body.plan, param="plan")
        row = await customers.create(tx, acting.scope, body.user_id, email=body.email, name=body.name, plan=body.plan)
        return _customer(row)

    return await idempotent_response(
        request, platform_id=acting.platform_id, caller=acting.caller, status=201, body=raw, effect=effect
    )


@router.get(
    "",
    summary="List customers",
    response_model=CustomerList,
    responses={
        **_shown(200, {"data": [_SHOWN], "nextCursor": None}),
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_customers(
    db: Db,
    acting: CanView,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to answer.")] = 20,
    after: Annotated[str | None, Query(pattern=_CURSOR, description="The `nextCursor` of the page before.")] = None,
) -> Response:
    """Newest first."""
    async with db.read() as tx:
        rows = await customers.page_of(tx, acting.scope, limit=limit + 1, after=after)
    page = [_customer(row) for row in rows[:limit]]
    cursor = page[-1].id if len(rows) > limit else None
    return json_response(CustomerList(data=page, next_cursor=cursor))


@router.get(
    "/{id:path}",
    summary="Read a customer",
    response_model=Customer,
    responses={**_shown(200, _SHOWN), **error_responses(*PROJECT_AUTH_ERRORS)},
)
async def read_customer(db: Db, acting: CanView, reference: Id) -> Response:
    async with db.read() as tx:
        return json_response(_customer(await customers.find(tx, acting.scope, reference)))


@router.patch(
    "/{id:path}",
    summary="Change a customer",
    response_model=Customer,
    responses={
        **_shown(200, _SHOWN | {"plan": "free"}),
        **error_responses(*PROJECT_AUTH_ERRORS, *_BODY, UnknownPlan, customers.CustomerDeleted),
    },
    openapi_extra=request_body(CustomerUpdate, {"plan": "free", "status": "active"}),
)
async def update_customer(request: Request, db: Db, engine: MeteringDep, acting: CanSell, reference: Id) -> Response:
    """In force for metered calls within a second."""
    body, _ = await read_json_body(request, CustomerUpdate)
    if body.plan is not None:
        (await engine.get_plans(acting, body.plan)).find(body.plan, param="plan")
    values = body.model_dump(exclude_unset=True)
    if values.get("status", "") is None:
        raise errors.ValidationFailed("A status is active or blocked.", param="status")
    async with db.write() as tx:
        customer = await customers.find(tx, acting.scope, reference)
        customers.require_not_deleted(customer)
        now = await platforms.project_now(tx, acting.platform_id, acting.project_id, acting.mode)
        changed = await customers.update(tx, acting.scope, customer, values, now=now)
        await _record(tx, request, acting, customer, values)
    return json_response(_customer(changed))


async def _record(tx: Tx, request: Request, acting: ProjectPrincipal, before: Row[Any], values: dict[str, Any]) -> None:
    """All that a developer changes; of what servers change, day in, day out, only who may come in."""
    change = audit_details(before, values)
    if change is not None and (acting.role is not None or change[0] != "customer.changed"):
        await audit_request(tx, request, acting, change[0], about=before.id, details=change[1])


@router.delete(
    "/{id:path}",
    summary="Delete a customer",
    response_model=Customer,
    responses={
        **_shown(200, _SHOWN | {"status": "deleted", "email": None, "name": None}),
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def delete_customer(request: Request, db: Db, acting: CanSell, reference: Id) -> Response:
    """Name and e-mail are erased and metered calls refused; the counts stay, they are what was billed."""
    async with db.write() as tx:
        customer = await customers.find(tx, acting.scope, reference)
        deleted = await customers.delete(tx, acting.scope, customer)
        if customer.status != "deleted":
            await audit_request(tx, request, acting, "customer.deleted", about=customer.id)
    return json_response(_customer(deleted))


def _customer(row: Row[Any]) -> Customer:
    return Customer(
        id=row.id,
        user_id=row.user_id,
        email=row.email,
        name=row.name,
        status=row.status,
        plan=row.plan,
        created_at=clock.rfc3339(row.created_at),
        updated_at=clock.rfc3339(row.updated_at),
    )
