"""Counts calls in a transaction: reads and locks their rows in the order of keys, decides, writes."""

from collections.abc import Callable

from dream_api.core.db import BatchTx
from dream_api.usage import queries
from dream_api.usage.deciding import Admitted, Call, CounterKey, Decided, LifeKey, State, Verdict, decide

# What is stored of an admitted call with a key, so that a retry is answered alike.
Storable = Callable[[int, Admitted], str]


async def count(tx: BatchTx, calls: list[Call], storable: Storable) -> list[Verdict]:
    """A verdict for each call; the counts are written in `tx` and hold once it is committed.

    `storable(place, verdict)` gives the text that is stored with the key of an admitted call.
    """
    state, born = await _read_locked(tx, calls)
    decided = decide(state, calls)
    await _write(tx, decided, born)
    if decided.events:
        await _write_events(tx, calls, decided, storable)
    return decided.verdicts


async def peek(tx: BatchTx, call: Call) -> State:
    """What is counted of everything the call would touch; nothing is locked or written."""
    return _state_of(await queries.counts(tx, _counter_keys([call])))


async def _read_locked(tx: BatchTx, calls: list[Call]) -> tuple[State, set[LifeKey]]:
    """The calls' state, and the life rows that were made only to be locked."""
    born: set[LifeKey] = set()
    keys = _counter_keys(calls)
    if tx.locks_rows:
        born = await _lock(tx, calls)
    state = _state_of(await queries.counts(tx, keys))
    asked = {call.event for call in calls if call.event is not None}
    if asked:
        for row in await queries.events(tx, asked):
            state.events[(row[0], row[1], row[2], row[3], row[4], row[5])] = (bytes(row[6]), row[7])
    return state, born


async def _lock(tx: BatchTx, calls: list[Call]) -> set[LifeKey]:
    """Hold every call's life row; where an old customer has none for the meter yet, it is made first."""
    lives = {(call.platform_no, call.customer_no, call.meter_no) for call in calls if not call.is_newcomer}
    if not lives:
        return set()
    found = {(row[0], row[1], row[2]) for row in await queries.lock_lives(tx, lives)}
    missing = lives - found
    if missing:
        await queries.bear_lives(tx, missing)
        await queries.lock_lives(tx, missing)
    return missing


async def _write(tx: BatchTx, decided: Decided, born: set[LifeKey]) -> None:
    if decided.counts:
        await queries.put_counts(tx, decided.counts)
        await queries.add_hours(tx, decided.hours)
    stillborn = {life for life in born if (*life, 0, 0) not in decided.counts}
    if stillborn:
        await queries.bury_lives(tx, stillborn)


async def _write_events(tx: BatchTx, calls: list[Call], decided: Decided, storable: Storable) -> None:
    rows: list[tuple[object, ...]] = []
    for event, place in decided.events.items():
        verdict = decided.verdicts[place]
        assert isinstance(verdict, Admitted)
        rows.append((*event, calls[place].fingerprint, storable(place, verdict)))
    await queries.insert_events(tx, rows)


def _counter_keys(calls: list[Call]) -> set[CounterKey]:
    keys: set[CounterKey] = set()
    for call in calls:
        whose = (call.platform_no, call.customer_no, call.meter_no)
        keys.add((*whose, 0, 0))
        for limit in call.limits:
            keys.add((*whose, *limit.key))
    return keys


def _state_of(rows: queries.Rows) -> State:
    state = State()
    for platform, customer, meter, window, starts_at, counted, held in rows:
        state.counts[(platform, customer, meter, window, starts_at)] = counted
        if window == 0:
            state.held[(platform, customer, meter)] = held
    return state
