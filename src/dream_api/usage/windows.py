"""The fixed windows in which things are counted, all aligned in UTC; none rolls."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from dream_api.core import clock

Kind = Literal["hard", "soft"]


class Window(IntEnum):
    """Numbered as in the tables."""

    LIFE = 0
    HOUR = 1
    DAY = 2
    MONTH = 3
    PERIOD = 4

    @property
    def wire(self) -> str:
        return "lifetime" if self is Window.LIFE else self.name.lower()


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a meter fits into a window; `max` None: it is counted, not limited."""

    meter_no: int
    window: Window
    kind: Kind
    max: int | None


@dataclass(frozen=True, slots=True)
class Period:
    """The billing period a call falls into: the subscription's, or the calendar month."""

    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class OpenLimit:
    """A limit in the window that is open now; `key` ends the key of its counter."""

    window: Window
    kind: Kind
    max: int | None
    starts_at: int
    ends_at: int | None
    key: tuple[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (int(self.window), self.starts_at))

    @property
    def hard_max(self) -> int | None:
        """What must not be passed; None where nothing is refused."""
        return self.max if self.kind == "hard" else None


def period_at(at: int, starts_at: int | None, ends_at: int | None) -> Period:
    """A customer's own period where it covers the moment, else the calendar month."""
    if starts_at is not None and ends_at is not None and starts_at <= at < ends_at:
        return Period(starts_at, ends_at)
    return Period(*clock.month_of(at))


def open_at(limit: Limit, at: int, period: Period) -> OpenLimit:
    starts_at, ends_at = _bounds(limit.window, at, period)
    return OpenLimit(limit.window, limit.kind, limit.max, starts_at, ends_at)


def _bounds(window: Window, at: int, period: Period) -> tuple[int, int | None]:
    match window:
        case Window.LIFE:
            return 0, None
        case Window.HOUR:
            return clock.hour_of(at), clock.hour_of(at) + clock.HOUR
        case Window.DAY:
            start = at - at % clock.DAY
            return start, start + clock.DAY
        case Window.MONTH:
            return clock.month_of(at)
        case Window.PERIOD:
            return period.starts_at, period.ends_at
