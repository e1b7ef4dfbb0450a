"""Line items with fixed amounts and their coupon discounts."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from dream_api.catalog import Coupon, amount_of, basis_points_of, discount_of
from dream_api.core import money
from dream_api.gateways.contract import GatewayRefused, LineItem
from dream_api.gateways.sandbox import billing_cycle, objects

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SubscriptionItem:
    """A line with what a full period of it costs (of a usage price: nothing beforehand)."""

    price: Json
    name: str
    quantity: int
    amount: int

    @property
    def recurrence(self) -> tuple[str, int] | None:
        """How often it is asked for; None: once."""
        recurring: Json | None = self.price["recurring"]
        return None if recurring is None else (recurring["interval"], recurring["interval_count"])

    @property
    def is_metered(self) -> bool:
        recurring: Json = self.price["recurring"] or {}
        return recurring.get("usage_type") == "metered"

    @property
    def is_licensed(self) -> bool:
        return self.recurrence is not None and not self.is_metered

    @property
    def description(self) -> str:
        return self.name if self.quantity == 1 or self.is_metered else f"{self.quantity} × {self.name}"


def build_items(lines: Sequence[LineItem], currency: str, at: int) -> list[SubscriptionItem]:
    """The lines with their amounts; GatewayRefused for several currencies or intervals."""
    if {line.price.currency for line in lines} - {currency}:
        raise GatewayRefused(f"All prices must be in {currency.upper()}.", hint="Create a checkout for each currency.")
    made = _distinct([_sold(line, at) for line in lines])
    recurrences = {one.recurrence for one in made if one.is_licensed}
    if len(recurrences) > 1:
        raise GatewayRefused(
            "All recurring prices of a subscription must renew together.",
            hint="Choose prices with the same interval.",
        )
    if len({one.recurrence for one in made if one.is_metered}) > 1:
        raise GatewayRefused("All usage-based prices of a subscription must be billed together.")
    return made


def _distinct(lines: Sequence[SubscriptionItem]) -> list[SubscriptionItem]:
    """A usage price is billed once, however often it stands there."""
    usage = {one.price["id"]: one for one in lines if one.is_metered}
    return [*(one for one in lines if not one.is_metered), *usage.values()]


def _sold(line: LineItem, at: int) -> SubscriptionItem:
    is_usage = line.price.type == "usage"
    amount = 0 if is_usage else amount_of(line.price, line.quantity)
    return SubscriptionItem(objects.price(line, at), line.name, 0 if is_usage else line.quantity, amount)


def discounts(coupon: Json | None, amounts: Sequence[int], usage: Sequence[int], currency: str) -> list[int]:
    """What is taken off each line: an amount first off the plan's and with what then remains off usage."""
    if coupon is None:
        return [0] * (len(amounts) + len(usage))
    # As it was sold, whatever else a later release knows of coupons.
    known: Json = {field.name: coupon.get(field.name) for field in fields(Coupon)}
    known["basis_points"] = basis_points_of(coupon)
    the_coupon = Coupon(**known)
    step = money.step(currency)
    if the_coupon.basis_points is not None:
        return discount_of(the_coupon, [*amounts, *usage], step=step)
    off = discount_of(the_coupon, amounts, step=step)
    if the_coupon.amount_off is not None:
        the_coupon = replace(the_coupon, amount_off=the_coupon.amount_off - sum(off))
    return [*off, *discount_of(the_coupon, usage, step=step)]


def coupon_applies(discount: Json, at: int) -> bool:
    """Whether what a subscription knows of its coupon still takes something off an invoice of this moment."""
    coupon: Json | None = discount["coupon"]
    if coupon is None:
        return False
    if coupon["duration"] == "once":
        return not discount["used"]
    return discount["ends"] is None or at < discount["ends"]


def new_discount(coupon: Json | None, begins: int) -> Json:
    """What a subscription keeps of its coupon, whose months are counted from the first moment that is paid for."""
    is_repeating = coupon is not None and coupon["duration"] == "repeating"
    ends = (
        billing_cycle.months_later(begins, coupon["duration_months"]) if coupon is not None and is_repeating else None
    )
    return {"coupon": coupon, "ends": ends, "used": False}
