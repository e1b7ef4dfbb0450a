"""A subscription ends: at its period's end, or now."""

import pytest

from dream_api.core import clock
from dream_api.gateways.contract import GatewayRefused
from tests.gateways.sandbox.shop import PRO, TOKENS, Shop, moment

ENDS_AT = moment("2027-02-28T12:00:00")


async def test_at_the_periods_end_it_ends_and_nothing_more_is_charged(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.wait(days=3)

    await shop.cancel(subscription_id, at_period_end=True, reason="too dear")
    asked_at = shop.now

    going = await shop.subscription(subscription_id)
    assert (going.status, going.cancel_at, going.canceled_at) == ("active", ENDS_AT, asked_at)
    assert await shop.wait(days=90) == [ENDS_AT]
    ended = await shop.subscription(subscription_id)
    assert (ended.status, ended.ended_at, ended.cancel_reason) == ("canceled", ENDS_AT, "too dear")
    assert ended.canceled_at == asked_at
    assert len(await shop.payments()) == 1
    assert (await shop.told())[-2:] == ["customer.subscription.updated", "customer.subscription.deleted"]


async def test_now_it_ends_at_once_and_nothing_is_given_back(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.wait(days=3)

    await shop.cancel(subscription_id, at_period_end=False)

    ended = await shop.subscription(subscription_id)
    assert (ended.status, ended.ended_at, ended.cancel_reason) == ("canceled", shop.now, "cancellation_requested")
    assert await shop.wait(days=90) == []
    assert [invoice.amount_paid for invoice in await shop.invoices()] == [3000]


@pytest.mark.parametrize("at_period_end", [True, False])
async def test_usage_of_the_last_period_is_billed(shop: Shop, at_period_end: bool) -> None:
    subscription_id = await shop.subscribe(PRO, TOKENS)
    begun_at = shop.now
    await shop.wait(days=3)

    await shop.cancel(subscription_id, at_period_end=at_period_end)
    ends_at = ENDS_AT if at_period_end else shop.now
    await shop.go(ends_at)
    draft = (await shop.invoices())[-1]
    await shop.use(draft.id, 120)
    moments = await shop.wait(hours=2)

    assert (draft.status, draft.reason, draft.total) == ("draft", "subscription_cancel", 0)
    assert (draft.period_starts_at, draft.period_ends_at) == (begun_at, ends_at)
    assert moments == [ends_at + clock.HOUR]
    assert [payment.amount for payment in await shop.payments()] == [3000, 120]


async def test_where_nothing_was_used_the_last_invoice_is_paid_by_itself(shop: Shop) -> None:
    subscription_id = await shop.subscribe(PRO, TOKENS)
    await shop.wait(days=3)

    await shop.cancel(subscription_id, at_period_end=False)
    await shop.wait(hours=1)

    last = (await shop.invoices())[-1]
    assert (last.status, last.total, last.payment) == ("paid", 0, None)
    assert len(await shop.payments()) == 1


async def test_who_leaves_before_the_new_period_is_charged_pays_only_what_was_used(shop: Shop) -> None:
    subscription_id = await shop.subscribe(PRO, TOKENS)
    await shop.go(ENDS_AT + 30 * clock.MINUTE)
    await shop.use((await shop.invoices())[-1].id, 80)

    await shop.cancel(subscription_id, at_period_end=False)
    await shop.wait(hours=2)

    assert [(invoice.reason, invoice.amount_paid) for invoice in await shop.invoices()] == [
        ("subscription_create", 3000),
        ("subscription_cycle", 80),
        ("subscription_cancel", 0),
    ]


async def test_a_cancelled_trial_is_never_charged(shop: Shop) -> None:
    subscription_id = await shop.subscribe(trial_days=7)

    await shop.cancel(subscription_id, at_period_end=True)
    await shop.wait(days=60)

    assert (await shop.subscription(subscription_id)).ended_at == moment("2027-02-07T12:00:00")
    assert await shop.payments() == []


async def test_a_cancellation_is_taken_back(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.cancel(subscription_id, at_period_end=True, reason="a mistake")

    for _ in range(2):
        await shop.sandbox.resume_subscription(shop.account, subscription_id, key=shop.key())
    await shop.go("2027-03-15")

    going = await shop.subscription(subscription_id)
    assert (going.status, going.cancel_at, going.canceled_at, going.cancel_reason) == ("active", None, None, None)
    assert len(await shop.payments()) == 2
    assert (await shop.told()).count("customer.subscription.updated") == 3  # asked, taken back once, renewed


async def test_what_has_ended_stays_so(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.cancel(subscription_id, at_period_end=False)

    with pytest.raises(GatewayRefused, match="has ended"):
        await shop.cancel(subscription_id, at_period_end=False)
    with pytest.raises(GatewayRefused, match="has ended"):
        await shop.sandbox.resume_subscription(shop.account, subscription_id, key=shop.key())


async def test_one_key_means_one_thing_at_a_time(shop: Shop) -> None:
    """The caller's key comes through: for another subscription it is another request."""
    first, second = await shop.subscribe(), await shop.subscribe()
    before = len(await shop.events())

    for _ in range(2):
        for subscription_id in (first, second):
            await shop.sandbox.cancel_subscription(
                shop.account, subscription_id, at_period_end=False, reason=None, key="leave"
            )

    assert await shop.told(before) == ["customer.subscription.deleted"] * 2
    [event] = [one for one in await shop.events() if one["data"]["object"]["id"] == first and "deleted" in one["type"]]
    assert event["request"] == {"id": None, "idempotency_key": "leave"}
