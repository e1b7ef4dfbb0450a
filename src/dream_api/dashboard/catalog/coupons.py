"""`/dashboard/{projectId}/{mode}/coupons`: create, list and archive coupons."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import catalog
from dream_api.auth.csrf import read_csrf_form
from dream_api.catalog import NewCoupon
from dream_api.core.db import Database
from dream_api.core.errors import Conflict, Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.catalog.tier_page import frame
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, form_errors, parse_date_end, parse_integer
from dream_api.dashboard.layout import PageRoute, project_url, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/coupons"
_ON_A_PAGE = 50
_DURATIONS = ("once", "repeating", "forever")
_FIELDS = {"percentOff": "off", "amountOff": "off"}
After = Annotated[str | None, Query(pattern=r"^cpn_[0-9a-z]{26}$")]


@router.get(_PATH)
async def list_coupons(db: Db, visit: ProjectPage, after: After = None) -> Response:
    return await _show(db, visit, {}, after=after)


@router.post(_PATH)
async def create_coupon(request: Request, db: Db, visit: ProjectPageCanSell) -> Response:
    form = await read_csrf_form(request, visit.user)
    try:
        new = _parse_coupon(form)
        async with db.write() as tx:
            made = await catalog.create_coupon(tx, visit.platform_id, visit.project.id, visit.mode, new)
            await record(tx, request, visit, "coupon.created", about=made.id)
    except (Invalid, Conflict) as error:
        return await _show(db, visit, form, form_errors(error, _FIELDS))
    return redirect(project_url(visit, "/coupons"))


@router.post(_PATH + "/{couponId}/archive")
async def archive_coupon(request: Request, db: Db, visit: ProjectPageCanSell) -> Response:
    """Nobody can use it any more; subscriptions that have it keep it."""
    await read_csrf_form(request, visit.user)
    async with db.write() as tx:
        coupon_id = request.path_params["couponId"]
        await catalog.archive_coupon(tx, visit.platform_id, visit.project.id, visit.mode, coupon_id)
        await record(tx, request, visit, "coupon.archived", about=coupon_id)
    return redirect(project_url(visit, "/coupons"))


def _parse_coupon(form: Form) -> NewCoupon:
    """So much off: a percentage, or an amount where a currency was typed."""
    currency, off = form.get("currency") or None, form.get("off", "")
    duration = form.get("duration", "once")
    if duration not in _DURATIONS:
        raise ValidationFailed("Choose how long it lasts.", param="duration")
    return NewCoupon(
        code=form.get("code", ""),
        percent_off=parse_integer({"off": off.removesuffix("%").strip()}, "off") if currency is None else None,
        amount_off=None if currency is None else catalog.parse_amount(off, currency, "off"),
        currency=currency,
        duration=duration,
        duration_months=parse_integer(form, "durationMonths"),
        max_redemptions=parse_integer(form, "maxRedemptions"),
        expires_at=parse_date_end(form, "expiresAt"),
    )


async def _show(
    db: Database,
    visit: ProjectContext,
    form: Form,
    problems: FormErrors | None = None,
    after: str | None = None,
) -> Response:
    async with db.read() as tx:
        found = await catalog.list_coupons(
            tx, visit.platform_id, visit.project.id, visit.mode, limit=_ON_A_PAGE + 1, after=after
        )
    coupons = found[:_ON_A_PAGE]
    return frame.render(
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
