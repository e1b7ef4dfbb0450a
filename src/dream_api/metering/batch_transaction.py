"""The transaction that counts one batch of calls."""

from dream_api import customers, keys, usage, webhooks
from dream_api.core import clock
from dream_api.core.db import RawTransaction
from dream_api.core.errors import AppError
from dream_api.core.idempotency import IdempotencyMismatch
from dream_api.customers import Customer, CustomerKey, NewCustomer
from dream_api.keys import Key
from dream_api.metering import responses, threshold_events
from dream_api.metering.calls import CallResult, QueuedCall
from dream_api.metering.charges import IncrementBuilder
from dream_api.usage import (
    Admitted,
    BelowZero,
    Call,
    Mismatched,
    Overflowing,
    PeriodClosed,
    Refused,
    Repeated,
    Replayed,
    Verdict,
)

# How exactly a key's last use is known: it costs a write.
_USED_EVERY = clock.HOUR
# The customer's own charge, the platform's request and its active user.
_WITH_ACTIVE_USER = 3
Result = CallResult | AppError


class BatchTransaction:
    """One attempt to count a batch; its attributes are valid once the transaction is committed."""

    def __init__(
        self,
        batch: list[QueuedCall],
        openings: IncrementBuilder,
        now: int,
        last_used: dict[str, int],
        *,
        releases: bool,
    ) -> None:
        self._batch = batch
        self._openings = openings
        self._now = now
        self._last_used = last_used
        # Whether reservations whose time is over are released first.
        self.releases = releases
        self.used: dict[str, int] = {}
        # Those whose customers were active for the first time in this hour, as far as is known.
        self.active: list[QueuedCall] = []
        # Those whose customer was not remembered.
        self.met: list[QueuedCall] = []
        self._new_customers: dict[CustomerKey, NewCustomer] = {}

    async def run(self, tx: RawTransaction) -> list[Result]:
        await self._meet_customers(tx)
        results: list[Result | None] = [None] * len(self._batch)
        calls: list[Call] = []
        places: list[int] = []
        for place, waiting in enumerate(self._batch):
            try:
                calls.append(self._call_of(waiting))
                places.append(place)
            except AppError as error:
                results[place] = error
        enrolled: set[CustomerKey] = set()
        if calls:
            enrolled = await self._count(tx, calls, places, results)
        for waiting in self.met:
            if waiting.is_new_customer and waiting.call.customer_key not in enrolled:
                waiting.customer = None  # the number goes to somebody else
        return [result for result in results if result is not None]

    async def _count(
        self, tx: RawTransaction, calls: list[Call], places: list[int], results: list[Result | None]
    ) -> set[CustomerKey]:
        """Fill in the results; returns the keys of the customers that were created."""
        batch = self._batch

        def storable(at: int, verdict: Admitted) -> str:
            return responses.serialize_result(admitted_result(batch[places[at]], verdict))

        try:
            counted = await usage.count(tx, calls, storable, expired_at=self._now if self.releases else None)
        except PeriodClosed as late:
            for at, closings in late.closings.items():
                batch[places[at]].postpone(closings)
                batch[places[at]].customer = None  # what is remembered may be older than the closing
            raise
        used: list[Key] = []
        admitted_nos: set[tuple[int, int]] = set()
        for place, call, verdict in zip(places, calls, counted.verdicts, strict=True):
            if type(verdict) is Admitted:
                used.append(batch[place].call.key)
                if len(call.charges) == _WITH_ACTIVE_USER:
                    self.active.append(batch[place])
                if call.is_new_customer:
                    admitted_nos.add(call.charges[0].life[:2])
                results[place] = admitted_result(batch[place], verdict)
            elif type(verdict) is Repeated:
                results[place] = results[places[verdict.of]]
            else:
                results[place] = refused_result(batch[place], verdict, call)
        await self._touch_keys(tx, used)
        if counted.crossings:
            await webhooks.record_events(
                tx, threshold_events.threshold_events(counted.crossings, [batch[place] for place in places], self._now)
            )
        return await self._enroll(tx, admitted_nos)

    async def _meet_customers(self, tx: RawTransaction) -> None:
        self.met = [w for w in self._batch if w.customer is None or w.is_new_customer]
        if not self.met:
            return
        wanted = [waiting.call.customer_key for waiting in self.met]
        found = await customers.find_many(tx, wanted)
        missing = [waiting for waiting in self.met if waiting.call.customer_key not in found]
        if missing:
            last = await customers.last_numbers(tx, {w.call.key.platform_no for w in missing})
            if tx.locks_rows:  # somebody else may have made them before the numbers were ours
                found |= await customers.find_many(tx, wanted)
            self._number(missing, found, last)
        for waiting in self.met:
            new = self._new_customers.get(waiting.call.customer_key)
            waiting.is_new_customer = new is not None
            waiting.customer = found[waiting.call.customer_key] if new is None else new.customer

    def _number(self, missing: list[QueuedCall], found: dict[CustomerKey, Customer], last: dict[int, int]) -> None:
        for waiting in missing:
            who = waiting.call.customer_key
            if who not in found and who not in self._new_customers:
                platform_no = waiting.call.key.platform_no
                last[platform_no] += 1
                customer = Customer(last[platform_no], "active", None, None, None)
                self._new_customers[who] = NewCustomer(customer, self._now + waiting.call.plans.ahead)

    def _call_of(self, waiting: QueuedCall) -> Call:
        customer = waiting.customer
        assert customer is not None
        call = waiting.call
        waiting.opened, charges, waiting.level = self._openings.build(call, customer, self._now, waiting.closings)
        return Call(charges, call.event_key, call.fingerprint, waiting.is_new_customer)

    async def _enroll(self, tx: RawTransaction, admitted_nos: set[tuple[int, int]]) -> set[CustomerKey]:
        """Create the customers of first admitted calls; one whose calls were all refused is not created."""
        if not admitted_nos:
            return set()
        fresh = {who: new for who, new in self._new_customers.items() if (who[0], new.customer.no) in admitted_nos}
        await customers.bulk_create(tx, fresh)
        return set(fresh)

    async def _touch_keys(self, tx: RawTransaction, admitted: list[Key]) -> None:
        stale = self._now - _USED_EVERY
        used: dict[str, int] = {}
        for key in admitted:
            if max(key.last_used_at or 0, self._last_used.get(key.id, 0)) < stale:
                used[key.id] = key.platform_no
        if used:
            await keys.touch(tx, sorted((platform_no, key_id, self._now) for key_id, platform_no in used.items()))
            self.used = dict.fromkeys(used, self._now)


