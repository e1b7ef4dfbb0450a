"""The current time and calendar arithmetic: whole microseconds UTC, movable by tests."""

import calendar
import time
from datetime import UTC, datetime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_ahead = 0


def now() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000 + _ahead


def move(microseconds: int) -> None:
    """Put this process's clock ahead of (or, negative, behind) where it stands."""
    global _ahead  # noqa: PLW0603
    _ahead += microseconds


def reset() -> None:
    """Back to the machine's time."""
    move(-_ahead)


def rfc3339(at: int) -> str:
    """`2026-11-21T04:48:00Z`; the fraction only where there is one."""
    seconds, micros = divmod(at, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{micros:06d}Z" if micros else text + "Z"


def from_datetime(moment: datetime) -> int:
    """Exact microseconds of an aware datetime, also where no datetime in UTC could hold it."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def hour_of(at: int) -> int:
    """The start of the clock hour."""
    return at - at % HOUR


def month_of(at: int) -> tuple[int, int]:
    """Start and end of the calendar month in UTC."""
    day = datetime.fromtimestamp(at // SECOND, UTC)
    start = datetime(day.year, day.month, 1, tzinfo=UTC)
    end = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return from_datetime(start), from_datetime(end)


def add_months(at: int, months: int) -> int:
    """The same day and time so many months later; where that month is shorter, its last day."""
    seconds, micros = divmod(at, SECOND)
    day = datetime.fromtimestamp(seconds, UTC)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return from_datetime(day.replace(year=year, month=month + 1, day=min(day.day, last))) + micros


def months_between(earlier: int, later: int) -> int:
    """How many whole months, as `add_months` counts them, lie between two moments."""
    one, other = (datetime.fromtimestamp(at // SECOND, UTC) for at in (earlier, later))
    months = (other.year - one.year) * 12 + other.month - one.month
    return months if add_months(earlier, months) <= later else months - 1
