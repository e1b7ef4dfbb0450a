"""Reservations of usage: one transaction each, outside the queue of metered calls."""

import dataclasses

from dream_api import customers, usage, webhooks
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.customers import Customer
from dream_api.keys import Key
from dream_api.metering import batch_transaction, responses, threshold_events
from dream_api.metering.calls import CallResult, QueuedCall, UsageCall
from dream_api.metering.charges import with_open_period
from dream_api.metering.engine import CallTerms
from dream_api.platforms import ProjectScope
from dream_api.usage import Admitted, Call, Counted, Increment, Reservation


async def reserve(tx: Tx, call: UsageCall, ttl_seconds: int) -> tuple[Reservation, CallResult]:
    """Reserve the call's quantity, and create the customer where there is none; raises where a limit is reached."""
    if call.subject is not None:
        raise ValidationFailed(
            "Subjects of a distinct meter cannot be reserved.",
            param="meter",
            hint="Count the subject with POST /api/data.",
        )
    key = call.key
    customer, is_new_customer = await _get_or_create_customer(tx, call)
    waiting = QueuedCall(call, lambda _: None, customer)

    async def hold(charges: tuple[Increment, ...]) -> tuple[Reservation, CallResult]:
        counted = Call(charges, is_new_customer=is_new_customer)
        reservation, verdict = await usage.reserve(
            tx,
            counted,
            project_no=key.project_no,
            mode=key.mode_no,
            plan=None if call.plan is None else call.plan.name,
            ttl_seconds=ttl_seconds,
        )
        if not isinstance(verdict, Admitted):
            result = batch_transaction.refused_result(waiting, verdict, counted)
            raise responses.limit_error(result) if isinstance(result, CallResult) else result
        assert reservation is not None
        return reservation, batch_transaction.admitted_result(waiting, verdict)

    return await with_open_period(waiting, hold)


async def _get_or_create_customer(tx: Tx, call: UsageCall) -> tuple[Customer, bool]:
    """The customer, and whether it was created just now."""
    found = await customers.find_many(tx, [call.customer_key])
    if call.customer_key in found:
        return found[call.customer_key], False
    row, is_new_customer = await customers.get_or_create(
        tx, _scope(call.key), call.user_id, now=clock.now() + call.plans.ahead
    )
    return _customer(row), is_new_customer


async def settle(
    tx: Tx, key: Key, terms: CallTerms, reservation_id: str, quantity: int
) -> tuple[Reservation, str, CallResult]:
    """Count the used quantity of a reservation; also returns the name of its meter."""
    plans, level = terms
    reservation = await usage.find_reservation(tx, key.platform_no, key.project_no, key.mode_no, reservation_id)
    row = await customers.find_by_number(tx, _scope(key), reservation.customer_no)
    meter = next(meter for meter in plans.meters.values() if meter.no == reservation.meter_no)
    call = UsageCall(key, plans, level, plans.by_name.get(reservation.plan or ""), row.user_id, meter, quantity)
    # What was promised is kept, also to one who was blocked meanwhile.
    customer = dataclasses.replace(_customer(row), status="active")
    waiting = QueuedCall(call, lambda _: None, customer)

    async def count(charges: tuple[Increment, ...]) -> Counted:
        return await usage.settle(tx, reservation, Call(charges, is_promised=True))

    counted = await with_open_period(waiting, count)
    if counted.crossings:
        await webhooks.record_events(tx, threshold_events.threshold_events(counted.crossings, [waiting], clock.now()))
    [verdict] = counted.verdicts
    if not isinstance(verdict, Admitted):
        assert isinstance(verdict, usage.Overflowing)
        raise usage.CountTooLarge("The count would be 2^53 or more.", param="quantity")
    return reservation, meter.name, batch_transaction.admitted_result(waiting, verdict)


def _scope(key: Key) -> ProjectScope:
    return ProjectScope(key.platform_no, key.project_id, key.mode)


def _customer(row: object) -> Customer:
    return Customer(**{name: getattr(row, name) for name in Customer.__slots__})
