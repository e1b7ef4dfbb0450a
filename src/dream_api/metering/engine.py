"""The gate: one per process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256

from dream_api import accounts, catalog, customers, keys, platforms, usage
from dream_api.accounts import PersonalToken, Session
from dream_api.auth.credential_cache import Holders
from dream_api.auth.principals import Acting
from dream_api.auth.token_roles import load_token
from dream_api.catalog import Plans
from dream_api.core import clock
from dream_api.core.cache import Cache, Changes
from dream_api.core.db import Database
from dream_api.core.errors import Forbidden, OutcomeUnknown, Overloaded, Refusal, StorageUnavailable, ValidationFailed
from dream_api.core.ratelimit import RateLimited
from dream_api.customers import Customer, CustomerBlocked
from dream_api.keys import Key
from dream_api.metering import batch_transaction, queue, responses
from dream_api.metering.calls import Metered, Outcome, Tell, Waiting
from dream_api.metering.charges import charged
from dream_api.metering.open_limits import Level, keep
from dream_api.metering.platform_levels import Levels
from dream_api.platforms import Mode, Project
from dream_api.usage import Admitted, Charge

_KEYS = 20_000
_UNKNOWN_KEYS = 10_000
_TOKENS = 10_000
_PROJECTS = 10_000
_CUSTOMERS = 50_000


class SecretKeyRequired(Forbidden):
    code = "secret_key_required"
    hint = "Call this from your server with the project's sk_ key; never put one into a browser."


class SaasOnly(Forbidden):
    code = "saas_only"
    hint = "Meter calls with the keys of a saas project; a store sells goods."


# Nothing was ever counted of a customer who is not there; 0 is the platform itself.
_UNKNOWN = Customer(-1, "active", None, None, None)

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
    responses.TierLimitReached,
    responses.LevelLimitReached,
)

# The tiers of a key's project and mode, and the level of its platform; no level binds test mode and the operator.
Terms = tuple[Plans, Level | None]


class Gate:
    """Knows callers by their keys, and counts their calls one transaction at a time."""

    def __init__(self, database: Database, *, home_mode: Mode, queue_size: int) -> None:
        self.database = database
        self.plans = Cache[Plans](catalog.CACHE_KIND, size=_PROJECTS)
        self.projects = Cache[Project](platforms.CACHE_KIND, size=_PROJECTS)
        self.customers = Cache[Customer](customers.CACHE_KIND, size=_CUSTOMERS)
        self.levels = Levels(database, self.plans, home_mode)
        self.changes = Changes(database, [self.plans, self.projects, self.customers, self.levels.platforms])
        self.keys = Holders(keys.CACHE_KIND, database, self.changes, keys.load, size=_KEYS, unknown_size=_UNKNOWN_KEYS)
        self.tokens = Holders(
            accounts.CACHE_KIND, database, self.changes, load_token, size=_TOKENS, unknown_size=_UNKNOWN_KEYS
        )
        self.sessions = Holders(
            accounts.SESSION_KIND,
            database,
            self.changes,
            accounts.load_session,
            size=_TOKENS,
            unknown_size=_UNKNOWN_KEYS,
        )
        self._known_keys = self.keys.known
        self._used: dict[str, int] = {}
        self._queue = queue.Queue(database, self.customers, size=queue_size)

    async def start(self) -> None:
        await self.levels.start()
        await self.changes.start()

    async def stop(self) -> None:
        """Whatever waits is counted first."""
        await self._queue.drain()
        await self.changes.stop()

    def known_server(self, authorization: str | None) -> Key | None:
        """As `server`, from memory alone; None where the database must be asked."""
        token = authorization[7:] if authorization is not None and authorization[:7] == "Bearer " else ""
        key = self._known_keys.get(sha256(token.encode()).hexdigest()) if self.changes.are_known else None
        return None if key is None else _secret(keys.refuse_unusable(key, clock.now()))

    async def server(self, authorization: str | None) -> Key:
        """The secret key that a request came with; refuses all others and those not in force."""
        known = self.known_server(authorization)
        return known if known is not None else _secret(await self.key(authorization))

    async def key(self, authorization: str | None) -> Key:
        """The key that a request came with, whatever its kind; refuses personal tokens and keys not in force."""
        sent = accounts.sent_in(authorization)
        if sent is not None:
            await self.token(sent)
            raise SecretKeyRequired("This call needs a key of the project; a personal token was sent.", hint=_A_KEY)
        return keys.refuse_unusable(await self.keys.of(keys.well_formed(authorization)), clock.now())

    async def token(self, sent: str) -> PersonalToken:
        """The personal token with this text; refuses all else and those not in force."""
        return accounts.refuse_unusable(await self.tokens.of(accounts.well_formed(sent)), clock.now())

    async def session(self, sent: str) -> Session | None:
        """The session with this text, where it is open."""
        session = await self.sessions.of(sent) if accounts.is_session(sent) else None
        if session is None or not accounts.is_open(session, clock.now(), used_at=self._used.get(session.id, 0)):
            return None
        return session

    async def touch(self, token: PersonalToken) -> None:
        """Remember to the hour that the token was used; its caller need not care whether that succeeds."""
        await self._touch(token.id, token.last_used_at or 0, partial(accounts.touch, token=token))

    async def touch_session(self, session: Session) -> None:
        """As `touch`, for a session."""
        await self._touch(session.id, session.last_used_at, partial(accounts.touch_session, session_id=session.id))

    async def _touch(self, caller_id: str, used_at: int, write: Callable[..., Awaitable[None]]) -> None:
        now = clock.now()
        if max(used_at, self._used.get(caller_id, 0)) > now - clock.HOUR:
            return
        keep(self._used, caller_id, now)
        with suppress(Overloaded, StorageUnavailable, OutcomeUnknown):
            async with self.database.write() as tx:
                await write(tx, now=now)

    async def project(self, project_id: str) -> Project | None:
        """Whoever's it is."""

        async def load() -> Project | None:
            async with self.database.read() as tx:
                return await platforms.load_project(tx, project_id)

        known = self.projects.get(project_id) if self.changes.are_known else None
        return known or await self.projects.get_or_load(project_id, load)

    def known_plans(self, key: Key | Acting, plan: str | None = None) -> Plans | None:
        """As `plans_of`, from memory alone; None where the database must be asked."""
        known = self.plans.get(key.plans_name) if self.changes.are_known else None
        return known if known is not None and (plan is None or plan in known.by_name) else None

    async def plans_of(self, key: Key | Acting, plan: str | None = None) -> Plans:
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

    def known_terms(self, key: Key, plan: str | None = None) -> Terms | None:
        """As `terms_of`, from memory alone; None where the database must be asked."""
        plans = self.known_plans(key, plan)
        if plans is None or not self.levels.binds(key):
            return None if plans is None else (plans, None)
        level = self.levels.known(key)
        return None if level is None else (plans, level)

    async def terms_of(self, key: Key, plan: str | None = None) -> Terms:
        """What a metered call with this key is counted and limited by."""
        plans = await self.plans_of(key, plan)
        return plans, await self.levels.of(key) if self.levels.binds(key) else None

    def submit(self, call: Metered, tell: Tell) -> None:
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

    async def count_all(self, calls: Sequence[Metered | Refusal]) -> list[Outcome | Refusal]:
        """What became of each call, in their order; those that are refusals already stay what they are."""
        results: list[Outcome | Refusal | None] = [call if isinstance(call, Refusal) else None for call in calls]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        open_calls = results.count(None)

        def tell(place: int, result: Outcome | Refusal) -> None:
            nonlocal open_calls
            results[place] = result
            open_calls -= 1
            if open_calls == 0 and not done.done():
                done.set_result(None)

        are_known = self.changes.are_known
        waiting = [
            Waiting(call, partial(tell, place), self.customers.get(call.customer_name) if are_known else None)
            for place, call in enumerate(calls)
            if isinstance(call, Metered)
        ]
        if waiting:
            self._queue.submit_all(waiting)
            await done
        return [result for result in results if result is not None]

    async def peek(self, call: Metered) -> Outcome:
        """How the call's limits stand; nothing is counted."""
        async with self.database.read() as tx:
            found = await customers.find_many(tx, [call.wanted])
            waiting = Waiting(call, lambda _: None, found.get(call.wanted) or _UNKNOWN)

            async def read(charges: tuple[Charge, ...]) -> Admitted:
                return Admitted(await usage.standings(tx, charges[0], clock.now()))

            return batch_transaction.admitted(waiting, await charged(waiting, read))


