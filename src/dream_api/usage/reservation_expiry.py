"""Ends reservations whose time is over: what they held weighs no more."""

from collections import Counter
from dataclasses import dataclass

from dream_api.core.db import RawTransaction
from dream_api.usage import reservation_queries as queries
from dream_api.usage.admission import LifeKey, State


@dataclass(frozen=True, slots=True)
class Expired:
    """An open reservation whose time is over, and what it holds of which life."""

    platform_no: int
    id: str
    holds: tuple[tuple[LifeKey, int], ...]

    @property
    def lives(self) -> list[LifeKey]:
        return [life for life, _ in self.holds]


def holds_of(
    platform_no: int, customer_no: int, meter_no: int, quantity: int, level_meter_no: int | None
) -> tuple[tuple[LifeKey, int], ...]:
    """What a reservation holds: its quantity of the customer's, and one request of the platform's level."""
    own = ((platform_no, customer_no, meter_no), quantity)
    return (own,) if level_meter_no is None else (own, ((platform_no, 0, level_meter_no), 1))


async def overdue(tx: RawTransaction, now: int) -> list[Expired]:
    """Some open reservations whose time is over, the oldest first."""
    return [Expired(row[0], row[1], holds_of(row[0], *row[2:])) for row in await queries.overdue(tx, now)]


async def expire_reservations(tx: RawTransaction, state: State, expired: list[Expired]) -> None:
    """End those that nobody else has ended; their lives must be locked."""
    ended = {(row[0], row[1]) for row in await queries.expire(tx, [(one.platform_no, one.id) for one in expired])}
    released: Counter[LifeKey] = Counter()
    for one in expired:
        if (one.platform_no, one.id) in ended:
            for life, quantity in one.holds:
                released[life] -= quantity
    await hold(tx, state, released)


async def hold(tx: RawTransaction, state: State, quantities: Counter[LifeKey]) -> None:
    """Let lives hold more (or, negative, less), in the table and in the state."""
    if quantities:
        await queries.hold(tx, [(*life, quantity) for life, quantity in quantities.items()])
    for life, quantity in quantities.items():
        state.counter((*life, 0, 0)).held += quantity
