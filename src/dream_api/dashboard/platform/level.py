"""`/dashboard/{platformId}/level`: the limits of the platform's level, their usage and price."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing, catalog, tenancy
from dream_api.auth.csrf import read_csrf_form
from dream_api.billing.dependencies import BillingDep
from dream_api.catalog import Level
from dream_api.core.db import Database, Tx
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.dependencies import PlatformContext, PlatformPage, PlatformPageCanManageBilling
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.dashboard.platform.page import frame
from dream_api.platforms import Mode
from dream_api.tenancy import PlatformLevel
from dream_api.usage import LimitStatus, Window

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/dashboard/{platformId}/level")

_METERS = {"active_users": "Active users", "requests": "Requests", "members": "Members"}
_WINDOWS = {
    Window.HOUR: "this hour",
    Window.DAY: "today",
    Window.MONTH: "this month",
    Window.PERIOD: "this month",
    Window.LIFE: "",
}
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Used:
    """A line of what is used: of how much, and which part of it in hundredths."""

    label: str
    count: int
    most: int | None
    percent: int


@router.get("")
async def show_level(db: Db, settings: SettingsDep, visit: PlatformPage) -> Response:
    return await _show(db, settings, visit)


async def _show(
    db: Database, settings: Settings, visit: PlatformContext, problem: str = "", status: int = 200
) -> Response:
    mode = settings.home_mode
    async with db.read() as tx:
        found = await tenancy.get_platform_level(tx, visit.platform, mode)
        if found is None:
            return frame.render(visit, "no_level.html", here="level")
        standings = await tenancy.level_usage(tx, visit.platform, found)
        subscription = next(
            iter(await billing.granting_subscriptions_of_user(tx, found.scope, visit.platform_id)), None
        )
        payer = await billing.find_gateway_customer(tx, found.scope, visit.platform_id)
        levels = [each for each in await catalog.list_levels(tx, mode) if not each.is_archived]
    return frame.render(
        visit,
        "level.html",
        here="level",
        status=status,
        level=found.level,
        used=[_used(*each) for each in standings],
        levels=[(each, _price(each), _allows(each)) for each in levels],
        price=_price(found.level),
        subscription=subscription,
        has_paid=payer is not None,
        is_test=mode == "test",
        problem=problem,
    )


def _used(meter: str, standing: LimitStatus) -> Used:
    most = standing.limit.max
    percent = 0 if not most else min(_WHOLE, standing.count * _WHOLE // most)
    label = f"{_METERS[meter]} {_WINDOWS[standing.limit.window]}".strip()
    return Used(label, standing.count, most, percent)


def _price(level: Level) -> str:
    """What it costs, as people say it."""
    return " or ".join(map(catalog.describe_price, level.prices)) or (
        "Free" if level.number == 0 else "By the operator"
    )


def _allows(level: Level) -> Sequence[str]:
    """Its limits, line by line."""
    limits = (
        (level.active_users_per_hour, "active users an hour"),
        (level.requests_per_day, "requests a day"),
        (level.requests_per_month, "requests a month"),
        (level.members, "members"),
    )
    return [f"{most:,} {what}" for most, what in limits if most is not None] or ["No limits"]


@router.post("")
async def buy(
    request: Request, db: Db, settings: SettingsDep, billing_context: BillingDep, visit: PlatformPageCanManageBilling
) -> Response:
    """The owner goes to the checkout; the level is theirs as soon as the gateway says that they paid."""
    form = await read_csrf_form(request, visit.user)
    mode = settings.home_mode
    back = f"{settings.link_base}/dashboard/{visit.platform_id}/level"
    try:
        async with billing_context.database.write() as tx:
            found = await tenancy.get_platform_level(tx, visit.platform, mode)
            level = None if found is None else await _wanted(tx, form.get("level", ""), mode)
            if found is None or level is None:
                raise ValidationFailed("There is no such level.", param="level")
            checkout = await billing.create_subscription_checkout(
                tx,
                found.home.project,
                found.scope,
                user_id=visit.platform_id,
                tier=level.name,
                success_url=back,
                cancel_url=back,
                are_own_pages=True,
            )
            account = await billing.ensure_account(tx, found.scope)
        checkout = await billing.open_page(billing_context, account, checkout)
    except AppError as error:
        return await _show(db, settings, visit, f"{error.sentence} {error.hint}", error.status)
    return redirect(checkout.url)


@router.post("/portal")
async def open_portal(
    request: Request, db: Db, settings: SettingsDep, billing_context: BillingDep, visit: PlatformPageCanManageBilling
) -> Response:
    """There the owner changes the level or the card, cancels, and finds the invoices."""
    await read_csrf_form(request, visit.user)
    back = f"{settings.link_base}/dashboard/{visit.platform_id}/level"
    found = await _level_of(db, settings, visit)
    async with billing_context.database.read() as tx:
        payer = None if found is None else await billing.find_gateway_customer(tx, found.scope, visit.platform_id)
    if payer is None:
        return await _show(db, settings, visit, "The platform has never paid, so there is nothing to see.", 409)
    try:
        opened = await billing_context.gateway_of(payer[0]).open_portal(*payer, back)
    except AppError as error:
        return await _show(db, settings, visit, f"{error.sentence} {error.hint}", error.status)
    return redirect(opened.url)


async def _wanted(tx: Tx, number: str, mode: Mode) -> Level | None:
    levels = await catalog.list_levels(tx, mode)
    return next((each for each in levels if str(each.number) == number and not each.is_archived), None)


async def _level_of(db: Database, settings: Settings, visit: PlatformContext) -> PlatformLevel | None:
    async with db.read() as tx:
        return await tenancy.get_platform_level(tx, visit.platform, settings.home_mode)
