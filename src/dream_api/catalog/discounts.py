"""Coupon discounts: the amount taken off each line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from typing_extensions import TypeAliasType

from dream_api.catalog.proration import allocate
from dream_api.core.rounding import divide_rounded
from dream_api.platforms import Mode

CouponDuration = TypeAliasType("CouponDuration", Literal["once", "repeating", "forever"])
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Coupon:
    """So many percent, or an amount in one currency, off; the number of times it was used is that of its reading."""

    id: str
    project_id: str
    mode: Mode
    code: str
    percent_off: int | None
    amount_off: int | None
    currency: str | None
    duration: CouponDuration
    duration_months: int | None
    max_redemptions: int | None
    redeemed: int
    expires_at: int | None
    archived_at: int | None
    created_at: int


def discount_of(coupon: Coupon, amounts: Sequence[int], *, step: int = 1) -> list[int]:
    """What is taken off each line, in multiples of `step` (see `money.step`); never more than the line asks.

    The lines' discounts sum to the coupon's: the nearest step of the percentage, or as much of its amount as there is.
    """
    steps = [max(amount, 0) // step for amount in amounts]
    if coupon.percent_off is not None:
        off = divide_rounded(sum(steps) * coupon.percent_off, _WHOLE)
    else:
        off = min((coupon.amount_off or 0) // step, sum(steps))
    return [part * step for part in allocate(off, steps)] if steps else []
