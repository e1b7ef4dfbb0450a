"""Counting of calls in a transaction: lock and read their rows in the order of keys, decide, write."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from dream_api.core import clock
from dream_api.core.db import RawTransaction
from dream_api.usage import admission_queries, reservation_queries
from dream_api.usage.admission import (
    AdmissionResult,
    Admitted,
    Call,
    Counter,
    CounterKey,
    Increment,
    LifeKey,
    State,
    SubjectKey,
    ThresholdCrossing,
    Verdict,
    admit,
)
from dream_api.usage.late_calls import require_open_periods
from dream_api.usage.reservation_expiry import expire_reservations, get_overdue
from dream_api.usage.rollup import finished_before
from dream_api.usage.windows import Window, window_starts

# What is stored of an admitted call with a key, so that a retry is answered alike.
Storable = Callable[[int, Admitted], str]


@dataclass(slots=True)
class Counted:
    """A verdict for each call, and the limits that came to a threshold."""

    verdicts: list[Verdict]
    crossings: list[ThresholdCrossing]


async def count(tx: RawTransaction, calls: list[Call], storable: Storable, *, expired_at: int | None = None) -> Counted:
    """Decide on the calls and write what was admitted in `tx`; it holds once that is committed.

    `storable(place, verdict)` gives the text that is stored with the key of an admitted call. Reservations that ended
    by `expired_at` are released first; None: they are not looked for. Raises PeriodClosed, before anything is decided.
    """
    state, born = await lock_state(tx, calls, expired_at)
    decided = admit(state, calls)
    await write_state(tx, decided, state, born)
    if decided.events:
        await _write_events(tx, calls, decided, storable)
    return Counted(decided.verdicts, decided.crossings)


async def peek(tx: RawTransaction, charge: Increment) -> State:
    """The state of everything that the increment would touch; nothing is locked or written.

    Reservations expire in real time, whatever the project's clock is.
    """
    state = await read_state(tx, [charge])
    if state.closed:
        require_open_periods(state, [Call((charge,))])
    life = state.counter(charge.whole_life)
    if life.held:
        for reservation in await reservation_queries.get_overdue_of_life(tx, charge.life, clock.now()):
            life.held -= reservation[0]
    return state


async def lock_state(
    tx: RawTransaction, calls: list[Call], expired_at: int | None, *, also: Iterable[LifeKey] = ()
) -> tuple[State, set[LifeKey]]:
    """The calls' state, locked until the transaction ends, and the life rows that were created only to be locked.

    `also`: lives that are locked as well.
    """
    expired = [] if expired_at is None else await get_overdue(tx, expired_at)
    # The same charge stands in many calls: of a platform, or of one customer.
    charges = list({charge: None for call in calls for charge in call.charges})
    rowless = {call.charges[0].life for call in calls if call.is_new_customer}
    born: set[LifeKey] = set()
    summed_until: dict[int, int] = {}
    if tx.locks_rows:
        lives = {charge.life for charge in charges} - rowless
        lives.update(also, *(reservation.lives for reservation in expired))
        born, summed_until = await lock_counters(tx, lives)
    state = await read_state(tx, charges, rowless | born)
    state.summed_until = summed_until
    if state.closed:
        require_open_periods(state, calls)
    asked = {call.event for call in calls if call.event is not None}
    if asked:
        for row in await admission_queries.events(tx, asked):
            state.events[(row[0], row[1], row[2], row[3], row[4], row[5])] = (bytes(row[6]), row[7])
    if expired:
        await expire_reservations(tx, state, expired)
    return state, born


async def lock_counters(tx: RawTransaction, lives: set[LifeKey]) -> tuple[set[LifeKey], dict[int, int]]:
    """Lock every life row; missing ones are created first.

    Returns the created ones, and up to when the hours of the others' platforms are summed up.
    """
    if not lives:
        return set(), {}
    rows = await admission_queries.lock_lifetime_counters(tx, lives)
    summed_until = {row[0]: row[3] for row in rows}
    missing = lives - {(row[0], row[1], row[2]) for row in rows}
    if not missing:
        return set(), summed_until
    born = {(row[0], row[1], row[2]) for row in await admission_queries.insert_lifetime_counters(tx, missing)}
    if len(born) < len(missing):
        await admission_queries.lock_lifetime_counters(tx, missing - born)
    return born, summed_until


async def read_state(tx: RawTransaction, charges: list[Increment], rowless: Collection[LifeKey] = ()) -> State:
    """The stored state of everything that the increments touch; `rowless`: lives of which nothing was ever counted."""
    keys: set[CounterKey] = set()
    for charge in charges:
        keys.add(charge.whole_life)
        keys.update(charge.keys)
    state = State()
    await _read_counters(tx, state, keys)
    if len(state.counters) < len(keys):
        await _initialize_counters(tx, state, charges, rowless)
    counter = state.counter
    for charge in charges:
        life = counter(charge.whole_life)
        life.windows |= charge.windows
        named = [(limit, counter(key)) for limit, key in zip(charge.limits, charge.keys, strict=True)]
        state.opened[charge] = (life, named, [])
    await _read_other_windows(tx, state)
    subjects: set[SubjectKey] = set()
    for charge, (_, named, kept) in state.opened.items():
        if charge.subject is not None:
            subjects.update([(*one.key, charge.subject) for _, one in named])
            subjects.update([(*one.key, charge.subject) for one in kept])
    if subjects:
        state.subjects.update([tuple(row) for row in await admission_queries.subjects(tx, subjects)])
    return state


async def _read_counters(tx: RawTransaction, state: State, keys: set[CounterKey]) -> None:
    for platform, customer, meter, window, starts_at, closed_until, *numbers in await admission_queries.counts(
        tx, keys
    ):
        key = (platform, customer, meter, window, starts_at)
        if closed_until:
            state.closed[key] = closed_until
        counter = state.counters[key] = Counter(key, *numbers)
        counter.is_there = True


async def _read_other_windows(tx: RawTransaction, state: State) -> None:
    """Read the counters that other limits have created, or create with these calls, in the windows of each increment.

    Every call updates all of them, so that an existing counter is always exact, whatever plan a call came with.
    """
    others: list[tuple[list[Counter], list[CounterKey]]] = []
    for charge, (life, _, kept) in state.opened.items():
        if life.windows != charge.windows:
            starts = window_starts(life.windows & ~charge.windows, charge.hour[3], charge.hour[4])
            others.append((kept, [(*charge.life, *start) for start in starts]))
    if not others:
        return
    unread = {key for _, keys in others for key in keys if key not in state.counters}
    if unread:
        await _read_counters(tx, state, unread)
    for kept, keys in others:
        kept += [state.counters[key] for key in keys if key in state.counters]


async def _initialize_counters(
    tx: RawTransaction, state: State, charges: list[Increment], rowless: Collection[LifeKey]
) -> None:
    """A counter of a window that no limit named before starts with the sum of its hours, where the meter sums."""
    missing: dict[CounterKey, tuple[int, ...]] = {}
    for charge in charges:
        if charge.subject is not None:
            continue
        has_hours = charge.whole_life in state.counters and charge.life not in rowless
        for limit, key in zip(charge.limits, charge.keys, strict=True):
            if key in state.counters:
                continue
            state.counter(key).is_there = True
            if has_hours:
                assert limit.ends_at is not None
                period = limit.starts_at if limit.window is Window.PERIOD else -1
                missing[key] = (*key, limit.ends_at, period)
    if missing:
        for *key, total in await admission_queries.sums_of_hours(tx, missing.values()):
            state.counters[key[0], key[1], key[2], key[3], key[4]].count = int(total)


async def write_state(tx: RawTransaction, decided: AdmissionResult, state: State, born: set[LifeKey]) -> None:
    """Write what was decided; life rows that were created only to be locked are deleted again."""
    rows = [
        (*counter.key, counter.count, counter.announced, counter.windows)
        for counter in state.counters.values()
        if counter.is_written
    ]
    if rows:
        await admission_queries.upsert_counts(tx, rows)
    if decided.hours:
        await admission_queries.add_hours(tx, decided.hours)
        await _insert_late_hours(tx, {(key[0], key[3]) for key in decided.hours}, state.summed_until)
    if decided.subjects:
        await admission_queries.insert_subjects(tx, decided.subjects)
    stillborn = {life for life in born if not state.counter((*life, 0, 0)).is_written}
    if stillborn:
        await admission_queries.delete_unused_lifetime_counters(tx, stillborn)


async def _insert_late_hours(tx: RawTransaction, hours: set[tuple[int, int]], summed_until: Mapping[int, int]) -> None:
    """Record those of the hours (platform, hour) that are summed up already, or may be before this is committed.

    What is summed up is compared as it is stored: a clock that was ahead and then set right has summed up hours that
    are not finished now.
    """
    finished = finished_before(clock.now())
    late = {one for one in hours if one[1] < max(finished, summed_until.get(one[0], 0))}
    unknown = {one for one in hours if one[0] not in summed_until}
    if unknown:
        late |= await admission_queries.summed_hours(tx, unknown)
    if late:
        await admission_queries.insert_late_hours(tx, late)


async def _write_events(tx: RawTransaction, calls: list[Call], decided: AdmissionResult, storable: Storable) -> None:
    rows: list[tuple[object, ...]] = []
    for event, place in decided.events.items():
        verdict = decided.verdicts[place]
        assert isinstance(verdict, Admitted)
        rows.append((*event, calls[place].fingerprint, storable(place, verdict)))
    await admission_queries.insert_events(tx, rows)
