"""Whatever happens to checkouts and refunds, in whatever order and however often: nothing is lost nor counted twice."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Row, func, select

from dream_api.app import open_database
from dream_api.billing import RefundTooLarge
from dream_api.core.db import Database
from dream_api.core.errors import ValidationFailed
from dream_api.core.settings import Settings
from dream_api.gateways import GatewayRefused
from dream_api.store import OrderNotPaid, RefundRequest, SoldOut
from dream_api.store.tables import order_lines, orders, stock_holds
from tests.store.shop import Shop, open_shop

pytestmark = pytest.mark.both

INVENTORY = {"mug": 12, "pen": 7}
SOME = st.integers(0, 5)


def machine(runner: asyncio.Runner, config: Settings, database: Database) -> type[RuleBasedStateMachine]:  # noqa: C901
    run = runner.run

    class Selling(RuleBasedStateMachine):
        shop: Shop

        @initialize()
        def open(self) -> None:
            self.shop = run(open_shop(config, database))
            self.checkouts: list[Row[Any]] = []
            for name, inventory in INVENTORY.items():
                run(self.shop.sell(name, 333, inventory))

        @rule(mug=SOME, pen=SOME)
        def begin(self, mug: int, pen: int) -> None:
            wanted = {name: quantity for name, quantity in (("mug", mug), ("pen", pen)) if quantity}
            if not wanted:
                return
            try:
                self.checkouts.append(run(self.shop.checkout(wanted)))
            except SoldOut:
                counted = [run(self.shop.stock(name)) for name in wanted]
                assert any(on_hand - held < wanted[name] for (on_hand, held), name in zip(counted, wanted, strict=True))

        @precondition(lambda self: self.checkouts)
        @rule(
            which=st.data(), how=st.sampled_from(["pay", "expire", "pay late", "hear again", "expire late", "decline"])
        )
        def end(self, which: st.DataObject, how: str) -> None:
            checkout = which.draw(st.sampled_from(self.checkouts))
            facts = self.shop.till.checkouts[checkout.gateway_id]
            match how:
                case "pay" if facts.status == "open":
                    run(self.shop.pay(checkout))
                case "expire":
                    run(self.shop.expire(checkout))
                case "pay late":
                    if facts.status != "complete":
                        self.shop.till.pay(checkout.gateway_id)
                    run(self.shop.hear("payment", checkout.gateway_id.replace("cs_", "pi_")))
                    run(self.shop.tell_paid(checkout))
                case "expire late":
                    if (run(self.shop.order_of(checkout))).status != "processing":
                        run(self.shop.tell_expired(checkout))
                case "decline" if facts.status == "open":
                    run(self.shop.hear("payment", self.shop.till.decline(checkout.gateway_id)))
                case _:
                    run(self.shop.hear("checkout", checkout.gateway_id))

        @precondition(lambda self: self.checkouts)
        @rule(
            which=st.data(),
            asked=st.one_of(
                st.builds(RefundRequest, restock=st.booleans()),
                st.builds(RefundRequest, amount=st.integers(1, 1_500)),
                st.builds(
                    RefundRequest,
                    units=st.lists(st.tuples(st.integers(1, 2), st.integers(1, 3)), min_size=1, max_size=3),
                    restock=st.booleans(),
                ),
            ),
            outcome=st.sampled_from(["succeeded", "succeeded", "pending", "failed", "refused"]),
        )
        def refund(self, which: st.DataObject, asked: RefundRequest, outcome: Any) -> None:
            order = run(self.shop.order_of(which.draw(st.sampled_from(self.checkouts))))
            till = self.shop.till
            till.refuses_refunds = outcome == "refused"
            till.refunds_become = "failed" if outcome == "refused" else outcome
            try:
                run(self.shop.refund(order, asked))
            except (RefundTooLarge, OrderNotPaid, ValidationFailed, GatewayRefused):
                pass
            finally:
                till.refuses_refunds, till.refunds_become = False, "succeeded"

        @precondition(lambda self: self.checkouts)
        @rule(which=st.data(), status=st.sampled_from(["succeeded", "failed"]))
        def turn(self, which: st.DataObject, status: Any) -> None:
            payment_id = which.draw(st.sampled_from(self.checkouts)).gateway_id.replace("cs_", "pi_")
            if payment_id in self.shop.till.payments:
                self.shop.till.turn(payment_id, status)
                run(self.shop.hear("payment", payment_id))

        @rule()
        def send(self) -> None:
            run(self.shop.send_refunds())

        @invariant()
        def nothing_is_lost(self) -> None:
            for name, inventory in INVENTORY.items():
                on_hand, held = run(self.shop.stock(name))
                settled, open_holds, restocked = run(_counted(self.shop, self.shop.tiers[name]))
                assert 0 <= held <= on_hand
                assert held == open_holds
                assert settled + on_hand == inventory + restocked

        def teardown(self) -> None:
            # What ended late did so without billing, which would have told of it once.
            assert set(run(self.shop.contradictions())) <= {"holds_end_with_their_checkouts"}

        @invariant()
        def orders_stand_as_their_money_says(self) -> None:
            for order in run(_orders(self.shop)):
                assert order.refunded_amount <= order.total
                if order.status in ("completed", "refunded"):
                    assert (order.status == "refunded") == (order.refunded_amount == order.total)

    return Selling


async def _counted(shop: Shop, tier_id: str) -> tuple[int, int, int]:
    """How many were settled, are held, and went back on sale."""
    async with shop.database.read() as tx:
        held = select(func.coalesce(func.sum(stock_holds.c.quantity), 0)).where(stock_holds.c.tier_id == tier_id)
        restocked = select(func.coalesce(func.sum(order_lines.c.restocked_quantity), 0))
        return (
            int(await tx.scalar(held.where(stock_holds.c.state == "settled"))),
            int(await tx.scalar(held.where(stock_holds.c.state == "held"))),
            int(await tx.scalar(restocked.where(order_lines.c.tier_id == tier_id))),
        )


async def _orders(shop: Shop) -> Any:
    async with shop.database.read() as tx:
        return await tx.all(select(orders).where(orders.c.platform_no == shop.scope.platform_no))


def test_nothing_is_lost_in_any_order(database_settings: Settings):
    database = open_database(database_settings)
    with asyncio.Runner() as runner:
        run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]
            machine(runner, database_settings, database),
            settings=settings(
                max_examples=8,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
                phases=[Phase.explicit, Phase.generate],
                database=None,
            ),
        )
        runner.run(database.close())
