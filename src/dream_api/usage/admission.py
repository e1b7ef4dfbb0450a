"""Admission control: a pure function that decides which calls are counted, in their order of arrival."""

from dataclasses import dataclass, field

from dream_api.usage.windows import CurrentLimit, Window, thresholds_reached

# platform, customer, meter: whose life row is the lock.
LifeKey = tuple[int, int, int]
# platform, customer, meter, window, start: the key of a counter.
CounterKey = tuple[int, int, int, int, int]
# platform, customer, meter, hour, start of the period.
HourKey = tuple[int, int, int, int, int]
# platform, customer, meter, window, start, subject.
SubjectKey = tuple[int, int, int, int, int, str]
# platform, project, mode, whose key (0: the server), key, item.
EventKey = tuple[int, int, int, int, str, int]

# Counts stay whole numbers in every JSON reader.
LARGEST_COUNT = 2**53 - 1


class Increment:
    """What a call adds to one meter of a customer, or of the platform itself; immutable."""

    __slots__ = ("hour", "keys", "life", "limits", "quantity", "subject", "whole_life", "windows")

    def __init__(
        self,
        life: LifeKey,
        quantity: int,
        limits: tuple[CurrentLimit, ...],
        hour: int,
        period_starts_at: int,
        subject: str | None = None,
    ) -> None:
        self.life = life
        self.quantity = quantity
        self.limits = limits
        # The subject that a distinct meter counts; None where quantities are summed.
        self.subject = subject
        self.hour: HourKey = (*life, hour, period_starts_at)
        self.whole_life: CounterKey = (*life, 0, 0)
        # The counter of each limit.
        self.keys: tuple[CounterKey, ...] = tuple([(*life, *limit.key) for limit in limits])
        # The limits' windows, a bit each.
        self.windows = 0
        for limit in limits:
            self.windows |= limit.bit


@dataclass(slots=True)
class Call:
    """A call to be counted as a whole or not at all: the customer's own increment first, then the platform's."""

    charges: tuple[Increment, ...]
    event: EventKey | None = None
    fingerprint: bytes = b""
    # A new customer has no rows yet, and nobody else can create them: its number was assigned under a lock.
    is_new_customer: bool = False
    # It was admitted when it was reserved, and is not checked against limits again.
    is_promised: bool = False


@dataclass(slots=True)
class LimitStatus:
    """One limit as it stands after the call."""

    limit: CurrentLimit
    count: int
    held: int

    @property
    def remaining(self) -> int | None:
        return None if self.limit.max is None else max(0, self.limit.max - self.count - self.held)


@dataclass(slots=True)
class Admitted:
    """Counted. `standings` has one entry for each limit of the customer's charge, in their order."""

    standings: tuple[LimitStatus, ...]


@dataclass(slots=True)
class Refused:
    """Not counted: `by` is the hard limit that would have been passed, `charge` the place of the charge it is of."""

    by: CurrentLimit
    charge: int
    standings: tuple[LimitStatus, ...]


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
class BelowZero:
    """Not corrected: no more than this was counted in the period, and for ever."""

    count: int


@dataclass(frozen=True, slots=True)
class Overflowing:
    """Not counted: the count would not be a safe whole number any more."""


Verdict = Admitted | Refused | Replayed | Repeated | Mismatched | BelowZero | Overflowing


@dataclass(frozen=True, slots=True)
class ThresholdCrossing:
    """An admitted call, by its place, brought a limit to a threshold (percent) that was not announced yet."""

    call: int
    charge: int
    limit: CurrentLimit
    count: int
    percent: int


class Counter:
    """One counter as it stands while calls are decided on."""

    __slots__ = ("announced", "count", "held", "is_there", "is_written", "key", "windows")

    def __init__(self, key: CounterKey, count: int = 0, held: int = 0, announced: int = 0, windows: int = 0) -> None:
        self.key = key
        self.count = count
        # Of a life: what is reserved.
        self.held = held
        # The highest threshold that was announced.
        self.announced = announced
        # Of a life: of which windows there are counters, or will be with these calls, a bit each.
        self.windows = windows
        # Whether its count is true of its window; a distinct counter begins with the first call that names it.
        self.is_there = False
        self.is_written = False

    def add(self, quantity: int) -> None:
        self.count += quantity
        self.is_there = self.is_written = True


# An increment's life counter, the counters that its limits name, and existing ones of other limits, updated as well.
Opened = tuple[Counter, list[tuple[CurrentLimit, Counter]], list[Counter]]


@dataclass(slots=True)
class State:
    """What is stored of everything that the calls touch."""

    counters: dict[CounterKey, Counter] = field(default_factory=dict[CounterKey, Counter])
    opened: dict[Increment, Opened] = field(default_factory=dict[Increment, Opened])
    subjects: set[SubjectKey] = field(default_factory=set[SubjectKey])
    events: dict[EventKey, tuple[bytes, str]] = field(default_factory=dict[EventKey, tuple[bytes, str]])
    # Billing periods that are closed, by their counters: up to when; and of their lives, the latest of these moments.
    closed: dict[CounterKey, int] = field(default_factory=dict[CounterKey, int])
    # Up to when the hours of platforms are summed up, as far as it was read with their locks.
    summed_until: dict[int, int] = field(default_factory=dict[int, int])

    def counter(self, key: CounterKey) -> Counter:
        """The counter; what is missing is zero."""
        counter = self.counters.get(key)
        if counter is None:
            counter = self.counters[key] = Counter(key)
        return counter


