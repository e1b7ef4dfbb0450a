"""Formats prices, limits and coupons for pages."""

from dream_api import catalog
from dream_api.catalog import Coupon, Price, TierLimit
from dream_api.core import money
from dream_api.core.html import format as words

_WINDOWS = {"period": "a billing period", "hour": "an hour", "day": "a day", "month": "a month", "lifetime": "ever"}


def priced(price: Price) -> str:
    """`19.99 USD a month`; `tokens, tiered: 0.10 USD each up to 100, then 0.08 USD each; billed by the month`."""
    if not price.steps:
        return catalog.describe_price(price)
    steps = ", then ".join(
        f"{words.format_amount(step.unit_amount, price.currency)} each"
        + (f" + {words.format_amount(step.flat_amount, price.currency)}" if step.flat_amount else "")
        + (f" up to {step.up_to:,}" if step.up_to is not None else "")
        for step in price.steps
    )
    what = f"{price.meter}, {price.billing_scheme}" if price.meter else price.billing_scheme
    every = "" if price.interval is None else f"; billed by the {price.interval}"
    return f"{what}: {steps}{every}"


def limited(limit: TierLimit) -> str:
    """`1,000 requests a day`."""
    most = "any number of" if limit.max is None else f"{limit.max:,}"
    kind = " (soft)" if limit.kind == "soft" else ""
    return f"{most} {limit.meter.replace('_', ' ')} {_WINDOWS[limit.window.wire]}{kind}"


def off(coupon: Coupon) -> str:
    """`25 %`, or `5.00 USD`, and for how long."""
    if coupon.percent_off is not None:
        much = f"{coupon.percent_off} %"
    else:
        much = f"{money.to_major(coupon.amount_off or 0, coupon.currency or 'usd')} {(coupon.currency or '').upper()}"
    months = coupon.duration_months
    lasts = {"once": "once", "forever": "for ever", "repeating": f"for {months} month{'' if months == 1 else 's'}"}
    return f"{much} off {lasts[coupon.duration]}"
