"""Reservations of usage: a quantity is held before use, and what was used is counted when it is settled."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, Invalid, NotFound
from dream_api.usage import counters, reservation_expiry
from dream_api.usage import reservation_queries as queries
from dream_api.usage.admission import (
    Admitted,
    BelowZero,
    Call,
    LifeKey,
    Overflowing,
    Refused,
    admit,
    find_violation,
    limit_statuses,
)
from dream_api.usage.counters import Counted

LONGEST_TTL_SECONDS = 24 * 3600


class ReservationExpired(Conflict):
    code = "reservation_expired"
    hint = "The reserved quantity was released. Count the used quantity with POST /api/data."


class ReservationSettled(Conflict):
    code = "reservation_settled"
    hint = "A reservation can be settled only once. Count more, or send a negative quantity, with POST /api/data."


class SettlementTooLarge(Invalid):
    code = "settlement_too_large"
    hint = "Settle at most the reserved quantity, and count the rest with POST /api/data."


@dataclass(frozen=True, slots=True)
class Reservation:
    """A quantity of a customer's meter that is held until it is settled or expires."""

    platform_no: int
    id: str
    project_no: int
    mode: int
    customer_no: int
    meter_no: int
    plan: str | None
    quantity: int
    level_meter_no: int | None
    created_at: int
    expires_at: int

    @property
    def holds(self) -> tuple[tuple[LifeKey, int], ...]:
        return reservation_expiry.reserved_quantities(
            self.platform_no, self.customer_no, self.meter_no, self.quantity, self.level_meter_no
        )


async def reserve(
    tx: Tx, call: Call, *, project_no: int, mode: int, plan: str | None, ttl_seconds: int
) -> tuple[Reservation | None, Admitted | Refused | BelowZero | Overflowing]:
    """Hold the call's quantity if and only if it would be counted now.

    The call's charges are the customer's own, and for a live call one of the platform's requests; whatever is refused,
    the caller rolls back.
    """
    now = clock.now()
    state, _ = await counters.lock_state(tx, [call], now)
    refused = find_violation(state, call)
    if refused is not None:
        return None, refused
    own, *level = call.charges
    made = Reservation(
        own.life[0],
        ids.new("res"),
        project_no,
        mode,
        own.life[1],
        own.life[2],
        plan,
        own.quantity,
        next((charge.life[2] for charge in level if charge.subject is None), None),
        now,
        now + ttl_seconds * clock.SECOND,
    )
    await queries.insert_reservation(
        tx, {name: getattr(made, name) for name in Reservation.__slots__} | {"state": "open"}
    )
    await reservation_expiry.update_reserved(tx, state, Counter(dict(made.holds)))
    return made, Admitted(limit_statuses(state, own))


async def find(tx: Tx, platform_no: int, project_no: int, mode: int, reservation_id: str) -> Reservation:
    """The reservation, in whatever state; NotFound for one of another project or mode."""
    row = await queries.by_id(tx, platform_no, project_no, mode, reservation_id)
    if row is None:
        raise NotFound("Reservation not found.", param="id")
    return _reservation(row)


async def settle(tx: Tx, reservation: Reservation, call: Call) -> Counted:
    """Count the call in place of what was reserved, and release the rest; raises where it comes late or twice.

    The call is not checked against limits: it was admitted when it was reserved.
    """
    quantity = call.charges[0].quantity
    if quantity > reservation.quantity:
        raise SettlementTooLarge(f"The reserved quantity is {reservation.quantity}.", param="quantity")
    state, born = await counters.lock_state(tx, [call], None, also=[life for life, _ in reservation.holds])
    if not await queries.settle(tx, reservation.platform_no, reservation.id, quantity, clock.now()):
        await _require_open(tx, reservation)
    await reservation_expiry.update_reserved(tx, state, Counter({life: -held for life, held in reservation.holds}))
    if quantity == 0:
        return Counted([Admitted(limit_statuses(state, call.charges[0]))], [])
    decided = admit(state, [call])
    await counters.write_state(tx, decided, state, born)
    return Counted(decided.verdicts, decided.crossings)


async def _require_open(tx: Tx, reservation: Reservation) -> None:
    row = await queries.by_id(tx, reservation.platform_no, reservation.project_no, reservation.mode, reservation.id)
    assert row is not None
    if row.state == "settled":
        raise ReservationSettled(f"The reservation was already settled with {row.settled}.", param="id")
    raise ReservationExpired(f"The reservation expired at {clock.rfc3339(row.expires_at)}.", param="id")


async def release_overdue(tx: Tx) -> bool:
    """End some of the reservations whose time is over; whether there were any."""
    now = clock.now()
    if not await queries.get_overdue(tx, now):
        return False
    await counters.lock_state(tx, [], now)
    return True


def _reservation(row: Any) -> Reservation:
    return Reservation(**{name: getattr(row, name) for name in Reservation.__slots__})
