"""Formats numbers, amounts and times for pages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from markupsafe import Markup, escape

from dream_api.core import clock, money

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (30 * 86_400, 86_400, "d"))
_THOUSAND = 1000
_JUST_NOW = 5


def number(count: int) -> str:
    """`12,480`."""
    return f"{count:,}"


def compact(count: int) -> str:
    """`12.5 k`, `2.41 M`; below ten thousand as it is."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if abs(count) >= size and abs(count) >= 10 * _THOUSAND:
            return f"{count / size:.3g} {unit}"
    return number(count)


def percent(part: float) -> str:
    """`0.6 %` of 0.006."""
    return f"{part * 100:.1f}".removesuffix(".0") + " %"


def format_amount(minor: int, currency: str) -> str:
    """`1,999.00 USD`."""
    sign = "−" if minor < 0 else ""
    return f"{sign}{Decimal(money.to_major(abs(minor), currency)):,} {currency.upper()}"


def rounded(minor: int, currency: str) -> str:
    """`4,923 USD`: from a thousand on without minor units, where space is short."""
    value = Decimal(money.to_major(abs(minor), currency))
    if value < _THOUSAND:
        return format_amount(minor, currency)
    return f"{'−' if minor < 0 else ''}{value:,.0f} {currency.upper()}"


def major(minor: int, currency: str) -> str:
    """`50`, `0.5`: an amount on an axis, whose title names the currency."""
    return f"{Decimal(money.to_major(minor, currency)).normalize():,f}"


def amounts(by_currency: Mapping[str, int]) -> str:
    """`19.99 USD + 5.00 EUR`."""
    return " + ".join(format_amount(minor, currency) for currency, minor in sorted(by_currency.items())) or "0"


def day(at: int) -> str:
    """`21 Nov 2026`."""
    return f"{_at(at):%-d %b %Y}"


def instant(at: int | None) -> Markup:
    """The date and time, with the exact one on hover."""
    if at is None:
        return Markup("–")
    return _time_element(at, f"{_at(at):%-d %b %Y, %H:%M}")


def ago(at: int | None) -> Markup:
    """`4 min ago`, `in 3 d`; the date where it is far away; the exact time on hover."""
    if at is None:
        return Markup("never")
    seconds = (clock.now() - at) // clock.SECOND
    if 0 <= seconds < _JUST_NOW:
        return _time_element(at, "just now")
    for below, unit, name in _STEPS:
        if abs(seconds) < below:
            count = abs(seconds) // unit
            return _time_element(at, f"in {count} {name}" if seconds < 0 else f"{count} {name} ago")
    return _time_element(at, day(at))


def _time_element(at: int, text: str) -> Markup:
    exact = clock.rfc3339(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, escape(exact), text)


def _at(at: int) -> datetime:
    return datetime.fromtimestamp(at / clock.SECOND, UTC)
