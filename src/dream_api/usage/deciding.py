"""Who is admitted: one pure function of what was counted and of the calls, in their order of arrival."""

from dataclasses import dataclass, field

from dream_api.usage.windows import OpenLimit

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


@dataclass(slots=True)
class Standing:
    """One limit as it stands after the call."""

    limit: OpenLimit
    count: int
    held: int

    @property
    def remaining(self) -> int | None:
        return None if self.limit.max is None else max(0, self.limit.max - self.count - self.held)


@dataclass(slots=True)
class Admitted:
    """Counted. `standings` has one entry for each limit of the call, in their order."""

    standings: tuple[Standing, ...]


@dataclass(slots=True)
class Refused:
    """Not counted: `by` is the hard limit that would have been passed."""

    by: OpenLimit
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Counted before under the same key: the first answer, as it was stored."""

    answer: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """Counted by an earlier call of the same list, under the same key: `of` is that call's place."""

    of: int


@dataclass(frozen=True, slots=True)
class Mismatched:
    """Not counted: the key was used before for something else."""


@dataclass(frozen=True, slots=True)
class Overflowing:
    """Not counted: the count would not be a safe whole number any more."""


Verdict = Admitted | Refused | Replayed | Repeated | Mismatched | Overflowing


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
        return Repeated(place) if calls[place].fingerprint == call.fingerprint else Mismatched()
    return None


def _admit(
    counts: dict[CounterKey, int], all_held: dict[LifeKey, int], decided: Decided, call: Call
) -> Admitted | Refused | Overflowing:
    life = (call.platform_no, call.customer_no, call.meter_no)
    held = all_held.get(life, 0)
    quantity = call.quantity
    before = [counts.get((*life, *limit.key), 0) for limit in call.limits]
    for limit, count in zip(call.limits, before, strict=True):
        most = limit.hard_max
        if most is not None and count + held + quantity > most:
            return Refused(limit, _standings(call.limits, before, held, 0))
    whole_life = counts.get((*life, 0, 0), 0) + quantity
    if whole_life > LARGEST_COUNT:
        return Overflowing()
    counts[(*life, 0, 0)] = decided.counts[(*life, 0, 0)] = whole_life
    for limit, count in zip(call.limits, before, strict=True):
        key = (*life, *limit.key)
        counts[key] = decided.counts[key] = count + quantity
    hour = decided.hours.setdefault((*life, call.hour, call.period_starts_at), [0, 0])
    hour[0] += quantity
    hour[1] += 1
    return Admitted(_standings(call.limits, before, held, quantity))


def _standings(limits: tuple[OpenLimit, ...], before: list[int], held: int, quantity: int) -> tuple[Standing, ...]:
    if len(limits) == 1:  # most calls: not worth a generator
        return (Standing(limits[0], before[0] + quantity, held),)
    return tuple(Standing(limit, count + quantity, held) for limit, count in zip(limits, before, strict=True))
