"""Formats prices, intervals, times and statuses for pages."""

from datetime import UTC, datetime

from dream_api import catalog
from dream_api.catalog import Price
from dream_api.core import clock
from dream_api.core.html.format import day, format_amount

_STATUSES = {
    "trialing": ("Trial", "good"),
    "active": ("Active", "good"),
    "past_due": ("Payment failed", "bad"),
    "paused": ("Paused", "warn"),
    "canceled": ("Ended", "quiet"),
    "open": ("Not paid", "bad"),
    "paid": ("Paid", "good"),
    "void": ("Void", "quiet"),
    "uncollectible": ("Written off", "quiet"),
}


def format_price(price: Price) -> str:
    """`19.99 USD each month`, and of prices that count: `0.50 USD per 1,000 tokens billed by the month`."""
    if price.billing_scheme != "flat_rate" or price.unit_amount is None or price.interval is None:
        return catalog.describe_price(price)
    return f"{format_amount(price.unit_amount, price.currency)} {format_interval(price)}"


def format_interval(price: Price) -> str:
    """How often the price is asked for: `each month`, `every 3 months`."""
    return f"each {price.interval}" if price.interval_count == 1 else f"every {price.interval_count} {price.interval}s"


def format_time(at: int) -> str:
    """`21 Nov 2026, 09:14 UTC`."""
    return f"{day(at)}, {_of(at):%H:%M} UTC"


def status_label(of: str) -> str:
    return _STATUSES[of][0]


def status_tone(of: str) -> str:
    """Whether a status is good or bad news."""
    return _STATUSES[of][1]


def _of(at: int) -> datetime:
    return datetime.fromtimestamp(at // clock.SECOND, UTC)
