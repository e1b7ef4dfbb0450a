"""The summary of a checkout: what is due now, and later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dream_api import catalog
from dream_api.catalog import Price
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.html.format import format_amount
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox import CheckoutSession
from dream_api.gateways.sandbox.line_items import SubscriptionItem, discounts

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of it."""

    name: str
    # Its price: "$19.99 per month".
    price_text: str
    amount: int
    is_usage: bool


@dataclass(frozen=True, slots=True)
class CheckoutSummary:
    """All amounts in minor units of the currency."""

    currency: str
    rows: list[Row]
    subtotal: int
    discount: int
    due: int
    coupon: str | None
    # The headline, and what it leaves out.
    total: str
    then: str | None
    trial_ends_at: int | None
    bills_usage: bool
    # A subscription keeps the card, also where nothing is to be paid yet.
    wants_card: bool


async def read_checkout_summary(tx: Tx, session: CheckoutSession, now: int) -> CheckoutSummary:
    document, hidden = session.document, session.hidden
    currency: str = document["currency"]
    lines = [SubscriptionItem(**one) for one in hidden["lines"]]
    prices = await _prices_of(tx, session.account, lines)
    items: list[Json] = document["line_items"]["data"]
    total, then = _total_texts(document, hidden, lines, prices)
    trial_days: int = hidden["trial_days"]
    return CheckoutSummary(
        currency=currency,
        rows=[
            Row(line.description, catalog.describe_price(price), item["amount_subtotal"], line.is_metered)
            for line, price, item in zip(lines, prices, items, strict=True)
        ],
        subtotal=document["amount_subtotal"],
        discount=document["total_details"]["amount_discount"],
        due=document["amount_total"],
        coupon=None if hidden["coupon"] is None else coupon_text(hidden["coupon"]),
        total=total,
        then=then,
        trial_ends_at=now + trial_days * clock.DAY if trial_days else None,
        bills_usage=any(line.is_metered for line in lines),
        wants_card=document["mode"] == "subscription" or document["amount_total"] > 0,
    )


async def _prices_of(tx: Tx, account: GatewayAccount, lines: Sequence[SubscriptionItem]) -> list[Price]:
    return [
        await catalog.find_price(tx, account.platform_no, account.project_id, account.mode, line.price["id"])
        for line in lines
    ]


def _total_texts(
    document: Json, hidden: Json, lines: Sequence[SubscriptionItem], prices: Sequence[Price]
) -> tuple[str, str | None]:
    """What it comes to: `$19.99 per month`; and what follows where that is not all."""
    currency: str = document["currency"]
    due = format_amount(document["amount_total"], currency)
    rhythm = next(
        (catalog.describe_interval(price) for line, price in zip(lines, prices, strict=True) if line.is_licensed), None
    )
    if rhythm is None:
        return due, None
    amounts = [line.amount for line in lines if line.is_licensed]
    coupon: Json | None = hidden["coupon"]
    lasts = "forever" if coupon is None else coupon["duration"]
    full = format_amount(sum(amounts), currency)
    less = format_amount(sum(amounts) - sum(discounts(coupon, amounts, (), currency)), currency)
    later = {
        "forever": f"{less} {rhythm}",
        "once": f"{less} the first time, then {full} {rhythm}",
        "repeating": f"{less} {rhythm}, {full} after the discount ends",
    }[lasts]
    if hidden["trial_days"]:
        return f"{_days(hidden['trial_days'])} free", f"Then {later}."
    if lasts == "forever" and due == less:
        return later, None
    if lasts == "repeating" and due == less:
        return f"{less} {rhythm}", f"{full} {rhythm} after the discount ends."
    return due, f"Then {full} {rhythm}." if lasts == "once" else f"Then {later}."


def _days(many: int) -> str:
    return f"{many} day{'' if many == 1 else 's'}"


def coupon_text(coupon: Json) -> str:
    """`HALF: 50% off for 3 months`."""
    percent = catalog.percent_of(coupon)
    off = f"{percent}%" if percent is not None else format_amount(coupon["amount_off"], coupon["currency"])
    months: int | None = coupon["duration_months"]
    lasts = {
        "forever": "forever",
        "once": "once",
        "repeating": f"for {months} month{'' if months == 1 else 's'}",
    }
    return f"{coupon['code']}: {off} off {lasts[coupon['duration']]}"
