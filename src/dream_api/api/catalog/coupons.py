"""`/coupons`: create, list and archive coupons."""

from typing import Annotated

from fastapi import Request
from pydantic import AwareDatetime, Field

from dream_api import catalog
from dream_api.api.endpoint import Endpoints, Post
from dream_api.api.models import Page, PageRequest, ResponseModel, Timestamp, example, page_of, path_id
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.catalog import CouponDuration
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db

endpoints = Endpoints("Catalog", "/coupons")

_EXAMPLE = {"code": "SPRING25", "percentOff": 25, "duration": "once", "maxRedemptions": 100}


class CouponCreate(RequestModel, json_schema_extra=example(_EXAMPLE)):
    """A coupon to create: `percentOff`, or `amountOff` with its currency."""

    code: str = Field(
        max_length=40, description="The code that buyers enter. It is not case-sensitive, and cannot be reused."
    )
    percent_off: int | float | None = Field(None, description="0.01 to 100, with at most two decimals.")
    amount_off: int | None = Field(None, description="In minor units.")
    currency: str | None = Field(None, max_length=3, description="The currency of amountOff: an ISO code, such as usd.")
    duration: CouponDuration = Field(
        "once",
        description="The payments of a subscription that are discounted: the first, those of some months, or all.",
    )
    duration_months: int | None = Field(None, description="The number of months, if the duration is repeating.")
    max_redemptions: int | None = Field(None, description="null: unlimited.")
    expires_at: AwareDatetime | None = Field(None, description="When the coupon expires. null: never.")


class Coupon(
    ResponseModel,
    json_schema_extra=example(
        {
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
    ),
):
    """A coupon of a project and mode."""

    id: str
    code: str
    percent_off: int | float | None
    amount_off: int | None
    currency: str | None
    duration: CouponDuration
    duration_months: int | None
    max_redemptions: int | None
    redeemed: int = Field(description="How often it was used.")
    expires_at: Timestamp | None
    created_at: Timestamp
    archived_at: Timestamp | None = Field(description="When it was archived.")


class CouponList(Page[Coupon]):
    """Newest first."""


@endpoints.get("", "coupons.list", "List coupons")
async def list_coupons(
    db: Db, acting: CanView, page: Annotated[PageRequest, page_of("cpn")]
) -> ModelResponse[CouponList]:
    """Newest first, without archived ones."""
    async with db.read() as tx:
        found = await catalog.list_coupons(
            tx, acting.platform_no, acting.project_id, acting.mode, limit=page.fetch, after=page.after
        )
    return json_response(page.page(CouponList, found))


@endpoints.post("", "coupons.create", "Create a coupon", status=201, errors=(catalog.CouponExists,))
async def create_coupon(acting: CanSell, post: Post[CouponCreate]) -> ModelResponse[Coupon]:
    """A coupon gives a discount to buyers who enter its code."""
    body = post.body
    expires_at = None if body.expires_at is None else clock.from_datetime(body.expires_at)
    new = catalog.NewCoupon(**body.model_dump(exclude={"expires_at"}), expires_at=expires_at)

    async def effect(tx: Tx) -> Coupon:
        made = await catalog.create_coupon(tx, acting.platform_no, acting.project_id, acting.mode, new)
        await audit_request(tx, post.request, acting, "coupon.created", about=made.id, details={"code": made.code})
        return Coupon.model_validate(made)

    return await post.commit(acting, effect)


@endpoints.delete("/{id}", "coupons.archive", "Archive a coupon", errors=(NotFound,))
async def archive_coupon(
    request: Request, db: Db, acting: CanSell, coupon_id: Annotated[str, path_id("cpn")]
) -> ModelResponse[Coupon]:
    """The coupon cannot be used any more. Existing subscriptions keep it. Its code cannot be reused."""
    async with db.write() as tx:
        archived = await catalog.archive_coupon(tx, acting.platform_no, acting.project_id, acting.mode, coupon_id)
        await audit_request(tx, request, acting, "coupon.archived", about=archived.id, details={"code": archived.code})
    return json_response(Coupon.model_validate(archived))
