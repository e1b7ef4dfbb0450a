"""`/coupons`: create, list and archive coupons."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import catalog
from dream_api.api.catalog.models import BODY_ERRORS
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView, IdempotencyKey
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.catalog import CouponDuration
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.core.http import (
    RequestModel,
    error_responses,
    example_response,
    idempotent_response,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch

router = APIRouter(tags=["Catalogue"], prefix="/coupons")


class CouponCreate(RequestModel):
    """A coupon to make: `percentOff`, or `amountOff` with its currency."""

    code: str = Field(max_length=40, description="What buyers type, in capitals or not; it is given once.")
    percent_off: int | None = Field(None, description="1 to 100.")
    amount_off: int | None = Field(None, description="Minor units.")
    currency: str | None = Field(None, max_length=3, description="With amountOff: ISO code, such as usd.")
    duration: CouponDuration = Field(
        "once", description="Of a subscription's payments: the first, some months', or all."
    )
    duration_months: int | None = Field(None, description="With the duration repeating: for how many months.")
    max_redemptions: int | None = Field(None, description="null: any number of times.")
    expires_at: AwareDatetime | None = Field(None, description="The last moment to use it (RFC 3339); null: never.")


class Coupon(BaseModel):
    """A coupon of a project and mode."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    code: str
    percent_off: int | None
    amount_off: int | None
    currency: str | None
    duration: CouponDuration
    duration_months: int | None
    max_redemptions: int | None
    redeemed: int = Field(description="How often it was used.")
    expires_at: str | None
    created_at: str
    archived_at: str | None = Field(description="Since when it cannot be used any more.")


class CouponList(BaseModel):
    """Newest first."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    data: list[Coupon]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


_EXAMPLE = {"code": "SPRING25", "percentOff": 25, "duration": "once", "maxRedemptions": 100}
_SHOWN: dict[str, Any] = {
    "id": "cpn_01k9q3v8zd0g2m4n6p8r0t2v4w",
    **_EXAMPLE,
    "amountOff": None,
    "currency": None,
    "durationMonths": None,
    "redeemed": 0,
    "expiresAt": None,
    "createdAt": "2026-11-21T09:14:00Z",
    "archivedAt": None,
}


@router.get(
    "",
    summary="List coupons",
    response_model=CouponList,
    responses={
        **example_response(200, {"data": [_SHOWN], "nextCursor": None}),
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_coupons(
    db: Db,
    acting: CanView,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to answer.")] = 20,
    after: Annotated[
        str | None, Query(pattern=r"^cpn_[0-9a-z]{26}$", description="The `nextCursor` of the page before.")
    ] = None,
) -> Response:
    """Newest first, without the archived ones."""
    async with db.read() as tx:
        found = await catalog.list_coupons(
            tx, acting.platform_id, acting.project.id, acting.mode, limit=limit + 1, after=after
        )
    page = [_coupon(coupon) for coupon in found[:limit]]
    return json_response(CouponList(data=page, next_cursor=page[-1].id if len(found) > limit else None))


@router.post(
    "",
    summary="Make a coupon",
    status_code=201,
    response_model=Coupon,
    responses={
        **example_response(201, _SHOWN),
        **error_responses(
            *PROJECT_AUTH_ERRORS, *BODY_ERRORS, catalog.CouponExists, IdempotencyInProgress, IdempotencyMismatch
        ),
    },
    openapi_extra=request_body(CouponCreate, _EXAMPLE),
)
async def create_coupon(request: Request, acting: CanSell, _: IdempotencyKey = None) -> Response:
    body, raw = await read_json_body(request, CouponCreate)
    expires_at = None if body.expires_at is None else clock.from_datetime(body.expires_at)
    new = catalog.NewCoupon(**body.model_dump(exclude={"expires_at"}), expires_at=expires_at)

    async def effect(tx: Tx) -> Coupon:
        made = await catalog.create_coupon(tx, acting.platform_id, acting.project.id, acting.mode, new)
        await audit_request(tx, request, acting, "coupon.created", about=made.id, details={"code": made.code})
        return _coupon(made)

    return await idempotent_response(
        request, platform_id=acting.platform_id, caller=acting.caller, status=201, body=raw, effect=effect
    )


@router.delete(
    "/{id}",
    summary="Archive a coupon",
    response_model=Coupon,
    responses={
        **example_response(200, _SHOWN | {"archivedAt": "2026-11-21T09:14:00Z"}),
        **error_responses(*PROJECT_AUTH_ERRORS, NotFound),
    },
)
async def archive_coupon(
    request: Request, db: Db, acting: CanSell, coupon_id: Annotated[str, Path(alias="id", description="`cpn_…`.")]
) -> Response:
    """Nobody can use it any more; subscriptions that have it keep it. Its code is not given again."""
    async with db.write() as tx:
        archived = await catalog.archive_coupon(tx, acting.platform_id, acting.project.id, acting.mode, coupon_id)
        await audit_request(tx, request, acting, "coupon.archived", about=archived.id, details={"code": archived.code})
    return json_response(_coupon(archived))


def _coupon(coupon: catalog.Coupon) -> Coupon:
    return Coupon(
        id=coupon.id,
        code=coupon.code,
        percent_off=coupon.percent_off,
        amount_off=coupon.amount_off,
        currency=coupon.currency,
        duration=coupon.duration,
        duration_months=coupon.duration_months,
        max_redemptions=coupon.max_redemptions,
        redeemed=coupon.redeemed,
        expires_at=None if coupon.expires_at is None else clock.rfc3339(coupon.expires_at),
        created_at=clock.rfc3339(coupon.created_at),
        archived_at=None if coupon.archived_at is None else clock.rfc3339(coupon.archived_at),
    )
