"""Formats numbers, amounts of money and times, for pages, emails and the terminal.

Pages are in English; a locale says only how digits are grouped and whether a date begins with the month. It is a
value of the context (`in_locale`) and is `EN_US` where nobody set it.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from markupsafe import Markup, escape

from dream_api.core import clock, money

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (30 * 86_400, 86_400, "d"))
_THOUSAND = 1000
_JUST_NOW = 5
_NO_BREAK, _NARROW = "\u00a0", "\u202f"
# Other currencies are written with their code.
_SYMBOLS = {
    "aud": "A$",
    "brl": "R$",
    "cad": "CA$",
    "cny": "CN¥",
    "eur": "€",
    "gbp": "£",
    "hkd": "HK$",
    "ils": "₪",
    "inr": "₹",
    "jpy": "¥",
    "krw": "₩",
    "mxn": "MX$",
    "nzd": "NZ$",
    "php": "₱",
    "twd": "NT$",
    "usd": "$",
    "vnd": "₫",
}


@dataclass(frozen=True, slots=True)
class Locale:
    """How digits are grouped, what stands before the fraction, and the order of a date."""

    tag: str
    group: str
    point: str
    is_month_first: bool = False


EN_US = Locale("en-US", ",", ".", is_month_first=True)
# A language's first entry is for all its regions that have none of their own.
LOCALES = {
    locale.tag: locale
    for locale in (
        EN_US,
        Locale("en-GB", ",", "."),
        Locale("de", ".", ","),
        Locale("de-CH", "’", "."),
        Locale("es", ".", ","),
        Locale("fr", _NARROW, ","),
        Locale("it", ".", ","),
        Locale("nl", ".", ","),
        Locale("pt", ".", ","),
    )
}
_current: ContextVar[Locale] = ContextVar("locale", default=EN_US)


@contextmanager
def in_locale(locale: Locale) -> Generator[None]:
    """Formats with it until the block ends, in this task alone."""
    token = _current.set(locale)
    try:
        yield
    finally:
        _current.reset(token)


def negotiate_locale(accept_language: str) -> Locale:
    """The supported locale that the header `Accept-Language` prefers; EN_US where there is none among its languages."""
    asked = [_parse_language(part) for part in accept_language.split(",")[:20]]
    for _, tag in sorted((one for one in asked if one[0] > 0), key=lambda one: -one[0]):
        found = _find_locale(tag)
        if found is not None:
            return found
    return EN_US


def _parse_language(part: str) -> tuple[float, str]:
    tag, _, weight = part.strip().partition(";q=")
    try:
        return (float(weight) if weight else 1.0), tag.lower()
    except ValueError:
        return 0.0, tag.lower()


def _find_locale(tag: str) -> Locale | None:
    by_tag = {known.lower(): locale for known, locale in LOCALES.items()}
    language = tag.partition("-")[0]
    first = next((locale for known, locale in by_tag.items() if known.partition("-")[0] == language), None)
    return by_tag.get(tag, first)


def number(count: int | Decimal) -> str:
    """`12,480`."""
    return _localized(f"{count:,}")


def compact(count: int) -> str:
    """`12.5k`, `2.41M`; below ten thousand as it is."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if abs(count) >= size and abs(count) >= 10 * _THOUSAND:
            return _localized(f"{count / size:.3g}") + unit
    return number(count)


def percent(part: float) -> str:
    """`0.6%` of 0.006."""
    return _localized(f"{part * 100:.1f}".removesuffix(".0")) + "%"


def format_amount(minor: int, currency: str) -> str:
    """`$1,999.00`, `CHF 5.00`."""
    return _with_currency(minor, currency, f"{Decimal(money.to_major(abs(minor), currency)):,}")


def rounded(minor: int, currency: str) -> str:
    """`$4,923`: from a thousand on without minor units, where space is short."""
    value = Decimal(money.to_major(abs(minor), currency))
    return format_amount(minor, currency) if value < _THOUSAND else _with_currency(minor, currency, f"{value:,.0f}")


def major(minor: int, currency: str) -> str:
    """`50`, `0.5`: an amount on an axis, whose title names the currency."""
    return _localized(f"{Decimal(money.to_major(minor, currency)).normalize():,f}")


def amounts(by_currency: Mapping[str, int]) -> str:
    """`€5.00 + $19.99`."""
    return " + ".join(format_amount(minor, currency) for currency, minor in sorted(by_currency.items())) or "0"


def _with_currency(minor: int, currency: str, digits: str) -> str:
    sign = "−" if minor < 0 else ""
    return sign + _SYMBOLS.get(currency.lower(), currency.upper() + _NO_BREAK) + _localized(digits)


def _localized(digits: str) -> str:
    """Digits as Python groups them, with the signs of the locale."""
    locale = _current.get()
    return digits.translate({ord(","): locale.group, ord("."): locale.point})


def day(at: int) -> str:
    """`Nov 21, 2026`; `21 Nov 2026` where days come first."""
    return f"{_at(at):%b %-d, %Y}" if _current.get().is_month_first else f"{_at(at):%-d %b %Y}"


def short_day(at: int) -> str:
    """`Nov 21`, short enough for charts."""
    return f"{_at(at):%b %-d}" if _current.get().is_month_first else f"{_at(at):%-d %b}"


def short_hour(at: int) -> str:
    """`Nov 21, 14:00`."""
    return f"{short_day(at)}, {_at(at):%H:%M}"


def format_time(at: int) -> str:
    """`Nov 21, 2026, 09:14`, in UTC."""
    return f"{day(at)}, {_at(at):%H:%M}"


def instant(at: int | None) -> Markup:
    """The date and time, with the exact one on hover."""
    return Markup("–") if at is None else _time_element(at, format_time(at))


def relative(at: int, now: int) -> str:
    """`4 min ago`, `in 3 d`; the date where it is far away.

    `now` is of the clock that `at` was written by: of a project, which in test mode may be ahead, or real time.
    """
    seconds = (now - at) // clock.SECOND
    if 0 <= seconds < _JUST_NOW:
        return "just now"
    for below, unit, name in _STEPS:
        if abs(seconds) < below:
            count = abs(seconds) // unit
            return f"in {count} {name}" if seconds < 0 else f"{count} {name} ago"
    return day(at)


def ago(at: int | None, now: int) -> Markup:
    """The same, with the exact time on hover."""
    return Markup("never") if at is None else _time_element(at, relative(at, now))


def _time_element(at: int, text: str) -> Markup:
    exact = clock.rfc3339(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, escape(exact), text)


def _at(at: int) -> datetime:
    return datetime.fromtimestamp(at // clock.SECOND, UTC)
