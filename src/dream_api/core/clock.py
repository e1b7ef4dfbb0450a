"""The one clock: whole microseconds UTC, movable by tests and test clocks."""

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
    """Exact microseconds of an aware datetime."""
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
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
