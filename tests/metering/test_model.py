"""A whole instance beside a plain Python model: whatever is done to both, they must agree."""

import asyncio
import contextlib
import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from dream_api import customers, platforms, usage
from dream_api.app import integrity_checks
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.core.errors import AppError
from dream_api.core.integrity import run_check
from dream_api.core.settings import Settings
from dream_api.customers.tables import customers as customer_rows
from dream_api.metering import CallResult, build_call
from dream_api.platforms import Mode
from dream_api.usage import Window
from dream_api.webhooks.tables import events
from tests.metering.model import DISTINCT, Limits, Model, months_after
from tests.support.instance import Account, Instance, open_account, open_instance

pytestmark = pytest.mark.both

WINDOWS = ["lifetime", "hour", "day", "month", "period"]
MODES = st.sampled_from(["test", "live"])
USERS = st.sampled_from(["ada", "bob", "eve"])
SUMS = st.sampled_from(["requests", "tokens"])
TIERS = st.sampled_from(["free", "pro", "open"])
KEYS = st.one_of(st.none(), st.none(), st.sampled_from(["k1", "k2", "k3"]))
QUANTITIES = st.one_of(st.integers(1, 6), st.integers(-4, -1), st.just(10**9))
MAXIMA = st.one_of(st.none(), st.integers(0, 40))
HOURS = 3600 * 10**6
AGO = st.one_of(st.none(), st.none(), st.sampled_from([-240 * 10**6, -360 * 10**6, HOURS, 30 * HOURS, 12 * 24 * HOURS]))
CALLS = st.fixed_dictionaries(
    {
        "who": USERS,
        "meter": st.sampled_from(["requests", "requests", "tokens", DISTINCT]),
        "quantity": QUANTITIES,
        "plan": st.one_of(st.none(), TIERS),
        "subject": st.sampled_from([None, "phone", "watch"]),
        "ago": AGO,
        "key": KEYS,
    }
)
Call = dict[str, Any]


class Running:
    """One instance for all examples, on a loop of its own; each example gets a fresh platform in it."""

    def __init__(self, config: Settings) -> None:
        self.runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self.instance: Instance = self.runner.run(self._stack.enter_async_context(open_instance(config)))

    def close(self) -> None:
        self.runner.run(self._stack.aclose())
        self.runner.close()
        clock.reset()


