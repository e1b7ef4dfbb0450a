"""Formats prices, limits and coupons for pages."""

from dream_api import catalog
from dream_api.catalog import Coupon, Price, TierLimit
from dream_api.core.html.format import format_amount, number

_WINDOWS = {"period": "per billing period", "hour": "per hour", "day": "per day", "month": "per month", "lifetime": ""}


def format_price(price: Price) -> str:
    """`$19.99 per month`; `Tiered per tokens: $0.10 each up to 100, then $0.08 each, billed monthly`."""
    if not price.steps:
        return catalog.describe_price(price)
    steps = ", then ".join(
        f"{format_amount(step.unit_amount, price.currency)} each"
        + (f" + {format_amount(step.flat_amount, price.currency)}" if step.flat_amount else "")
        + (f" up to {number(step.up_to)}" if step.up_to is not None else "")
        for step in price.steps
    )
    what = f"{price.meter}, {price.billing_scheme}" if price.meter else price.billing_scheme.capitalize()
    every = "" if price.interval is None else f", {catalog.describe_billing(price)}"
    return f"{what}: {steps}{every}"


def format_limit(limit: TierLimit) -> str:
    """`1,000 requests per day`."""
    most = "Unlimited" if limit.max is None else number(limit.max)
    kind = " (soft)" if limit.kind == "soft" else ""
    return f"{most} {limit.meter.replace('_', ' ')} {_WINDOWS[limit.window.wire]}".rstrip() + kind


def format_discount(coupon: Coupon) -> str:
    """`25% off once`, `$5.00 off for 3 months`."""
    if coupon.percent_off is not None:
        much = f"{coupon.percent_off}%"
    else:
        much = format_amount(coupon.amount_off or 0, coupon.currency or "usd")
    months = coupon.duration_months
    lasts = {"once": "once", "forever": "forever", "repeating": f"for {months} month{'' if months == 1 else 's'}"}
    return f"{much} off {lasts[coupon.duration]}"
