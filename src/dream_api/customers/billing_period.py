"""Billing periods of customers: months of the subscription, counted from its start."""

from typing import Any, Protocol

from sqlalchemy import Row

from dream_api.core import clock

# How long a plan goes on when the gateway does not report whether it was paid for again.
SILENCE = 72 * clock.HOUR


class _Subscribed(Protocol):
    """Whatever knows the time that a subscription has paid for."""

    @property
    def period_starts_at(self) -> int | None: ...
    @property
    def period_ends_at(self) -> int | None: ...


# A customer as the metering engine caches it, or a row of the table.
Subscribed = _Subscribed | Row[Any]


def has_lapsed(customer: Subscribed, now: int) -> bool:
    """Whether the paid time is over and nobody has said for 72 hours that it goes on."""
    return customer.period_ends_at is not None and now >= customer.period_ends_at + SILENCE


def period_of(customer: Subscribed, now: int) -> tuple[int, int] | None:
    """The subscription's month that the moment lies in; None where there is none, and the calendar month counts.

    Months are counted from the start of what was paid for, also in a paid year, and the last one ends with it. When it
    ends in silence, the next period opens at that very second.
    """
    starts_at, ends_at = customer.period_starts_at, customer.period_ends_at
    if starts_at is None or ends_at is None or now < starts_at or has_lapsed(customer, now):
        return None
    opened, closes = _step(starts_at, ends_at, now)
    return (opened, min(closes, ends_at)) if now < ends_at else (max(opened, ends_at), closes)


def _step(starts_at: int, ends_at: int, now: int) -> tuple[int, int]:
    """The month counted from the start that the moment lies in; for what is paid by the week or day, such a step."""
    if clock.add_months(starts_at, 1) > ends_at:
        length = ends_at - starts_at
        opened = now - (now - starts_at) % length
        return opened, opened + length
    months = clock.months_between(starts_at, now)
    return clock.add_months(starts_at, months), clock.add_months(starts_at, months + 1)