def admitted_result(waiting: QueuedCall, verdict: Admitted) -> CallResult:
    assert waiting.opened is not None
    shown = responses.binding_limit_index(verdict.standings)
    return CallResult(True, waiting.opened, verdict.standings, shown, ahead=waiting.call.plans.ahead)


def refused_result(waiting: QueuedCall, verdict: Verdict, call: Call) -> Result:
    """The result of a call that was not counted in this transaction."""
    match verdict:
        case Refused():
            shown = responses.binding_limit_index(verdict.standings, verdict.by)
            opened = waiting.opened
            if verdict.charge > 0:
                opened = threshold_events.current_level_limits(waiting, verdict.charge, call.charges[verdict.charge])
            assert opened is not None
            ahead = waiting.call.plans.ahead
            return CallResult(False, opened, verdict.standings, shown, is_of_level=verdict.charge > 0, ahead=ahead)
        case Replayed():
            return responses.deserialize_result(verdict.answer, waiting.call.plans.ahead)
        case Mismatched():
            return IdempotencyMismatch("This idempotency key was used before for something else.")
        case BelowZero():
            return usage.CorrectionBelowZero(
                f"The current count is {verdict.count}, so you cannot subtract more.", param="quantity"
            )
        case Overflowing():
            return usage.CountTooLarge("The count would be 2^53 or more.", param="quantity")
        case Admitted() | Repeated():
            raise AssertionError(verdict)
