"""A subscription through whatever may happen to it: what must hold holds at every step."""

import asyncio
import contextlib
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.settings import Settings
from dream_api.gateways import stripe_objects
from dream_api.gateways.contract import CardRefused, GatewayRefused, InvoiceSnapshot
from tests.gateways.sandbox.conftest import START
from tests.gateways.sandbox.shop import (
    DECLINED_LATER,
    MAX,
    PRO,
    TOKENS,
    VISA,
    YEARLY,
    Shop,
    change_to,
    coupon,
    open_shop,
)

WEEKLY = replace(PRO, id="price_weekly", interval="week")
PLANS = st.sampled_from([PRO, MAX, YEARLY, WEEKLY])
CARDS = st.sampled_from([VISA, VISA, DECLINED_LATER])
COUPONS = st.sampled_from(
    [
        None,
        coupon(duration="once"),
        coupon(percent_off=33, duration="repeating", duration_months=2),
        coupon(percent_off=None, amount_off=2500, currency="usd"),
    ]
)


class Running:
    """One database for all examples, on a loop of its own; each example opens a shop in it."""

    def __init__(self, config: Settings) -> None:
        self.runner = asyncio.Runner()
        url = config.database_url
        self.database = Database(directory=config.data) if url is None else Database(url=url)

    def close(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()


def machine(running: Running, monkeypatch: pytest.MonkeyPatch) -> type[RuleBasedStateMachine]:  # noqa: C901
    run = running.runner.run

    class Subscriber(RuleBasedStateMachine):
        @initialize(plan=PLANS, card=CARDS, has_usage=st.booleans(), trial=st.sampled_from([0, 0, 9]), less=COUPONS)
        def subscribe(self, plan: Any, card: str, has_usage: bool, trial: int, less: Any) -> None:
            self.shop: Shop = run(open_shop(running.database))
            self.shop.now = START
            monkeypatch.setattr(clock, "now", lambda: self.shop.now)
            prices = (plan, TOKENS) if has_usage else (plan,)
            self.id = run(self.shop.subscribe(*prices, card=card, trial_days=trial, coupon=less))
            self.periods: list[tuple[int, int]] = []
            self.used = 0

        @rule(days=st.sampled_from([1, 3, 8, 15, 31]), minutes=st.integers(0, 90))
        def wait(self, days: int, minutes: int) -> None:
            """Each step of the way is looked at."""
            run(self.shop.go(self.shop.now + days * clock.DAY + minutes * clock.MINUTE, then=self._look))

        @rule(plan=PLANS, quantity=st.integers(1, 3), has_usage=st.booleans())
        def change(self, plan: Any, quantity: int, has_usage: bool) -> None:
            wanted = change_to(plan, *([TOKENS] if has_usage else []), quantity=quantity)
            with contextlib.suppress(GatewayRefused, CardRefused):
                seen = run(self.shop.sandbox.preview_change(self.shop.account, self.id, wanted))
                paid = self._paid()
                run(self.shop.change(self.id, wanted))
                assert self._paid() - paid == max(seen.due, 0)

        @rule(at_period_end=st.sampled_from([True, True, True, False]))
        def cancel(self, at_period_end: bool) -> None:
            with contextlib.suppress(GatewayRefused):
                run(self.shop.cancel(self.id, at_period_end=at_period_end))

        @rule()
        def resume(self) -> None:
            with contextlib.suppress(GatewayRefused):
                run(self.shop.sandbox.resume_subscription(self.shop.account, self.id, key=self.shop.key()))

        @rule(card=CARDS)
        def change_card(self, card: str) -> None:
            run(self.shop.sandbox.change_card(run(self.shop.open_portal(self.id)), card))

        @rule(amount=st.integers(1, 900))
        def use(self, amount: int) -> None:
            for invoice in run(self.shop.invoices()):
                if invoice.status == "draft":
                    self.used += 1
                    run(self.shop.use(invoice.id, amount, f"usage:{self.used}"))

        def _paid(self) -> int:
            return sum(invoice.amount_paid for invoice in run(self.shop.invoices()))

        async def _look(self) -> None:
            """Periods follow one another without a gap, until the end."""
            now = await self.shop.subscription(self.id)
            period = (now.period_starts_at, now.period_ends_at)
            if self.periods and period != self.periods[-1]:
                begun, ends = self.periods[-1]
                # Only a change of the rhythm ends a period before its time.
                assert period[0] == ends or begun <= period[0] <= self.shop.now < ends
            if not self.periods or period != self.periods[-1]:
                self.periods.append(period)
            if now.status == "canceled":
                assert now.ended_at is not None
            else:
                assert now.period_starts_at <= self.shop.now <= now.period_ends_at

        @invariant()
        def the_books_close(self) -> None:
            run(self._look())
            invoices = [stripe_objects.parse_invoice(one) for one in run(self.shop.documents("invoice"))]
            payments = {one["id"]: one for one in run(self.shop.documents("payment_intent"))}
            for invoice in invoices:
                _adds_up(invoice)
                if invoice.status == "paid" and invoice.amount_due:
                    payment = payments.pop(str(invoice.payment))
                    assert (payment["status"], payment["amount_received"]) == ("succeeded", invoice.amount_paid)
            # Nothing was paid for nothing.
            assert all(payment["amount_received"] == 0 for payment in payments.values())
            _bills_each_period_once(invoices)
            if run(self.shop.subscription(self.id)).status == "canceled":
                assert all(line.key for one in invoices if one.status == "draft" for line in one.lines)

        @invariant()
        def the_credit_is_what_the_invoices_made_of_it(self) -> None:
            balance = 0
            finalized = [one for one in run(self.shop.documents("invoice")) if one["number"]]
            for invoice in sorted(finalized, key=lambda one: one["number"]):
                assert invoice["starting_balance"] == balance <= 0
                balance = invoice["ending_balance"]
                assert invoice["amount_due"] == invoice["total"] - (balance - invoice["starting_balance"]) >= 0
            [customer] = run(self.shop.documents("customer"))
            assert customer["invoice_credit_balance"].get("usd", 0) == balance

    return Subscriber


def _adds_up(invoice: InvoiceSnapshot) -> None:
    assert sum(line.amount for line in invoice.lines) == invoice.subtotal
    assert invoice.total == invoice.subtotal - invoice.discount
    assert 0 <= invoice.discount <= max(invoice.subtotal, 0)
    assert invoice.amount_paid == (invoice.amount_due if invoice.status == "paid" else 0)
    assert (invoice.status == "paid") == (invoice.paid_at is not None)


def _bills_each_period_once(invoices: list[InvoiceSnapshot]) -> None:
    """Those of usage follow one another, and none overlap."""
    spans = [
        (one.period_starts_at, one.period_ends_at)
        for one in invoices
        if one.reason in ("subscription_cycle", "subscription_cancel")
    ]
    assert all(starts < ends for starts, ends in spans)
    assert all(ends <= starts for (_, ends), (starts, _) in pairwise(spans))


@pytest.mark.slow
@pytest.mark.parametrize("examples", [10, pytest.param(20, marks=pytest.mark.rest)])
def test_whatever_happens_the_books_close(
    database_settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    running = Running(database_settings)
    request.addfinalizer(running.close)
    run_state_machine_as_test(
        machine(running, monkeypatch),
        settings=settings(
            # The rules are the same on both; the other tests show that the work are.
            max_examples=examples if database_settings.is_embedded else examples // 5,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
