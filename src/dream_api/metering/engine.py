"""The metering engine: one per process."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from dream_api import catalog, customers, usage
from dream_api.catalog import Plans
from dream_api.core.cache import Cache, CacheInvalidator
from dream_api.core.db import Database
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.customers import Customer, CustomerBlocked
from dream_api.keys import Key
from dream_api.metering import batch_transaction, queue, responses
from dream_api.metering.calls import CallResult, QueuedCall, ResultCallback, UsageCall
from dream_api.metering.charges import with_open_period
from dream_api.metering.open_limits import PlatformPlan
from dream_api.metering.platform_levels import PlatformPlanCache
from dream_api.platforms import Mode, SaasProjectRequired
from dream_api.usage import Admitted, Increment

_PROJECTS = 10_000
_CUSTOMERS = 50_000

# Nothing was ever counted for a customer who does not exist; number 0 is the platform itself.
_UNKNOWN = Customer(-1, "active", None, None, None)

# Errors of metered calls, as well as SECRET_KEY_ERRORS.
METERING_ERRORS: tuple[type[AppError], ...] = (
    SaasProjectRequired,
    CustomerBlocked,
    catalog.NoPlan,
    catalog.UnknownPlan,
    responses.TierLimitReached,
    responses.LevelLimitReached,
)

# The tiers of a key's project and mode, and the level of its platform; no level binds test mode and the operator.
CallTerms = tuple[Plans, PlatformPlan | None]


class HasPlans(Protocol):
    """A project and mode: a key, or somebody who works there."""

    @property
    def platform_id(self) -> str: ...
    @property
    def platform_no(self) -> int: ...
    @property
    def project_id(self) -> str: ...
    @property
    def project_no(self) -> int: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def plans_name(self) -> str: ...


class MeteringEngine:
    """Counts usage calls: one transaction at a time, for all calls that wait."""

    def __init__(self, database: Database, changes: CacheInvalidator, *, home_mode: Mode, queue_size: int) -> None:
        self._database = database
        self._changes = changes
        self.plans = Cache[Plans](catalog.CACHE_KIND, size=_PROJECTS)
        self.customers = Cache[Customer](customers.CACHE_KIND, size=_CUSTOMERS)
        self._levels = PlatformPlanCache(database, self.plans, home_mode)
        changes.register(self.plans, self.customers, self._levels.platforms)
        self._queue = queue.Queue(database, self.customers, size=queue_size)

    async def start(self) -> None:
        await self._levels.start()

    async def stop(self) -> None:
        """Count all waiting calls, then stop."""
        await self._queue.drain()

    def cached_plans(self, key: HasPlans, plan: str | None = None) -> Plans | None:
        """As `get_plans`, from the cache alone; None where the database must be asked."""
        known = self.plans.get(key.plans_name) if self._changes.is_fresh else None
        return known if known is not None and (plan is None or plan in known.by_name) else None

    async def get_plans(self, key: HasPlans, plan: str | None = None) -> Plans:
        """The tiers of the key's project and mode; read again where `plan` is not among the cached ones.

        So a tier that another process has just made is known at once, and only its change takes up to a second.
        """
        known = self.cached_plans(key, plan)
        if known is not None:
            return known

        async def load() -> Plans:
            async with self._database.read() as tx:
                return await catalog.load_plans(tx, key.platform_no, key.project_id, key.project_no, key.mode)

        plans = await self.plans.get_or_load(key.plans_name, load, reload=plan is not None)
        assert plans is not None
        return plans

    def cached_terms(self, key: Key, plan: str | None = None) -> CallTerms | None:
        """As `get_terms`, from the cache alone; None where the database must be asked."""
        plans = self.cached_plans(key, plan)
        if plans is None or not self._levels.binds(key):
            return None if plans is None else (plans, None)
        level = self._levels.cached(key)
        return None if level is None else (plans, level)

    async def get_terms(self, key: Key, plan: str | None = None) -> CallTerms:
        """What a metered call with this key is counted and limited by."""
        plans = await self.get_plans(key, plan)
        return plans, await self._levels.get(key) if self._levels.binds(key) else None

    def submit(self, call: UsageCall, on_result: ResultCallback) -> None:
        """Have the call counted; `on_result` is called once, after the commit."""
        known = self.customers.get(call.customer_cache_key) if self._changes.is_fresh else None
        self._queue.submit(QueuedCall(call, on_result, known))

    async def count(self, call: UsageCall) -> CallResult:
        """The committed result of the call, admitted or refused at a limit; raises all other errors."""
        done: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()

        def deliver(result: CallResult | AppError) -> None:
            if done.done():
                return  # the client went away; its call counts all the same
            if isinstance(result, CallResult):
                done.set_result(result)
            else:
                done.set_exception(result)

        self.submit(call, deliver)
        return await done

    async def count_all(self, calls: Sequence[UsageCall | AppError]) -> list[CallResult | AppError]:
        """The result of each call, in their order; errors among the calls are returned as they are."""
        results: list[CallResult | AppError | None] = [call if isinstance(call, AppError) else None for call in calls]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        open_calls = results.count(None)

        def deliver(place: int, result: CallResult | AppError) -> None:
            nonlocal open_calls
            results[place] = result
            open_calls -= 1
            if open_calls == 0 and not done.done():
                done.set_result(None)

        are_known = self._changes.is_fresh
        waiting = [
            QueuedCall(
                call, partial(deliver, place), self.customers.get(call.customer_cache_key) if are_known else None
            )
            for place, call in enumerate(calls)
            if isinstance(call, UsageCall)
        ]
        if waiting:
            self._queue.submit_all(waiting)
            await done
        return [result for result in results if result is not None]

    async def peek(self, call: UsageCall) -> CallResult:
        """The present counts of the call's limits; nothing is counted."""
        async with self._database.read() as tx:
            found = await customers.find_many(tx, [call.customer_key])
            waiting = QueuedCall(call, lambda _: None, found.get(call.customer_key) or _UNKNOWN)

            async def read(charges: tuple[Increment, ...]) -> Admitted:
                return Admitted(await usage.get_limit_statuses(tx, charges[0]))

            return batch_transaction.admitted_result(waiting, await with_open_period(waiting, read))


