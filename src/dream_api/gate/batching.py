"""The queue of waiting calls, and the one transaction in which all of them are counted."""

import asyncio

import structlog

from dream_api import customers, keys, usage
from dream_api.core import clock, metrics
from dream_api.core.cache import Cache
from dream_api.core.db import BatchTx, Database, is_contention
from dream_api.core.errors import InternalError, Overloaded, Refusal
from dream_api.core.idempotency import IdempotencyMismatch
from dream_api.customers import Customer, Wanted
from dream_api.gate import answering
from dream_api.gate.calls import Metered, Outcome, Waiting
from dream_api.gate.opening import Opened, Windows
from dream_api.keys import Key
from dream_api.usage import Admitted, Call, Mismatched, Overflowing, Refused, Repeated, Replayed, Verdict

_LARGEST_BATCH = 512
_TRIES = 5
# How exactly a key's last use is known: it costs a write.
_USED_EVERY = clock.HOUR
_Result = Outcome | Refusal

log = structlog.get_logger()


class Queue:
    """Calls wait here for their turn; the next transaction takes all that wait, in their order of arrival."""

    def __init__(self, database: Database, known: Cache[Customer], *, size: int) -> None:
        self._database = database
        self._known = known
        self._size = size
        self._waiting: list[Waiting] = []
        self._counting: asyncio.Task[None] | None = None
        self._windows = Windows(clock.now())
        # When this process last wrote that a key was used.
        self._used: dict[str, int] = {}

    def submit(self, waiting: Waiting) -> None:
        """The call's `tell` is called once, with what became of it."""
        if len(self._waiting) >= self._size:
            raise Overloaded("Too many metered calls wait for their turn.")
        self._waiting.append(waiting)
        if self._counting is None:
            self._counting = asyncio.get_running_loop().create_task(self._count_all())

    async def drain(self) -> None:
        """Returns when nothing waits any more."""
        while self._counting is not None:
            await asyncio.wait([self._counting])

    async def _count_all(self) -> None:
        try:
            while self._waiting:
                # One look at the sockets first: what has arrived by now is counted in this transaction, not in the
                # next. Measured at 64 connections: batches of 64 instead of 32, a third more calls a second.
                await asyncio.sleep(0)
                batch = self._waiting[:_LARGEST_BATCH]
                del self._waiting[:_LARGEST_BATCH]
                metrics.batches.observe(len(batch))
                metrics.waiting.set(len(self._waiting))
                await self._count_batch(batch)
        finally:
            self._counting = None

    async def _count_batch(self, batch: list[Waiting]) -> None:
        try:
            results = await self._commit(batch)
        except Refusal as refusal:
            results = [refusal] * len(batch)
        except Exception:
            log.exception("batch_failed", calls=len(batch))
            results = [InternalError("The calls could not be counted.")] * len(batch)
        for waiting, result in zip(batch, results, strict=True):
            try:
                waiting.tell(result)
            except Exception:  # one connection's trouble is not its neighbours'
                log.exception("answer_failed")

    async def _commit(self, batch: list[Waiting]) -> list[_Result]:
        """Count the batch; where another process was in the way, anew."""
        for _ in range(_TRIES):
            now, read_at = clock.now(), self._known.version
            attempt = _Attempt(batch, self._open_windows(now), now, self._used)
            try:
                async with self._database.batch() as tx:
                    results = await attempt.run(tx)
            except Exception as problem:
                if not is_contention(problem):
                    raise
                continue
            for waiting in attempt.met:
                if waiting.customer is not None:
                    self._known.put(waiting.call.customer_name, waiting.customer, read_at=read_at)
            self._used |= attempt.used
            return results
        raise Overloaded("Other processes were in the way too often.")

    def _open_windows(self, now: int) -> Windows:
        if not self._windows.are_open_at(now):
            self._windows = Windows(now)
        return self._windows


