"""Numbers, amounts and dates as people of several places write them."""

import asyncio
from datetime import UTC, datetime

from dream_api.core import clock
from dream_api.core.html import format as formats
from dream_api.core.html.format import EN_US, LOCALES, in_locale, negotiate_locale

_AT = clock.from_datetime(datetime(2026, 11, 21, 9, 14, tzinfo=UTC))


def test_amounts_have_the_sign_of_their_currency_and_the_separators_of_the_locale() -> None:
    cases = [
        ("en-US", 1999, "usd", "$19.99"),
        ("en-US", 129_900, "eur", "€1,299.00"),
        ("de", 129_900, "eur", "€1.299,00"),
        ("de-CH", 129_900, "chf", "CHF\u00a01’299.00"),
        ("fr", 123_456_789, "usd", "$1\u202f234\u202f567,89"),
        ("es", -500, "usd", "−$5,00"),
        ("en-US", 900, "jpy", "¥900"),
        ("de", 1_234_567, "kwd", "KWD\u00a01.234,567"),
        ("en-GB", 0, "gbp", "£0.00"),
    ]
    for tag, minor, currency, text in cases:
        with in_locale(LOCALES[tag]):
            assert formats.format_amount(minor, currency) == text, (tag, minor, currency)


def test_numbers_and_dates_follow_the_locale() -> None:
    cases = {
        "en-US": ("12,480", "12.5k", "0.6%", "$4,923", "Nov 21, 2026", "Nov 21, 09:14"),
        "en-GB": ("12,480", "12.5k", "0.6%", "$4,923", "21 Nov 2026", "21 Nov, 09:14"),
        "de": ("12.480", "12,5k", "0,6%", "$4.923", "21 Nov 2026", "21 Nov, 09:14"),
    }
    for tag, expected in cases.items():
        with in_locale(LOCALES[tag]):
            assert (
                formats.number(12_480),
                formats.compact(12_480),
                formats.percent(0.006),
                formats.rounded(492_260, "usd"),
                formats.day(_AT),
                formats.short_hour(_AT),
            ) == expected, tag
    assert formats.amounts({"usd": 1999, "eur": 500}) == "€5.00 + $19.99"


def test_the_locale_that_a_browser_prefers_is_found() -> None:
    cases = {
        "": "en-US",
        "de-DE,de;q=0.9,en;q=0.8": "de",
        "de-ch": "de-CH",
        "en-AU": "en-US",
        "en-GB,en;q=0.9": "en-GB",
        "ja,fr;q=0.5,it;q=0.7": "it",
        "pt-BR": "pt",
        "fr;q=0": "en-US",
        "de;q=often, fr": "fr",
        ";;;,\t, *": "en-US",
        "x" * 10_000: "en-US",
    }
    assert {asked: negotiate_locale(asked).tag for asked in cases} == cases


async def test_a_locale_is_that_of_its_task_alone() -> None:
    async def formatted(tag: str) -> str:
        with in_locale(LOCALES[tag]):
            await asyncio.sleep(0)
            return formats.number(1_000)

    assert await asyncio.gather(formatted("de"), formatted("en-US"), formatted("de-CH")) == ["1.000", "1,000", "1’000"]
    assert (formats.number(1_000), EN_US.tag) == ("1,000", "en-US")