def machine(running: Running) -> type[RuleBasedStateMachine]:  # noqa: C901
    run = running.runner.run
    instance = running.instance

    class Gate(RuleBasedStateMachine):
        @initialize()
        def open(self) -> None:
            clock.reset()
            # Half past, so that no hour turns unless the clock is moved.
            clock.move(30 * clock.MINUTE - clock.now() % clock.HOUR)
            self.account = run(open_account(instance.database, "Model"))
            limits: dict[str, Limits] = {
                "free": {("requests", "period"): ("hard", 10)},
                "pro": {
                    ("requests", "day"): ("hard", 15),
                    ("requests", "period"): ("soft", 20),
                    ("tokens", "hour"): ("hard", 9),
                    (DISTINCT, "day"): ("hard", 2),
                },
                "open": {("tokens", "lifetime"): ("hard", 60), (DISTINCT, "lifetime"): ("soft", 2)},
            }
            level: Limits = {("requests", "day"): ("hard", 12), ("active_users", "hour"): ("hard", 2)}
            self.models: dict[str, Model] = {
                "test": Model({name: dict(of) for name, of in limits.items()}, "free"),
                "live": Model({name: dict(of) for name, of in limits.items()}, "free", level),
            }
            # The holds of each example's reservations, by their place.
            self.made: list[tuple[str, str]] = []
            for mode in ("test", "live"):
                for name, of in limits.items():
                    run(instance.set_limits(self.account, name, *_tier_limits(of), mode=mode))
            run(instance.set_level(7, *_tier_limits(level)))
            # A limit that an earlier example has put there, and that this level must not have.
            run(instance.set_level(7, TierLimit(None, "requests", Window.MONTH)))
            self.models["live"].level = level | {("requests", "month"): ("hard", None)}
            run(instance.assign(self.account, 7))

        # Calls.

        @rule(mode=MODES, call=CALLS)
        def count(self, mode: Mode, call: Call) -> None:
            self.agree(mode, [call])

        @rule(mode=MODES, calls=st.lists(CALLS, min_size=2, max_size=8))
        def count_at_once(self, mode: Mode, calls: list[Call]) -> None:
            self.agree(mode, calls)

        @rule(mode=MODES, who=USERS, meter=st.sampled_from(["requests", "tokens", DISTINCT]))
        def read(self, mode: Mode, who: str, meter: str) -> None:
            answer = run(
                instance.api.get("/api/usage", headers=_headers(self.account, mode, who), params={"meter": meter})
            )
            assert _read(answer.status_code, answer.json()) == self.models[mode].read(clock.now(), who, meter)

        # Reservations.

        @rule(
            mode=MODES,
            who=USERS,
            meter=SUMS,
            quantity=st.integers(1, 6),
            seconds=st.sampled_from([300, 7200]),
            plan=st.one_of(st.none(), TIERS),
        )
        def reserve(self, mode: Mode, who: str, meter: str, quantity: int, seconds: int, plan: str | None) -> None:
            model, now = self.models[mode], clock.now()
            headers = _headers(self.account, mode, who) | ({} if plan is None else {"X-User-Plan": plan})
            body = {"meter": meter, "quantity": quantity, "ttlSeconds": seconds}
            answer = run(instance.api.post("/api/usage/reserve", headers=headers, json=body))
            told = answer.json()
            meant = model.reserve(now, who, meter, quantity, plan)
            assert _read(answer.status_code, told)[: len(meant)] == meant
            if meant == ("allowed",):
                name = told["reservation"]["id"]
                model.hold(now, name, who, meter, plan, quantity, seconds)
                self.made.append((mode, name))

        @rule(place=st.integers(0, 30), quantity=st.integers(0, 7))
        def settle(self, place: int, quantity: int) -> None:
            if not self.made:
                return
            mode, name = self.made[place % len(self.made)]
            headers = _headers(self.account, mode, "nobody")
            path = f"/api/usage/reserve/{name}/settle"
            answer = run(instance.api.post(path, headers=headers, json={"quantity": quantity}))
            meant = self.models[mode].settle(clock.now(), name, quantity)
            if meant == ("reservation_settled",):  # a settled one also says so of any quantity
                assert answer.json()["code"] in ("reservation_settled", "settlement_too_large")
                return
            assert _read(answer.status_code, answer.json()) == meant

        # What changes around the calls.

        @rule(mode=MODES, who=USERS, plan=st.one_of(st.none(), TIERS))
        def put_on_plan(self, mode: Mode, who: str, plan: str | None) -> None:
            model = self.models[mode]
            if who in model.people:
                run(self.patch(mode, who, {"plan": plan}))
                person = model.people[who]
                if plan is None:
                    person.put_on(None, None, model.present(clock.now()))
                else:
                    person.plan = plan

        @rule(mode=MODES, who=USERS, plan=TIERS, months=st.sampled_from([0, 1, 1, 12]), since=st.integers(0, 40))
        def subscribe(self, mode: Mode, who: str, plan: str, months: int, since: int) -> None:
            """Told by a gateway: paid for some months (or ten days) from a moment on."""
            model = self.models[mode]
            now = model.present(clock.now())
            if who not in model.people:
                return
            start = (now - timedelta(days=since)).replace(microsecond=0)
            end = months_after(start, months) if months else start + timedelta(days=10)
            run(self.set_plan(mode, who, plan, (start, end)))
            model.people[who].put_on(plan, (start, end), now)

        @rule(mode=MODES, who=USERS)
        def leave(self, mode: Mode, who: str) -> None:
            model = self.models[mode]
            if who in model.people:
                run(self.set_plan(mode, who, None, None))
                model.people[who].put_on(None, None, model.present(clock.now()))

        @rule(mode=MODES, who=USERS)
        def block_or_let_in(self, mode: Mode, who: str) -> None:
            person = self.models[mode].people.get(who)
            if person is not None:
                person.is_blocked = not person.is_blocked
                run(self.patch(mode, who, {"status": "blocked" if person.is_blocked else "active"}))

        @rule(
            mode=MODES,
            tier=TIERS,
            meter=st.sampled_from(["requests", "tokens", DISTINCT]),
            window=st.sampled_from(WINDOWS),
            kind=st.sampled_from(["hard", "soft"]),
            most=MAXIMA,
        )
        def change_limit(self, mode: Mode, tier: str, meter: str, window: str, kind: str, most: int | None) -> None:
            change: Limits = {(meter, window): (kind, most)}
            run(instance.set_limits(self.account, tier, *_tier_limits(change), mode=mode))
            self.models[mode].tiers[tier] |= change

        @rule(
            place=st.sampled_from([("requests", "day"), ("requests", "month"), ("active_users", "hour")]),
            most=st.one_of(st.none(), st.integers(1, 30)),
        )
        def change_level(self, place: tuple[str, str], most: int | None) -> None:
            change: Limits = {place: ("hard", most)}
            run(instance.set_level(7, *_tier_limits(change)))
            self.models["live"].level = {**(self.models["live"].level or {}), **change}

        @rule(hours=st.sampled_from([1, 1, 5, 26, 80, 24 * 9, 24 * 33]))
        def wait(self, hours: int) -> None:
            clock.move(hours * clock.HOUR)

        @rule(hours=st.sampled_from([1, 26, 80, 24 * 33]))
        def move_the_test_clock(self, hours: int) -> None:
            model = self.models["test"]
            model.ahead = run(self.move_to(clock.now() + model.ahead + hours * clock.HOUR))

        # What is billed.

        @rule(mode=MODES, who=USERS, meter=SUMS, back=st.integers(0, 2))
        def close_a_period(self, mode: Mode, who: str, meter: str, back: int) -> None:
            """Also one that has not ended: what comes then counts in what remains of it."""
            model, now = self.models[mode], clock.now()
            if who in model.people:
                start, counted = model.close(now, who, meter, back)
                closed = self.close(mode, who, meter, clock.from_datetime(start), now + model.ahead)
                assert run(closed) == counted

        # What must hold.

        @invariant()
        def the_events_are_the_models(self) -> None:
            if hasattr(self, "account"):
                assert run(self.told()) == Counter(event for model in self.models.values() for event in model.events)

        def teardown(self) -> None:
            if hasattr(self, "account"):
                known = {(mode, who) for mode, model in self.models.items() for who in model.people}
                assert run(self.known()) == known
            for check in integrity_checks():
                finding = run(run_check(instance.database, check))
                assert finding.holds, finding

        # How it is done.

        def agree(self, mode: Mode, calls: list[Call]) -> None:
            """Calls sent at once are decided in their order of arrival, which is the order they were sent in."""
            now = clock.now()
            asked = [_asked(call, now + self.models[mode].ahead) for call in calls]
            answers = run(self.send(mode, asked))
            for call, answer in zip(asked, answers, strict=True):
                meant = self.models[mode].count(now, **call)
                assert answer == meant, (call, answer, meant)

        async def send(self, mode: Mode, calls: list[Call]) -> list[tuple[object, ...]]:
            """One goes the whole way over HTTP; several are handed to the gate itself, so that their order is known."""
            if len(calls) == 1:
                return [await self.over_http(mode, **calls[0])]
            key = await instance.authenticator.authenticate_secret_key(f"Bearer {self.account.secret[mode]}")
            terms = await instance.metering.get_terms(key)
            ready: list[Any] = []
            for call in calls:
                wanted = dict(call)
                names = {"who": "user_id", "at": "timestamp", "key": "idempotency_key"}
                wanted = {names.get(name, name): value for name, value in wanted.items()}
                try:
                    ready.append(build_call(key, terms, **wanted))
                except AppError as refusal:
                    ready.append(refusal)
            return [_verdict(result) for result in await instance.metering.count_all(ready)]

        async def over_http(
            self,
            mode: Mode,
            who: str,
            meter: str,
            quantity: int,
            plan: str | None,
            subject: str | None,
            at: int | None,
            key: str | None,
        ) -> tuple[object, ...]:
            headers = _headers(self.account, mode, who)
            headers |= {} if plan is None else {"X-User-Plan": plan}
            headers |= {} if key is None else {"Idempotency-Key": key}
            body: dict[str, Any] = {"meter": meter, "quantity": quantity}
            body |= {} if subject is None else {"subject": subject}
            body |= {} if at is None else {"timestamp": clock.rfc3339(at)}
            answer = await instance.api.post("/api/data", headers=headers, json=body)
            return _read(answer.status_code, answer.json())

        async def patch(self, mode: Mode, who: str, change: dict[str, Any]) -> None:
            headers = _headers(self.account, mode, who)
            answer = await instance.api.patch(f"/api/customers/userId:{who}", headers=headers, json=change)
            assert answer.status_code == 200, answer.text

        async def set_plan(
            self, mode: Mode, who: str, plan: str | None, paid: tuple[datetime, datetime] | None
        ) -> None:
            project = self.account.project
            scope = platforms.ProjectScope(project.platform_no, project.id, mode)
            period = None if paid is None else (clock.from_datetime(paid[0]), clock.from_datetime(paid[1]))
            async with instance.database.write() as tx:
                now = await platforms.project_now(tx, project.platform_no, project.id, mode)
                await customers.set_plan(tx, scope, who, plan, now=now, period=period)

        async def move_to(self, at: int) -> int:
            """How far ahead the project is then."""
            project = self.account.project
            async with instance.database.write() as tx:
                await platforms.move_to(tx, project, at)
                return await platforms.clock_offset(tx, project.platform_no, project.id, "test")

        async def close(self, mode: Mode, who: str, meter: str, starts_at: int, ends_at: int) -> int:
            project = self.account.project
            scope = platforms.ProjectScope(project.platform_no, project.id, mode)
            async with instance.database.write() as tx:
                customer = await customers.find(tx, scope, f"userId:{who}")
                meters = await usage.meters_of(tx, project.platform_no, project.no)
                place = (project.platform_no, customer.no, meters[meter].no)
                used = await usage.used_in_period(tx, *place, starts_at)
                closed = await usage.close_period(tx, *place, starts_at, ends_at)
            assert used == closed
            return closed

        async def told(self) -> Counter[tuple[object, ...]]:
            async with instance.database.read() as tx:
                rows = await tx.all(
                    select(events.c.data).where(events.c.platform_no == self.account.project.platform_no)
                )
            data = [json.loads(row.data) for row in rows]
            return Counter(
                (one.get("userId", "platform"), one["meter"], one["window"], one["percent"], one["count"])
                for one in data
            )

        async def known(self) -> set[tuple[str, str]]:
            async with instance.database.read() as tx:
                rows = await tx.all(
                    select(customer_rows.c.mode, customer_rows.c.user_id).where(
                        customer_rows.c.platform_no == self.account.project.platform_no
                    )
                )
            return {(row.mode, row.user_id) for row in rows}

    return Gate