@dataclass(slots=True)
class AdmissionResult:
    """A verdict for each call, and what is to be written as well as the state's counters."""

    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    # What is added to hours: total and calls.
    hours: dict[HourKey, list[int]] = field(default_factory=dict[HourKey, list[int]])
    subjects: set[SubjectKey] = field(default_factory=set[SubjectKey])
    crossings: list[ThresholdCrossing] = field(default_factory=list[ThresholdCrossing])
    # Keyed calls that were admitted: their place among the calls.
    events: dict[EventKey, int] = field(default_factory=dict[EventKey, int])


def admit(state: State, calls: list[Call]) -> AdmissionResult:
    """Admit a call if and only if every hard limit of all its charges keeps count + held + quantity ≤ max.

    A correction passes every upper limit, but takes neither the life's nor the period's count below zero. What is
    refused counts nowhere. Later calls see what earlier ones of the same list counted; `state` is used up.
    """
    decided = AdmissionResult()
    for place, call in enumerate(calls):
        verdict = _known(state, decided, calls, call) if call.event is not None else None
        if verdict is None:
            verdict = find_violation(state, call)
            if verdict is None:
                verdict = _admit(state, decided, place, call)
        decided.verdicts.append(verdict)
    return decided


def _known(state: State, decided: AdmissionResult, calls: list[Call], call: Call) -> Verdict | None:
    """The verdict on a call with an idempotency key that was used before; None for a fresh key."""
    assert call.event is not None
    stored = state.events.get(call.event)
    if stored is not None:
        return Replayed(stored[1]) if stored[0] == call.fingerprint else Mismatched()
    place = decided.events.get(call.event)
    if place is not None:
        return Repeated(place) if calls[place].fingerprint == call.fingerprint else Mismatched()
    return None


def find_violation(state: State, call: Call) -> Refused | BelowZero | Overflowing | None:
    """Why the call cannot be counted; None where it can."""
    for place, charge in enumerate(call.charges):
        life, named, _ = state.opened[charge]
        quantity = charge.quantity
        if quantity < 0:
            periods = [counter.count for limit, counter in named if limit.window is Window.PERIOD]
            least = min((life.count, *periods))
            if least + quantity < 0:
                return BelowZero(least)
            continue
        if not call.is_promised:
            wanted = life.held + quantity
            for limit, counter in named:
                most = limit.hard_max
                if most is None or counter.count + wanted <= most:
                    continue
                if charge.subject is None or (*counter.key, charge.subject) not in state.subjects:
                    return Refused(limit, place, limit_statuses(state, charge))
        if life.count + quantity > LARGEST_COUNT:
            return Overflowing()
    return None


def _admit(state: State, decided: AdmissionResult, place: int, call: Call) -> Admitted:
    for at, charge in enumerate(call.charges):
        if charge.subject is None:
            _count_quantity(state, decided, place, at, charge)
        else:
            _count_subject(state, decided, place, at, charge, charge.subject)
    if call.event is not None:
        decided.events[call.event] = place
    return Admitted(limit_statuses(state, call.charges[0]))


def _count_quantity(state: State, decided: AdmissionResult, place: int, at: int, charge: Increment) -> None:
    quantity = charge.quantity
    life, named, kept = state.opened[charge]
    life.add(quantity)
    for limit, counter in named:
        if counter is not life:
            counter.add(quantity)
        if counter.count >= limit.first_threshold and quantity > 0:
            _record_crossings(decided, place, at, limit, counter)
    for counter in kept:
        if counter.is_there:
            counter.add(quantity)
    hour = decided.hours.get(charge.hour)
    if hour is None:
        hour = decided.hours[charge.hour] = [0, 0]
    hour[0] += quantity
    hour[1] += quantity > 0


def _count_subject(
    state: State, decided: AdmissionResult, place: int, at: int, charge: Increment, subject: str
) -> None:
    """Count a subject in each window that has not seen it."""
    life, named, kept = state.opened[charge]
    is_new_to_longest = False
    longest = min(charge.limits, key=_rank, default=None)
    for counter in kept:
        if counter.is_there:
            _add_subject(state, decided, counter, subject)
    for limit, counter in named:
        if _add_subject(state, decided, counter, subject):
            is_new_to_longest |= limit is longest
            if counter.count >= limit.first_threshold:
                _record_crossings(decided, place, at, limit, counter)
    life.add(0)
    hour = decided.hours.setdefault(charge.hour, [0, 0])
    hour[0] += is_new_to_longest
    hour[1] += 1


def _add_subject(state: State, decided: AdmissionResult, counter: Counter, subject: str) -> bool:
    """Count the subject if it is new to the counter; whether it was."""
    known = (*counter.key, subject)
    if known in state.subjects:
        return False
    state.subjects.add(known)
    decided.subjects.add(known)
    counter.add(1)
    return True


def _rank(limit: CurrentLimit) -> int:
    """Windows from the longest to the shortest."""
    return _LONGEST_FIRST.index(limit.window)


_LONGEST_FIRST = (Window.LIFE, Window.PERIOD, Window.MONTH, Window.DAY, Window.HOUR)


def _record_crossings(decided: AdmissionResult, place: int, at: int, limit: CurrentLimit, counter: Counter) -> None:
    assert limit.max is not None
    for percent in thresholds_reached(counter.count, limit.max, counter.announced):
        decided.crossings.append(ThresholdCrossing(place, at, limit, counter.count, percent))
        counter.announced = percent


def limit_statuses(state: State, charge: Increment) -> tuple[LimitStatus, ...]:
    """The present count of each limit of the increment."""
    life, named, _ = state.opened[charge]
    held = life.held
    if len(named) == 1:  # most calls: not worth a generator
        [(limit, counter)] = named
        return (LimitStatus(limit, counter.count, held),)
    return tuple([LimitStatus(limit, counter.count, held) for limit, counter in named])
