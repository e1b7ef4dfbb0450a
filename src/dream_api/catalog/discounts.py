"""Coupon discounts: the amount taken off each line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypeAliasType

from dream_api.catalog.proration import allocate
from dream_api.core.rounding import divide_rounded
from dream_api.platforms import Mode

CouponDuration = TypeAliasType("CouponDuration", Literal["once", "repeating", "forever"])
# In a percent, and in all of an amount.
_BASIS_POINTS = 100
_WHOLE = 100 * _BASIS_POINTS


@dataclass(frozen=True, slots=True)
class Coupon:
    """So many percent, or an amount in one currency, off; the number of times it was used is that of its reading."""

    id: str
    project_id: str
    mode: Mode
    code: str
    # Hundredths of a percent.
    basis_points: int | None
    amount_off: int | None
    currency: str | None
    duration: CouponDuration
    duration_months: int | None
    max_redemptions: int | None
    redeemed: int
    expires_at: int | None
    archived_at: int | None
    created_at: int

    @property
    def percent_off(self) -> int | float | None:
        """As people write it: 25, or 12.5."""
        return None if self.basis_points is None else to_percent(self.basis_points)


def to_percent(basis_points: int) -> int | float:
    whole, rest = divmod(basis_points, _BASIS_POINTS)
    return basis_points / _BASIS_POINTS if rest else whole


def basis_points_of(stored: Mapping[str, Any]) -> int | None:
    """Of a coupon as JSON, also of one that an earlier release stored in whole percent."""
    if stored.get("basis_points") is not None:
        return int(stored["basis_points"])
    percent = stored.get("percent_off")
    return None if percent is None else int(percent) * _BASIS_POINTS


def percent_of(stored: Mapping[str, Any]) -> int | float | None:
    """The percentage of a coupon as JSON."""
    basis_points = basis_points_of(stored)
    return None if basis_points is None else to_percent(basis_points)


def discount_of(coupon: Coupon, amounts: Sequence[int], *, step: int = 1) -> list[int]:
    """What is taken off each line, in multiples of `step` (see `money.step`); never more than the line asks.

    The lines' discounts sum to the coupon's: the nearest step of the percentage, or as much of its amount as there is.
    """
    steps = [max(amount, 0) // step for amount in amounts]
    if coupon.basis_points is not None:
        off = divide_rounded(sum(steps) * coupon.basis_points, _WHOLE)
    else:
        off = min((coupon.amount_off or 0) // step, sum(steps))
    return [part * step for part in allocate(off, steps)] if steps else []
