"""The clock: microseconds UTC, and calendar months."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_api.core import clock
from tests.support.cases import each_case

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def at(*parts: int) -> int:
    return clock.from_datetime(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type]


def test_the_clock_is_the_machines_and_can_be_moved_and_put_right() -> None:
    before = time.time_ns() // 1000
    assert before <= clock.now() <= time.time_ns() // 1000

    clock.move(40 * clock.DAY)
    clock.move(-clock.HOUR)
    assert clock.now() - before == pytest.approx(40 * clock.DAY - clock.HOUR, abs=clock.MINUTE)

    clock.reset()
    assert clock.now() - before < clock.MINUTE


@each_case(
    ("moment", "start", "end"),
    [
        (at(2026, 11, 21, 4, 48), at(2026, 11, 1), at(2026, 12, 1)),
        (at(2026, 12, 31, 23, 59, 59, 999_999), at(2026, 12, 1), at(2027, 1, 1)),
        (at(2027, 1, 1), at(2027, 1, 1), at(2027, 2, 1)),
        (at(2028, 2, 29, 12), at(2028, 2, 1), at(2028, 3, 1)),
        (at(2027, 2, 28, 23), at(2027, 2, 1), at(2027, 3, 1)),
        (at(2000, 2, 29), at(2000, 2, 1), at(2000, 3, 1)),
        (at(2100, 2, 28, 23, 59, 59), at(2100, 2, 1), at(2100, 3, 1)),
        (at(2100, 3, 1), at(2100, 3, 1), at(2100, 4, 1)),
    ],
)
def test_a_month_is_the_calendars(moment: int, start: int, end: int) -> None:
    assert clock.month_of(moment) == (start, end)


@pytest.mark.parametrize(("year", "days"), [(2027, 28), (2028, 29), (2000, 29), (2100, 28)])
def test_february_is_as_long_as_the_year_makes_it(year: int, days: int) -> None:
    start, end = clock.month_of(at(year, 2, 3))

    assert end - start == days * clock.DAY


@given(MOMENTS)
def test_months_and_hours_follow_one_another_without_gaps(moment: datetime) -> None:
    now = clock.from_datetime(moment)
    start, end = clock.month_of(now)
    hour = clock.hour_of(now)

    assert start <= now < end
    assert clock.month_of(start - 1)[1] == start or start == 0
    assert clock.month_of(end)[0] == end
    assert hour <= now < hour + clock.HOUR
    assert hour % clock.HOUR == 0


@each_case(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (at(2026, 11, 21, 4, 48), "2026-11-21T04:48:00Z"),
        (at(2026, 11, 21, 4, 48, 0, 1), "2026-11-21T04:48:00.000001Z"),
        (at(2026, 11, 21, 4, 48, 0, 120_000), "2026-11-21T04:48:00.120000Z"),
        (at(1969, 12, 31, 23, 59, 59, 500_000), "1969-12-31T23:59:59.500000Z"),
    ],
)
def test_a_moment_is_told_in_rfc_3339(moment: int, text: str) -> None:
    assert clock.rfc3339(moment) == text


@given(MOMENTS)
def test_what_is_told_in_rfc_3339_is_the_very_microsecond(moment: datetime) -> None:
    told = clock.rfc3339(clock.from_datetime(moment))

    assert datetime.fromisoformat(told) == moment


def test_a_moment_of_another_time_zone_is_the_same_moment() -> None:
    there = timezone(timedelta(hours=5, minutes=45))

    assert clock.from_datetime(datetime(2027, 1, 1, 5, 45, 0, 7, tzinfo=there)) == at(2027, 1, 1, 0, 0, 0, 7)
