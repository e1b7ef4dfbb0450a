"""When subscriptions renew, and when money is asked for again: pure arithmetic."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_api.core import clock
from dream_api.gateways.sandbox.billing_cycle import DAY, renewal_after
from dream_api.gateways.sandbox.dunning import next_retry_at
from tests.gateways.sandbox.shop import moment


def renewals(first: str, interval: str, count: int, many: int) -> list[str]:
    anchor = moment(first) // clock.SECOND
    at, found = anchor, []
    for _ in range(many):
        at = renewal_after(at, anchor=anchor, interval=interval, count=count)
        found.append(clock.rfc3339(at * clock.SECOND)[:10])
    return found


@pytest.mark.parametrize(
    ("first", "interval", "count", "expected"),
    [
        ("2027-01-31T12:00:00", "month", 1, ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]),
        ("2028-01-30T12:00:00", "month", 1, ["2028-02-29", "2028-03-30", "2028-04-30"]),
        ("2027-11-30T12:00:00", "month", 3, ["2028-02-29", "2028-05-30", "2028-08-30"]),
        ("2028-02-29T12:00:00", "year", 1, ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        ("2027-12-31T23:59:59", "year", 2, ["2029-12-31", "2031-12-31"]),
        ("2028-02-27T00:00:00", "day", 1, ["2028-02-28", "2028-02-29", "2028-03-01"]),
        ("2027-03-20T00:00:00", "week", 2, ["2027-04-03", "2027-04-17"]),
    ],
)
def test_renewals_are_counted_from_the_beginning(first: str, interval: str, count: int, expected: list[str]) -> None:
    assert renewals(first, interval, count, len(expected)) == expected


@given(
    anchor=st.integers(0, 4_000_000_000),
    interval=st.sampled_from(["day", "week", "month", "year"]),
    count=st.integers(1, 12),
    passed=st.integers(0, 10 * 366 * DAY),
)
def test_the_next_renewal_is_the_first_one_after_the_moment(
    anchor: int, interval: str, count: int, passed: int
) -> None:
    at = anchor + passed
    following = renewal_after(at, anchor=anchor, interval=interval, count=count)

    assert following > at
    # Seen from just before it, it is the next as well; from itself, it is not.
    assert renewal_after(following - 1, anchor=anchor, interval=interval, count=count) == following
    assert renewal_after(following, anchor=anchor, interval=interval, count=count) > following
    before = anchor
    while (step := renewal_after(before, anchor=anchor, interval=interval, count=count)) <= at:
        before = step
    assert step == following


def test_money_is_asked_for_after_three_five_and_seven_days() -> None:
    tries = list(itertools.takewhile(lambda at: at is not None, _tries(100)))

    assert tries == [100 + 3 * DAY, 100 + 5 * DAY, 100 + 7 * DAY]


def _tries(failed_at: int):  # type: ignore[no-untyped-def]
    at: int | None = failed_at
    while at is not None:
        at = next_retry_at(failed_at, at)
        yield at
