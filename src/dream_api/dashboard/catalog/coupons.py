"""`/dashboard/{projectId}/{mode}/coupons`: what takes something off."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import catalog
from dream_api.auth.csrf import read_own_form
from dream_api.catalog import NewCoupon
from dream_api.core.db import Database
from dream_api.core.errors import Conflict, Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.catalog.tier_page import frame
from dream_api.dashboard.dependencies import InProject, ProjectVisit, SellingInProject
from dream_api.dashboard.forms import Problems, end_of_day, problems_of, whole
from dream_api.dashboard.layout import PageRoute, project_url, see

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/coupons"
_ON_A_PAGE = 50
_DURATIONS = ("once", "repeating", "forever")
_FIELDS = {"percentOff": "off", "amountOff": "off"}
After = Annotated[str | None, Query(pattern=r"^cpn_[0-9a-z]{26}$")]


@router.get(_PATH)
async def list_coupons(db: Db, visit: InProject, after: After = None) -> Response:
    return await _show(db, visit, {}, after=after)


@router.post(_PATH)
async def make_coupon(request: Request, db: Db, visit: SellingInProject) -> Response:
    form = await read_own_form(request, visit.visitor)
    try:
        new = _asked_by(form)
        async with db.write() as tx:
            made = await catalog.create_coupon(tx, visit.platform_id, visit.project.id, visit.mode, new)
            await record(tx, request, visit, "coupon.created", about=made.id)
    except (Invalid, Conflict) as refusal:
        return await _show(db, visit, form, problems_of(refusal, _FIELDS))
    return see(project_url(visit, "/coupons"))


@router.post(_PATH + "/{couponId}/archive")
async def archive_coupon(request: Request, db: Db, visit: SellingInProject) -> Response:
    """Nobody can use it any more; subscriptions that have it keep it."""
    await read_own_form(request, visit.visitor)
    async with db.write() as tx:
        coupon_id = request.path_params["couponId"]
        await catalog.archive_coupon(tx, visit.platform_id, visit.project.id, visit.mode, coupon_id)
        await record(tx, request, visit, "coupon.archived", about=coupon_id)
    return see(project_url(visit, "/coupons"))


def _asked_by(form: Form) -> NewCoupon:
    """So much off: a percentage, or an amount where a currency was typed."""
    currency, off = form.get("currency") or None, form.get("off", "")
    duration = form.get("duration", "once")
    if duration not in _DURATIONS:
        raise ValidationFailed("Choose how long it lasts.", param="duration")
    return NewCoupon(
        code=form.get("code", ""),
        percent_off=whole({"off": off.removesuffix("%").strip()}, "off") if currency is None else None,
        amount_off=None if currency is None else catalog.minor_of(off, currency, "off"),
        currency=currency,
        duration=duration,
        duration_months=whole(form, "durationMonths"),
        max_redemptions=whole(form, "maxRedemptions"),
        expires_at=end_of_day(form, "expiresAt"),
    )


async def _show(
    db: Database,
    visit: ProjectVisit,
    form: Form,
    problems: Problems | None = None,
    after: str | None = None,
) -> Response:
    async with db.read() as tx:
        found = await catalog.coupons_of(
            tx, visit.platform_id, visit.project.id, visit.mode, limit=_ON_A_PAGE + 1, after=after
        )
    coupons = found[:_ON_A_PAGE]
    return frame.show(
        visit,
        "coupons.html",
        here="tiers",
        status=422 if problems else 200,
        mode_path="/coupons",
        coupons=coupons,
        next_url=f"?after={coupons[-1].id}" if len(found) > _ON_A_PAGE else "",
        may_sell=visit.may("sell"),
        form=form,
        problems=problems or {},
    )