def _tier_limits(limits: Limits) -> list[TierLimit]:
    return [
        TierLimit(
            most,
            meter,
            Window.LIFE if window == "lifetime" else Window[window.upper()],
            kind,  # pyright: ignore[reportArgumentType]
            "distinct" if meter == DISTINCT else None,
        )
        for (meter, window), (kind, most) in limits.items()
    ]


def _headers(account: Account, mode: str, who: str) -> dict[str, str]:
    return {**(account.live if mode == "live" else account.sk), "X-User-Id": who}


def _asked(call: Call, now: int) -> Call:
    """The call with its moment, in whole seconds, and without what does not fit its meter."""
    asked = dict(call)
    ago = asked.pop("ago")
    asked["at"] = None if ago is None else (now - ago) // 10**6 * 10**6
    if asked["meter"] != DISTINCT:
        asked["subject"] = None
    elif asked["quantity"] < 0:
        asked["quantity"] = 1
    return asked


def _verdict(result: CallResult | AppError) -> tuple[object, ...]:
    if isinstance(result, AppError):
        return (result.code,)
    shown = tuple((s.limit.window.wire, s.count, s.limit.max, s.remaining) for s in result.standings)
    if result.is_allowed:
        return ("allowed", result.opened.plan, shown)
    by = shown[result.shown][0]
    if result.is_of_level:
        return ("level_limit_reached", by, shown)
    return ("tier_limit_reached", result.opened.plan, by, shown)


def _read(status: int, body: Any) -> tuple[object, ...]:
    if "usage" not in body:
        return (body["code"],)
    shown = tuple((one["window"], one["count"], one["limit"], one["remaining"]) for one in body["limits"])
    usage = body["usage"]
    if status in (200, 201):
        return ("allowed", usage["plan"], shown)
    if body["code"] == "level_limit_reached":
        return ("level_limit_reached", usage["window"], shown)
    return (body["code"], usage["plan"], usage["window"], shown)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [8, pytest.param(40, marks=pytest.mark.rest)])
def test_the_engine_and_a_plain_model_agree(database_settings: Settings, request: pytest.FixtureRequest, examples: int):
    running = Running(database_settings)
    request.addfinalizer(running.close)
    run_state_machine_as_test(
        machine(running),
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
