"""Coupons: creation, redemption and archival."""

import re
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from dream_api.catalog import coupon_queries as queries
from dream_api.catalog.discounts import Coupon, CouponDuration
from dream_api.catalog.pricing import LARGEST_UNIT_AMOUNT
from dream_api.core import ids, money
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, Invalid, NotFound, ValidationFailed
from dream_api.platforms import Mode, lock_project, project_now

MOST_REDEMPTIONS = 10**9
LONGEST_DURATION_MONTHS = 60
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,39}")
_BASIS_POINTS = 100
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})?")
_WHOLE = 100 * _BASIS_POINTS
_USED_UP = "The coupon was used as often as it can be."


class CouponExists(Conflict):
    code = "coupon_exists"
    hint = "Choose another code. The code of an archived coupon cannot be reused."


class CouponInvalid(Invalid):
    code = "coupon_invalid"
    hint = "Leave out the coupon, or use another one. GET /coupons lists the project's coupons."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCoupon:
    """A coupon as it is asked for: percent or an amount."""

    code: str
    percent_off: Decimal | int | None = None
    amount_off: int | None = None
    currency: str | None = None
    duration: CouponDuration = "once"
    duration_months: int | None = None
    max_redemptions: int | None = None
    expires_at: int | None = None


async def create_coupon(tx: Tx, platform_no: int, project_id: str, mode: Mode, new: NewCoupon) -> Coupon:
    """The new coupon; CouponExists where the project has the code in this mode, also of an archived coupon."""
    now = await project_now(tx, platform_no, project_id, mode)
    values = _validated(new, now)
    await lock_project(tx, platform_no, project_id)
    if await queries.by_code(tx, platform_no, project_id, mode, values["code"]) is not None:
        raise CouponExists(f"A coupon with the code {values['code']} already exists.", param="code")
    row = {"id": ids.new("cpn"), "project_id": project_id, "mode": mode, "redeemed": 0, "created_at": now}
    return _coupon(await queries.insert_coupon(tx, platform_no, values | row))


async def list_coupons(
    tx: Tx, platform_no: int, project_id: str, mode: Mode, *, limit: int, after: str | None
) -> list[Coupon]:
    """Those not archived, newest first."""
    rows = await queries.page_of_coupons(tx, platform_no, project_id, mode, limit=limit, after=after)
    return [_coupon(row) for row in rows]


async def archive_coupon(tx: Tx, platform_no: int, project_id: str, mode: Mode, coupon_id: str) -> Coupon:
    """Nobody can use it any more; subscriptions that have it keep it."""
    coupon = await coupon_by_id(tx, platform_no, coupon_id) if ids.is_one("cpn", coupon_id) else None
    if coupon is None or (coupon.project_id, coupon.mode) != (project_id, mode):
        raise NotFound("Coupon not found.", param="id")
    if coupon.archived_at is not None:
        return coupon
    now = await project_now(tx, platform_no, project_id, mode)
    await queries.archive(tx, platform_no, coupon_id, now)
    return replace(coupon, archived_at=now)


async def coupon_by_id(tx: Tx, platform_no: int, coupon_id: str) -> Coupon | None:
    """The coupon, also an archived one, which goes on for those who have it."""
    row = await queries.by_id(tx, platform_no, coupon_id)
    return None if row is None else _coupon(row)


async def find_coupon(tx: Tx, platform_no: int, project_id: str, mode: Mode, code: str, now: int) -> Coupon:
    """The usable coupon of this code; CouponInvalid, with the reason, where there is none."""
    code = code.upper()
    row = await queries.by_code(tx, platform_no, project_id, mode, code) if _CODE.fullmatch(code) else None
    if row is None:
        raise CouponInvalid("This coupon code does not exist.", param="coupon")
    coupon = _coupon(row)
    if coupon.archived_at is not None:
        raise CouponInvalid("This coupon is no longer valid.", param="coupon")
    if coupon.expires_at is not None and coupon.expires_at <= now:
        raise CouponInvalid("This coupon has expired.", param="coupon")
    if coupon.max_redemptions is not None and coupon.redeemed >= coupon.max_redemptions:
        raise CouponInvalid(_USED_UP, param="coupon")
    return coupon


