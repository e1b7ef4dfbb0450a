"""`/dashboard/{platformId}/level`: the limits of the platform's level, their usage and price."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from dream_api import billing, catalog, platforms, tenancy
from dream_api.billing.dependencies import BillingDep
from dream_api.catalog import Level
from dream_api.core.db import Database, Tx
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.html.format import number
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.dependencies import PlatformContext, PlatformPage, PlatformPageCanManageBilling
from dream_api.dashboard.forms import SentForm, submits
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.platforms import Mode
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
            return render_page(visit, "platform/no_level.html", here="level")
        standings = await tenancy.level_usage(tx, visit.platform, found)
        subscription = next(
            iter(await billing.granting_subscriptions_of_user(tx, found.scope, visit.platform_id)), None
        )
        payer = await billing.find_gateway_customer(tx, found.scope, visit.platform_id)
        levels = [each for each in await catalog.list_levels(tx, mode) if not each.is_archived]
    return render_page(
        visit,
        "platform/level.html",
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
        "Free" if level.number == 0 else "Assigned by the operator"
    )


def _allows(level: Level) -> Sequence[str]:
    """Its limits, line by line."""
    limits = (
        (level.active_users_per_hour, "active users per hour"),
        (level.requests_per_day, "requests per day"),
        (level.requests_per_month, "requests per month"),
        (level.members, "members"),
    )
    return [f"{number(most)} {what}" for most, what in limits if most is not None] or ["No limits"]


async def _again(db: Db, settings: SettingsDep, visit: PlatformContext, error: AppError) -> Response:
    return await _show(db, settings, visit, f"{error.sentence} {error.hint}", error.status)


@submits(router, "", _again, errors=AppError)
async def buy(
    db: Db,
    settings: SettingsDep,
    billing_context: BillingDep,
    visit: PlatformPageCanManageBilling,
    form: SentForm,
) -> str:
    """The owner goes to the checkout; the platform is on the level as soon as the gateway confirms the payment."""
    mode = settings.home_mode
    back = f"{settings.link_base}{visit.base}/level"
    async with db.write() as tx:
        await platforms.require_open(tx, visit.platform_no)
        found = await tenancy.get_platform_level(tx, visit.platform, mode)
        level = None if found is None else await _wanted(tx, form.get("level", ""), mode)
        if found is None or level is None:
            raise ValidationFailed("Level not found.", param="level")
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
    return checkout.url


@submits(router, "/portal", _again, errors=AppError)
async def open_portal(
    db: Db,
    settings: SettingsDep,
    billing_context: BillingDep,
    visit: PlatformPageCanManageBilling,
    form: SentForm,
) -> str | Response:
    """There the owner changes the level or the card, cancels, and finds the invoices."""
    async with db.read() as tx:
        found = await tenancy.get_platform_level(tx, visit.platform, settings.home_mode)
        payer = None if found is None else await billing.find_gateway_customer(tx, found.scope, visit.platform_id)
    if payer is None:
        return await _show(db, settings, visit, "This platform has no payments yet, so there is no portal.", 409)
    back = f"{settings.link_base}{visit.base}/level"
    opened = await billing_context.gateway_of(payer[0]).open_portal(*payer, back)
    return opened.url


async def _wanted(tx: Tx, number: str, mode: Mode) -> Level | None:
    levels = await catalog.list_levels(tx, mode)
    return next((each for each in levels if str(each.number) == number and not each.is_archived), None)