def metered(
    key: Key,
    terms: Terms,
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
) -> Metered:
    """The call with its plan and meter found; refuses unknown ones, a store's keys, and what fits no such meter."""
    if key.project_type != "saas":
        raise SaasOnly("Calls are metered for saas projects; this key belongs to a store.")
    plans, level = terms
    found = plans.meters.get(meter)
    if found is None:
        known = ", ".join(sorted(plans.meters))
        raise usage.UnknownMeter(f"There is no such meter; the project's meters are: {known}.", param="meter")
    by_header = plans.named(plan, param=plan_param) if plan is not None else None
    if found.aggregation == "distinct":
        if quantity != 1:
            raise usage.QuantityOutOfRange("A distinct meter counts one subject a call.", param="quantity", hint=_ONE)
        subject = subject or user_id
    elif subject is not None:
        raise ValidationFailed("The meter sums quantities, and counts no subjects.", param="subject", hint=_NO_SUBJECT)
    return Metered(key, plans, level, by_header, user_id, found, quantity, subject, timestamp, idempotency_key, item)


_ONE = "Leave quantity out; send another call for each subject."
_NO_SUBJECT = "Leave subject out, or count on a meter whose aggregation is distinct."


_A_KEY = "Send the sk_ key of the project instead; personal tokens are for what developers do themselves."


def _secret(key: Key) -> Key:
    if not key.is_secret:
        raise SecretKeyRequired("This call needs a secret key; a publishable one was sent.")
    return key