async def redeem(tx: Tx, platform_no: int, coupon_id: str) -> None:
    """Count one redemption; CouponInvalid where none is left, also under concurrent requests."""
    if not await queries.count_redemption(tx, platform_no, coupon_id):
        raise CouponInvalid(_USED_UP, param="coupon")


async def release_redemption(tx: Tx, platform_no: int, coupon_id: str) -> None:
    """Uncount a redemption whose checkout was not paid."""
    await queries.uncount_redemption(tx, platform_no, coupon_id)


def _validated(new: NewCoupon, now: int) -> dict[str, Any]:
    """The column values; ValidationFailed where they contradict one another."""
    code = new.code.upper()
    if not _CODE.fullmatch(code):
        raise ValidationFailed("A code must be 1 to 40 characters: A-Z, 0-9, - and _.", param="code")
    if (new.percent_off is None) == (new.amount_off is None):
        raise ValidationFailed("Enter either a percentage or an amount.", param="percentOff")
    basis_points = None if new.percent_off is None else parse_percent(new.percent_off, param="percentOff")
    currency = _currency_of(new)
    if (new.duration == "repeating") != (new.duration_months is not None):
        raise ValidationFailed(
            "Set the number of months for the duration “repeating”, and only for it.", param="durationMonths"
        )
    if new.duration_months is not None and not 1 <= new.duration_months <= LONGEST_DURATION_MONTHS:
        raise ValidationFailed(
            f"The number of months must be from 1 to {LONGEST_DURATION_MONTHS}.", param="durationMonths"
        )
    if new.max_redemptions is not None and not 1 <= new.max_redemptions <= MOST_REDEMPTIONS:
        raise ValidationFailed(
            f"The maximum number of redemptions must be from 1 to {MOST_REDEMPTIONS:,}.", param="maxRedemptions"
        )
    if new.expires_at is not None and new.expires_at <= now:
        raise ValidationFailed("The expiry date must be in the future.", param="expiresAt")
    values = {field.name: getattr(new, field.name) for field in fields(new) if field.name != "percent_off"}
    return values | {"code": code, "currency": currency, "basis_points": basis_points}


def parse_percent(percent: Decimal | int | float | str, *, param: str) -> int:
    """A percentage from 0.01 to 100 in hundredths; ValidationFailed for all else."""
    text = str(percent)
    hundredths = Decimal(text) * _BASIS_POINTS if _PERCENT.fullmatch(text) else Decimal(0)
    if hundredths % 1 or not 0 < hundredths <= _WHOLE:
        raise ValidationFailed("The percentage must be from 0.01 to 100, with at most two decimals.", param=param)
    return int(hundredths)


def _currency_of(new: NewCoupon) -> str | None:
    if (new.amount_off is None) != (new.currency is None):
        raise ValidationFailed("Set a currency for an amount off, and only for it.", param="currency")
    if new.amount_off is None or new.currency is None:
        return None
    currency = new.currency.lower()
    if currency not in money.CURRENCIES:
        raise ValidationFailed("This currency is not supported.", param="currency")
    if not 1 <= new.amount_off <= LARGEST_UNIT_AMOUNT or new.amount_off % money.step(currency):
        raise ValidationFailed(
            f"The amount must be from {money.step(currency)} to {LARGEST_UNIT_AMOUNT:,} minor units, "
            f"in steps of {money.step(currency)}.",
            param="amountOff",
        )
    return currency


def _coupon(row: Row[Any]) -> Coupon:
    return Coupon(**{field.name: getattr(row, field.name) for field in fields(Coupon)})
