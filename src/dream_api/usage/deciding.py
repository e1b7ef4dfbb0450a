"""Who is admitted: one pure function of what was counted and of the calls, in their order of arrival."""

from dataclasses import dataclass, field

from dream_api.usage.windows import OpenLimit, Window

# platform, customer, meter, window, start: the key of a counter.
CounterKey = tuple[int, int, int, int, int]
# platform, customer, meter: whose life row is the lock.
LifeKey = tuple[int, int, int]
# platform, customer, meter, hour, start of the period.
HourKey = tuple[int, int, int, int, int]
# platform, project, mode, whose key (0: the server), key, item.
EventKey = tuple[int, int, int, int, str, int]

# Counts stay whole numbers in every JSON reader.
LARGEST_COUNT = 2**53 - 1


@dataclass(slots=True)
class Call:
    """A quantity that somebody wants counted, with the limits it must keep, as values."""

    platform_no: int
    customer_no: int
    meter_no: int
    quantity: int
    limits: tuple[OpenLimit, ...]
    hour: int
    period_starts_at: int
    event: EventKey | None = None
    fingerprint: bytes = b""
    # A newcomer has no rows yet, and nobody else can make them: its number was drawn under a lock.
    is_newcomer: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit as it stands after the call."""

    limit: OpenLimit
    count: int
    held: int

    @property
    def remaining(self) -> int | None:
        return None if self.limit.max is None else max(0, self.limit.max - self.count - self.held)


@dataclass(frozen=True, slots=True)
class Admitted:
    """Counted. `standings` has one entry for each limit of the call, in their order."""

    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Not counted: `by` is the hard limit that would have been passed."""

    by: OpenLimit
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Counted before under the same key: the first answer, as it was stored."""

    answer: str


@dataclass(frozen=True, slots=True)
class Mismatched:
    """Not counted: the key was used before for something else."""


@dataclass(frozen=True, slots=True)
class Overflowing:
    """Not counted: the count would not be a safe whole number any more."""


Verdict = Admitted | Refused | Replayed | Mismatched | Overflowing


@dataclass(slots=True)
class State:
    """What is stored of everything that the calls touch; what is missing is zero."""

    counts: dict[CounterKey, int] = field(default_factory=dict[CounterKey, int])
    held: dict[LifeKey, int] = field(default_factory=dict[LifeKey, int])
    events: dict[EventKey, tuple[bytes, str]] = field(default_factory=dict[EventKey, tuple[bytes, str]])


@dataclass(slots=True)
class Decided:
    """A verdict for each call, and what is to be written: new counts, and what is added to hours."""

    verdicts: list[Verdict]
    counts: dict[CounterKey, int]
    hours: dict[HourKey, list[int]]
    # Keyed calls that were admitted, by their place among the calls.
    events: dict[EventKey, int]


def decide(state: State, calls: list[Call]) -> Decided:
    """Admit a call if and only if every hard limit it touches keeps count + held + quantity ≤ max.

    What is refused counts nowhere. Later calls see what earlier ones of the same list counted.
    """
    counts = dict(state.counts)
    decided = Decided([], {}, {}, {})
    for place, call in enumerate(calls):
        verdict = _known(state, decided, calls, call) if call.event is not None else None
        if verdict is None:
            verdict = _admit(counts, state.held, decided, call)
            if call.event is not None and type(verdict) is Admitted:
                decided.events[call.event] = place
        decided.verdicts.append(verdict)
    return decided


def _known(state: State, decided: Decided, calls: list[Call], call: Call) -> Verdict | None:
    """What a call with a key that was used before is told; None for a fresh key."""
    assert call.event is not None
    stored = state.events.get(call.event)
    if stored is not None:
        return Replayed(stored[1]) if stored[0] == call.fingerprint else Mismatched()
    place = decided.events.get(call.event)
    if place is not None:
        return decided.verdicts[place] if calls[place].fingerprint == call.fingerprint else Mismatched()
    return None


def _admit(
    counts: dict[CounterKey, int], all_held: dict[LifeKey, int], decided: Decided, call: Call
) -> Admitted | Refused | Overflowing:
    life_key = (call.platform_no, call.customer_no, call.meter_no)
    held = all_held.get(life_key, 0)
    quantity = call.quantity
    standings: list[Standing] = []
    refused_by: OpenLimit | None = None
    for limit in call.limits:
        count = counts.get((*life_key, limit.window, limit.starts_at), 0)
        standings.append(Standing(limit, count, held))
        if (
            limit.max is not None
            and count + held + quantity > limit.max
            and limit.kind == "hard"
            and refused_by is None
        ):
            refused_by = limit
    if refused_by is not None:
        return Refused(refused_by, tuple(standings))
    life_count = counts.get((*life_key, 0, 0), 0) + quantity
    if life_count > LARGEST_COUNT:
        return Overflowing()
    return _count(counts, decided, call, standings, life_count)


def _count(
    counts: dict[CounterKey, int], decided: Decided, call: Call, standings: list[Standing], life_count: int
) -> Admitted:
    life_key = (call.platform_no, call.customer_no, call.meter_no)
    quantity = call.quantity
    written = decided.counts
    key = (*life_key, 0, 0)
    counts[key] = written[key] = life_count
    for place, before in enumerate(standings):
        if before.limit.window != Window.LIFE:
            key = (*life_key, int(before.limit.window), before.limit.starts_at)
            counts[key] = written[key] = before.count + quantity
        standings[place] = Standing(before.limit, before.count + quantity, before.held)
    hour = decided.hours.setdefault((*life_key, call.hour, call.period_starts_at), [0, 0])
    hour[0] += quantity
    hour[1] += 1
    return Admitted(tuple(standings))