def build_call(
    key: Key,
    terms: CallTerms,
    *,
    user_id: str,
    plan: str | None = None,
    plan_param: str = "X-User-Plan",
    meter: str = usage.REQUESTS,
    quantity: int = 1,
    subject: str | None = None,
    timestamp: int | None = None,
    idempotency_key: str | None = None,
    item: int = 0,
) -> UsageCall:
    """The call with its plan and meter; raises for unknown ones, for keys of a store, and where the meter does not
    take such a quantity or subject."""
    if key.project_type != "saas":
        raise SaasProjectRequired("Only saas projects meter usage, and this key belongs to a store.")
    plans, level = terms
    found = plans.meters.get(meter)
    if found is None:
        known = ", ".join(sorted(plans.meters))
        raise usage.UnknownMeter(f"There is no such meter; the project's meters are: {known}.", param="meter")
    by_header = plans.find(plan, param=plan_param) if plan is not None else None
    if found.aggregation == "distinct":
        if quantity != 1:
            raise usage.QuantityOutOfRange(
                "A call to a distinct meter always counts one subject.", param="quantity", hint=_ONE
            )
        subject = subject or user_id
    elif subject is not None:
        raise ValidationFailed(
            "This meter adds up quantities and does not count subjects.", param="subject", hint=_NO_SUBJECT
        )
    return UsageCall(key, plans, level, by_header, user_id, found, quantity, subject, timestamp, idempotency_key, item)


_ONE = "Leave out quantity, and send one call for each subject."
_NO_SUBJECT = "Leave out subject, or use a meter with the aggregation distinct."