class _Attempt:
    """One try at counting a batch."""

    def __init__(self, batch: list[Waiting], windows: Windows, now: int, last_used: dict[str, int]) -> None:
        self._batch = batch
        self._windows = windows
        self._now = now
        self._last_used = last_used
        self.used: dict[str, int] = {}
        # Those whose customer was not remembered.
        self.met: list[Waiting] = []
        self._newcomers: dict[Wanted, Customer] = {}

    async def run(self, tx: BatchTx) -> list[_Result]:
        await self._meet_customers(tx)
        results: list[_Result | None] = [None] * len(self._batch)
        calls: list[Call] = []
        places: list[int] = []
        for place, waiting in enumerate(self._batch):
            try:
                calls.append(self._call_of(waiting))
                places.append(place)
            except Refusal as refusal:
                results[place] = refusal
        if calls:
            await self._count(tx, calls, places, results)
        return [result for result in results if result is not None]

    async def _count(self, tx: BatchTx, calls: list[Call], places: list[int], results: list[_Result | None]) -> None:
        batch = self._batch

        def storable(at: int, verdict: Admitted) -> str:
            return answering.stored(_admitted(batch[places[at]], verdict))

        verdicts = await usage.count(tx, calls, storable)
        for place, verdict in zip(places, verdicts, strict=True):
            results[place] = (
                results[places[verdict.of]] if isinstance(verdict, Repeated) else _result(batch[place], verdict)
            )
        await self._enroll(tx, calls, verdicts)
        await self._touch_keys(
            tx, [batch[at].call.key for at, verdict in zip(places, verdicts, strict=True) if type(verdict) is Admitted]
        )

    async def _meet_customers(self, tx: BatchTx) -> None:
        self.met = [w for w in self._batch if w.customer is None or w.is_newcomer]
        if not self.met:
            return
        wanted = [waiting.call.wanted for waiting in self.met]
        found = await customers.find_many(tx, wanted)
        missing = [waiting for waiting in self.met if waiting.call.wanted not in found]
        if missing:
            last = await customers.last_numbers(tx, {w.call.key.platform_no for w in missing})
            if tx.locks_rows:  # somebody else may have made them before the numbers were ours
                found |= await customers.find_many(tx, wanted)
            self._number(missing, found, last)
        for waiting in self.met:
            waiting.is_newcomer = waiting.call.wanted in self._newcomers
            waiting.customer = (self._newcomers if waiting.is_newcomer else found)[waiting.call.wanted]

    def _number(self, missing: list[Waiting], found: dict[Wanted, Customer], last: dict[int, int]) -> None:
        for waiting in missing:
            who = waiting.call.wanted
            if who not in found and who not in self._newcomers:
                platform_no = waiting.call.key.platform_no
                last[platform_no] += 1
                self._newcomers[who] = Customer(last[platform_no], "active", None, None, None)

    def _call_of(self, waiting: Waiting) -> Call:
        customer = waiting.customer
        assert customer is not None
        if customer.status != "active":
            customers.refuse_inactive(customer.status)
        call = waiting.call
        plan = call.plan or call.plans.of_customer(customer.plan)
        opened = waiting.opened = self._windows.of(plan, call.meter, customer, self._now)
        return usage_call(call, customer, opened, self._windows.hour, is_newcomer=waiting.is_newcomer)

    async def _enroll(self, tx: BatchTx, calls: list[Call], verdicts: list[Verdict]) -> None:
        """The first admitted call makes the customer; one who was only refused stays unknown."""
        if not self._newcomers:
            return
        admitted = {
            (call.platform_no, call.customer_no)
            for call, verdict in zip(calls, verdicts, strict=True)
            if isinstance(verdict, Admitted)
        }
        platform_nos = {w.call.key.platform_id: w.call.key.platform_no for w in self.met}
        fresh = {
            who: customer
            for who, customer in self._newcomers.items()
            if (platform_nos[who[0]], customer.no) in admitted
        }
        if fresh:
            await customers.enroll(tx, fresh, platform_nos)
        for waiting in self.met:
            if waiting.is_newcomer and waiting.call.wanted not in fresh:
                waiting.customer = None

    async def _touch_keys(self, tx: BatchTx, admitted: list[Key]) -> None:
        stale = self._now - _USED_EVERY
        used: dict[str, str] = {}
        for key in admitted:
            if max(key.last_used_at or 0, self._last_used.get(key.id, 0)) < stale:
                used[key.id] = key.platform_id
        if used:
            await keys.touch(tx, sorted((platform_id, key_id, self._now) for key_id, platform_id in used.items()))
            self.used = dict.fromkeys(used, self._now)


def usage_call(call: Metered, customer: Customer, opened: Opened, hour: int, *, is_newcomer: bool) -> Call:
    """The call as `usage` counts it: numbers, and the limits in force as values."""
    return Call(
        call.key.platform_no,
        customer.no,
        call.meter.no,
        call.quantity,
        opened.limits,
        hour,
        opened.period.starts_at,
        call.event,
        call.fingerprint,
        is_newcomer,
    )


def _admitted(waiting: Waiting, verdict: Admitted) -> Outcome:
    assert waiting.opened is not None
    return Outcome(True, waiting.opened, verdict.standings, answering.shown_place(verdict.standings))


def _result(waiting: Waiting, verdict: Admitted | Refused | Replayed | Mismatched | Overflowing) -> _Result:
    match verdict:
        case Admitted():
            return _admitted(waiting, verdict)
        case Refused():
            assert waiting.opened is not None
            shown = answering.shown_place(verdict.standings, verdict.by)
            return Outcome(False, waiting.opened, verdict.standings, shown)
        case Replayed():
            return answering.restored(verdict.answer)
        case Mismatched():
            return IdempotencyMismatch("This idempotency key was used before for something else.")
        case Overflowing():
            return usage.CountTooLarge("The count would pass 2^53.", param="quantity")
