"""`/dashboard/{projectId}/{mode}/coupons`: create, list and archive coupons."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import catalog
from dream_api.catalog import Coupon, NewCoupon
from dream_api.core.db import Database
from dream_api.core.errors import ValidationFailed
from dream_api.core.html import format as formats
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard import cells, price_format
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, SentForm, parse_date_end, parse_integer, submits
from dream_api.dashboard.layout import PageRoute, project_url

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/coupons"
_DURATIONS = ("once", "repeating", "forever")
_FIELDS = {"percentOff": "off", "amountOff": "off"}


class CouponQuery(lists.ListQuery):
    after: str | None = lists.cursor("cpn")


def _redemptions(coupon: Coupon) -> str:
    most = f" of {formats.number(coupon.max_redemptions)}" if coupon.max_redemptions else ""
    return formats.number(coupon.redeemed) + most


def _archive_button(coupon: Coupon, visit: ProjectContext) -> object:
    url = f"{visit.base}/coupons/{coupon.id}/archive"
    return cells.post(url, "Archive", visit.user.csrf, about=coupon.code) if visit.may("sell") else ""


COUPONS = lists.ListPage[Coupon, ProjectContext](
    title="Coupons",
    here="tiers",
    path="/coupons",
    template="catalog/coupons.html",
    columns=[
        lists.Column("Code", lists.text(lambda coupon: cells.code(coupon.code))),
        lists.Column("Discount", lists.text(price_format.format_discount)),
        lists.Column("Redemptions", lists.text(_redemptions), "less"),
        lists.Column("Expires", lists.text(lambda coupon: formats.instant(coupon.expires_at)), "less"),
        lists.Column("Archive", _archive_button, is_heading_hidden=True),
    ],
    empty=lists.Empty("No coupons yet", "A coupon gives a discount to buyers who enter its code at checkout."),
)


async def _show(
    db: Database,
    visit: ProjectContext,
    query: CouponQuery | None = None,
    form: Form | None = None,
    problems: FormErrors | None = None,
) -> Response:
    scope = (visit.platform_no, visit.project.id, visit.mode)
    return await COUPONS.show(
        db,
        visit,
        query or CouponQuery(),
        lambda tx, limit, after: catalog.list_coupons(tx, *scope, limit=limit, after=after),
        status=422 if problems else 200,
        form=form or {},
        problems=problems or {},
    )


@router.get(_PATH)
async def list_coupons(db: Db, visit: ProjectPage, query: Annotated[CouponQuery, Query()]) -> Response:
    return await _show(db, visit, query)


@submits(router, _PATH, _show, fields=_FIELDS)
async def create_coupon(request: Request, db: Db, visit: ProjectPageCanSell, form: SentForm) -> str:
    new = _parse_coupon(form)
    async with db.write() as tx:
        made = await catalog.create_coupon(tx, visit.platform_no, visit.project.id, visit.mode, new)
        await record(tx, request, visit, "coupon.created", about=made.id)
    return project_url(visit, "/coupons")


@submits(router, _PATH + "/{couponId}/archive", _show)
async def archive_coupon(request: Request, db: Db, visit: ProjectPageCanSell, form: SentForm) -> str:
    """Nobody can use it any more; subscriptions that have it keep it."""
    coupon_id = request.path_params["couponId"]
    async with db.write() as tx:
        await catalog.archive_coupon(tx, visit.platform_no, visit.project.id, visit.mode, coupon_id)
        await record(tx, request, visit, "coupon.archived", about=coupon_id)
    return project_url(visit, "/coupons")


def _parse_percent(off: str) -> Decimal:
    typed = off.removesuffix("%").strip()
    return Decimal(catalog.parse_percent(typed, param="off")) / 100


def _parse_coupon(form: Form) -> NewCoupon:
    """A percentage off, or an amount where a currency was typed."""
    currency, off, duration = form.get("currency") or None, form.get("off", ""), form.get("duration", "once")
    if duration not in _DURATIONS:
        raise ValidationFailed("Choose a duration.", param="duration")
    return NewCoupon(
        code=form.get("code", ""),
        percent_off=_parse_percent(off) if currency is None else None,
        amount_off=None if currency is None else catalog.parse_amount(off, currency, "off"),
        currency=currency,
        duration=duration,
        duration_months=parse_integer(form, "durationMonths"),
        max_redemptions=parse_integer(form, "maxRedemptions"),
        expires_at=parse_date_end(form, "expiresAt"),
    )
