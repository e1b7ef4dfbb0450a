"""A whole house beside a plain Python model: whatever is done to both, they must agree."""

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from dream_api.app import every_check
from dream_api.core import clock
from dream_api.core.idempotency import IdempotencyMismatch
from dream_api.core.proofs import prove
from dream_api.core.settings import Settings
from dream_api.customers import CustomerBlocked
from dream_api.customers.tables import customers
from dream_api.gate import Outcome, metered
from dream_api.usage.tables import usage_counters
from tests.support.house import House, open_account, open_house
from tests.usage.model import Model

USERS = st.sampled_from(["ada", "bob", "eve"])
QUANTITIES = st.one_of(st.integers(1, 6), st.just(10**9))
KEYS = st.one_of(st.none(), st.sampled_from(["k1", "k2", "k3", "k4"]))
PLANS = st.sampled_from(["free", "pro", "open"])
CALLS = st.tuples(USERS, QUANTITIES, st.one_of(st.none(), PLANS), KEYS)


class Running:
    """One house for all examples, on a loop of its own; each example gets a fresh project in it."""

    def __init__(self, config: Settings) -> None:
        self.runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self.house: House = self.runner.run(self._stack.enter_async_context(open_house(config)))

    def close(self) -> None:
        self.runner.run(self._stack.aclose())
        self.runner.close()
        clock.reset()


def machine(running: Running) -> type[RuleBasedStateMachine]:  # noqa: C901
    run = running.runner.run
    house = running.house

    class Gate(RuleBasedStateMachine):
        @initialize()
        def open(self) -> None:
            clock.reset()
            self.account = run(open_account(house.database, "Model"))
            self.model = Model({"free": 10, "pro": 25, "open": None}, "free")
            for name, limit in self.model.limits.items():
                run(house.set_limit(self.account, name, limit))

        @rule(call=CALLS)
        def count(self, call: tuple[str, int, str | None, str | None]) -> None:
            self.agree([call])

        @rule(calls=st.lists(CALLS, min_size=2, max_size=8))
        def count_at_once(self, calls: list[tuple[str, int, str | None, str | None]]) -> None:
            self.agree(calls)

        @rule(user=USERS, plan=PLANS)
        def change_plan(self, user: str, plan: str) -> None:
            if user in self.model.customers:
                run(self.patch(user, {"plan": plan}))
                self.model.plans[user] = plan

        @rule(user=USERS)
        def block_or_let_in(self, user: str) -> None:
            if user in self.model.customers:
                self.model.blocked ^= {user}
                status = "blocked" if user in self.model.blocked else "active"
                run(self.patch(user, {"status": status}))

        @rule(name=PLANS, limit=st.one_of(st.none(), st.integers(0, 40)))
        def change_limit(self, name: str, limit: int | None) -> None:
            run(house.set_limit(self.account, name, limit))
            self.model.limits[name] = limit

        @rule(days=st.integers(1, 40))
        def wait(self, days: int) -> None:
            clock.move(days * clock.DAY)

        @invariant()
        def the_stored_counters_are_the_models(self) -> None:
            if hasattr(self, "account"):
                assert run(self.stored()) == self.expected()

        def teardown(self) -> None:
            for check in every_check():
                finding = run(prove(house.database, check))
                assert finding.holds, finding

        async def patch(self, user: str, change: dict[str, Any]) -> None:
            answer = await house.api.patch(f"/api/customers/userId:{user}", headers=self.account.sk, json=change)
            assert answer.status_code == 200, answer.text

        def agree(self, calls: list[tuple[str, int, str | None, str | None]]) -> None:
            """Calls sent at once are decided in their order of arrival, which is the order they were sent in."""
            period = clock.month_of(clock.now())[0]
            answers = run(self.send(calls))
            for (user, quantity, plan, key), answer in zip(calls, answers, strict=True):
                meant = self.model.count(user, quantity, period, plan, key)
                assert answer == meant, (call_told(user, quantity, plan, key), answer, meant)

        async def send(self, calls: list[tuple[str, int, str | None, str | None]]) -> list[tuple[object, ...]]:
            """One goes the whole way over HTTP; several are handed to the gate itself, so that their order is known."""
            if len(calls) == 1:
                return [_told(await self.over_http(*calls[0]))]
            key = await house.gate.server(self.account.sk["Authorization"])
            terms = await house.gate.terms_of(key)
            asked = [
                metered(key, terms, user_id=user, plan=plan, quantity=quantity, idempotency_key=event)
                for user, quantity, plan, event in calls
            ]
            outcomes = await asyncio.gather(*(house.gate.count(call) for call in asked), return_exceptions=True)
            return [_verdict(outcome) for outcome in outcomes]

        async def over_http(self, user: str, quantity: int, plan: str | None, key: str | None) -> Any:
            headers = self.account.calls(user)
            if plan is not None:
                headers["X-User-Plan"] = plan
            if key is not None:
                headers["Idempotency-Key"] = key
            return await house.api.post("/api/data", headers=headers, json={"quantity": quantity})

        async def stored(self) -> dict[tuple[str, int], int]:
            c = usage_counters.c
            async with house.database.read() as tx:
                rows = await tx.all(
                    select(customers.c.user_id, c.window, c.starts_at, c.count)
                    .join(customers, customers.c.no == c.customer_no)
                    .where(
                        c.platform_no == self.account.project.platform_no,
                        customers.c.platform_id == self.account.project.platform_id,
                    )
                )
                known = await tx.scalar(
                    select(func.count())
                    .select_from(customers)
                    .where(customers.c.platform_id == self.account.project.platform_id)
                )
            assert known == len(self.model.customers)
            return {(row.user_id, row.starts_at): row.count for row in rows}

        def expected(self) -> dict[tuple[str, int], int]:
            periods = {where: count for where, count in self.model.counts.items() if count}
            lives = {(user, 0): self.model.life(user) for user in self.model.customers}
            return periods | lives

    return Gate


def _verdict(outcome: Outcome | BaseException) -> tuple[object, ...]:
    match outcome:
        case Outcome():
            shown = outcome.standings[outcome.shown]
            word = "allowed" if outcome.is_allowed else "refused"
            return (word, outcome.opened.plan, shown.count, shown.limit.max)
        case CustomerBlocked():
            return ("blocked",)
        case _:
            assert isinstance(outcome, IdempotencyMismatch), outcome
            return ("mismatch",)


def _told(answer: Any) -> tuple[object, ...]:
    body = answer.json()
    match answer.status_code:
        case 200:
            usage = body["usage"]
            return ("allowed", usage["plan"], usage["count"], usage["limit"])
        case 429:
            usage = body["usage"]
            return ("refused", usage["plan"], usage["count"], usage["limit"])
        case 403:
            return ("blocked",)
        case _:
            assert body["code"] == "idempotency_mismatch", body
            return ("mismatch",)


def test_the_gate_and_a_plain_model_agree(database_settings: Settings, request: pytest.FixtureRequest):
    running = Running(database_settings)
    request.addfinalizer(running.close)
    run_state_machine_as_test(
        machine(running),
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def call_told(user: str, quantity: int, plan: str | None, key: str | None) -> str:
    return f"{user} × {quantity} on {plan} with {key}"
