"""When a subscription renews: pure arithmetic on whole seconds."""

from dream_api.core import clock

HOUR = clock.HOUR // clock.SECOND
DAY = clock.DAY // clock.SECOND
# Between a period's end and its invoice: the time in which usage is put on it.
DRAFT_TIME = HOUR

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def months_later(at: int, months: int) -> int:
    return clock.add_months(at * clock.SECOND, months) // clock.SECOND


def renewal_after(at: int, *, anchor: int, interval: str, count: int) -> int:
    """The first renewal after a moment, counted from the anchor: after 31 January comes 28 February, then 31 March."""
    if interval in _DAYS:
        step = _DAYS[interval] * count * DAY
        return anchor + ((at - anchor) // step + 1) * step
    step = _MONTHS[interval] * count
    passed = clock.months_between(anchor * clock.SECOND, at * clock.SECOND) // step
    return months_later(anchor, (passed + 1) * step)
