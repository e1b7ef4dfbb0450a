"""Fixed windows of limits, all aligned in UTC; none of them slides."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from typing_extensions import TypeAliasType

from dream_api.core import clock

LimitKind = TypeAliasType("LimitKind", Literal["hard", "soft"])
Kind = LimitKind


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
    """The highest count of a meter in a window; `max` None: it is counted, not limited."""

    meter_no: int
    window: Window
    kind: Kind
    max: int | None


@dataclass(frozen=True, slots=True)
class Period:
    """The billing period a call falls into: the subscription's, or the calendar month."""

    starts_at: int
    ends_at: int


# The percentages of a limit that are announced, once per window.
THRESHOLDS = (50, 80, 100)
_NEVER = 2**63


@dataclass(frozen=True, slots=True)
class CurrentLimit:
    """A limit in the window that is open at some moment."""

    window: Window
    kind: Kind
    max: int | None
    starts_at: int
    ends_at: int | None
    # Ends the key of its counter.
    key: tuple[int, int] = field(init=False, repr=False, compare=False)
    # Its window among others, for sets of windows; the life row is there in any case.
    bit: int = field(init=False, repr=False, compare=False)
    # What must not be passed; None where nothing is refused.
    hard_max: int | None = field(init=False, repr=False, compare=False)
    # The least count that is announced.
    first_threshold: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (int(self.window), self.starts_at))
        object.__setattr__(self, "bit", 1 << self.window if self.window else 0)
        object.__setattr__(self, "hard_max", self.max if self.kind == "hard" else None)
        object.__setattr__(self, "first_threshold", -(-self.max * THRESHOLDS[0] // 100) if self.max else _NEVER)


def thresholds_reached(count: int, maximum: int, announced: int) -> list[int]:
    """The thresholds (percent) that a count has reached, above the highest one that was announced."""
    return [percent for percent in THRESHOLDS if percent > announced and count * 100 >= percent * maximum]


def window_at(limit: Limit, at: int, period: Period) -> CurrentLimit:
    """The limit's window that the moment lies in; of the billing period, the one that is given."""
    starts_at, ends_at = _bounds(limit.window, at, period)
    return CurrentLimit(limit.window, limit.kind, limit.max, starts_at, ends_at)


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


def window_starts(bits: int, at: int, period_starts_at: int) -> list[tuple[int, int]]:
    """The windows of a set that the moment lies in, as (window, start)."""
    period = Period(period_starts_at, 0)
    return [(int(window), _bounds(window, at, period)[0]) for window in Window if window and bits & 1 << window]
