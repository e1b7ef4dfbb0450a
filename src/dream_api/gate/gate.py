"""The gate: one per process."""

import asyncio
from collections.abc import Callable
from hashlib import sha256

from dream_api import catalog, customers, keys, usage
from dream_api.catalog import Plans
from dream_api.core import clock
from dream_api.core.cache import Cache, Changes
from dream_api.core.db import Database
from dream_api.core.errors import (
    Forbidden,
    OutcomeUnknown,
    Overloaded,
    Refusal,
    StorageUnavailable,
    ValidationFailed,
)
from dream_api.core.rates import RateLimited
from dream_api.customers import Customer, CustomerBlocked
from dream_api.gate import answering, batching
from dream_api.gate.calls import Metered, Outcome, Waiting
from dream_api.gate.opening import Windows
from dream_api.keys import Key

_KEYS = 20_000
_UNKNOWN_KEYS = 10_000
_PROJECTS = 10_000
_CUSTOMERS = 50_000


class SecretKeyRequired(Forbidden):
    code = "secret_key_required"
    hint = "Call this from your server with the project's sk_ key; never put one into a browser."


class SaasOnly(Forbidden):
    code = "saas_only"
    hint = "Meter calls with the keys of a saas project; a store sells goods."


# What a call with a secret key can be refused for, wherever it goes.
SERVER_REFUSALS: tuple[type[Refusal], ...] = (
    *keys.REFUSALS,
    SecretKeyRequired,
    RateLimited,
    ValidationFailed,
    Overloaded,
    StorageUnavailable,
    OutcomeUnknown,
)
# What a metered call can be refused for as well.
REFUSALS: tuple[type[Refusal], ...] = (
    *SERVER_REFUSALS,
    SaasOnly,
    CustomerBlocked,
    catalog.NoPlan,
    catalog.UnknownPlan,
    answering.TierLimitReached,
)


class Gate:
    """Knows callers by their keys, and counts their calls one transaction at a time."""

    def __init__(self, database: Database, *, queue_size: int) -> None:
        self.database = database
        self.keys = Cache[Key](keys.CACHE_KIND, size=_KEYS)
        # Well-formed keys that do not exist, so that a flood of one asks the database once.
        self.unknown_keys = Cache[bool](keys.CACHE_KIND, size=_UNKNOWN_KEYS)
        self.plans = Cache[Plans](catalog.CACHE_KIND, size=_PROJECTS)
        self.customers = Cache[Customer](customers.CACHE_KIND, size=_CUSTOMERS)
        self.changes = Changes(database, [self.keys, self.unknown_keys, self.plans, self.customers])
        self._queue = batching.Queue(database, self.customers, size=queue_size)

    async def start(self) -> None:
        await self.changes.start()

    async def stop(self) -> None:
        """Whatever waits is counted first."""
        await self._queue.drain()
        await self.changes.stop()

    def known_server(self, authorization: str | None) -> Key | None:
        """As `server`, from memory alone; None where the database must be asked."""
        token = authorization[7:] if authorization is not None and authorization[:7] == "Bearer " else ""
        key = self.keys.get(sha256(token.encode()).hexdigest()) if self.changes.are_known else None
        return None if key is None else _secret(keys.refuse_unusable(key, clock.now()))

    async def server(self, authorization: str | None) -> Key:
        """The secret key that a request came with; refuses all others and those not in force."""
        known = self.known_server(authorization)
        if known is not None:
            return known
        token = keys.well_formed(authorization)
        hashed = sha256(token.encode())
        name = hashed.hexdigest()

        async def load() -> Key | None:
            read_at = self.unknown_keys.version
            async with self.database.read() as tx:
                key = await keys.load(tx, hashed.digest())
            if key is None:
                self.unknown_keys.put(name, True, read_at=read_at)
            return key

        is_unknown = self.changes.are_known and self.unknown_keys.get(name)
        key = None if is_unknown else await self.keys.get_or_load(name, load)
        return _secret(keys.refuse_unusable(key, clock.now()))

    def known_plans(self, key: Key, plan: str | None = None) -> Plans | None:
        """As `plans_of`, from memory alone; None where the database must be asked."""
        known = self.plans.get(key.plans_name) if self.changes.are_known else None
        return known if known is not None and (plan is None or plan in known.by_name) else None

    async def plans_of(self, key: Key, plan: str | None = None) -> Plans:
        """The tiers of the key's project and mode; read anew where `plan` is not among those remembered.

        So a tier that another process has just made is known at once, and only its change takes up to a second.
        """
        known = self.known_plans(key, plan)
        if known is not None:
            return known

        async def load() -> Plans:
            async with self.database.read() as tx:
                return await catalog.load(
                    tx, key.platform_id, key.platform_no, key.project_id, key.project_no, key.mode
                )

        plans = await self.plans.get_or_load(key.plans_name, load, anew=plan is not None)
        assert plans is not None
        return plans

    def submit(self, call: Metered, tell: Callable[[Outcome | Refusal], None]) -> None:
        """Have the call counted; `tell` is called once, after the commit."""
        known = self.customers.get(call.customer_name) if self.changes.are_known else None
        self._queue.submit(Waiting(call, tell, known))

    async def count(self, call: Metered) -> Outcome:
        """Counted and committed, or refused at a limit (see the outcome); other refusals are raised."""
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def tell(result: Outcome | Refusal) -> None:
            if told.done():
                return  # the client went away; its call counts all the same
            if isinstance(result, Outcome):
                told.set_result(result)
            else:
                told.set_exception(result)

        self.submit(call, tell)
        return await told

    async def peek(self, call: Metered) -> Outcome:
        """How the call's limits stand; nothing is counted."""
        now = clock.now()
        async with self.database.read() as tx:
            found = await customers.find_many(tx, [call.wanted])
            customer = found.get(call.wanted) or Customer(0, "active", None, None, None)
            customers.refuse_inactive(customer.status)
            plan = call.plan or call.plans.of_customer(customer.plan)
            windows = Windows(now)
            opened = windows.of(plan, call.meter, customer, now)
            asked = batching.usage_call(call, customer, opened, windows.hour, is_newcomer=customer.no == 0)
            standings = await usage.standings(tx, asked)
        return Outcome(True, opened, standings, answering.shown_place(standings))


def metered(
    key: Key,
    plans: Plans,
    *,
    user_id: str,
    plan: str | None = None,
    meter: str = usage.REQUESTS,
    quantity: int = 1,
    idempotency_key: str | None = None,
) -> Metered:
    """The call with its plan and meter found; refuses unknown ones, and the keys of a store."""
    if key.project_type != "saas":
        raise SaasOnly("Calls are metered for saas projects; this key belongs to a store.")
    found = plans.meters.get(meter)
    if found is None:
        known = ", ".join(sorted(plans.meters))
        raise usage.UnknownMeter(f"There is no such meter; the project's meters are: {known}.", param="meter")
    by_header = plans.named(plan) if plan is not None else None
    return Metered(key, plans, by_header, user_id, found, quantity, idempotency_key)


def _secret(key: Key) -> Key:
    if not key.is_secret:
        raise SecretKeyRequired("This call needs a secret key; a publishable one was sent.")
    return key
