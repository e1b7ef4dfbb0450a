"""Another price or quantity: what it costs by the second, and that the preview tells it exactly."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dream_api.core import clock
from dream_api.gateways.contract import CardDeclined, GatewayRefused, Preview, SubscriptionChange
from tests.gateways.sandbox.shop import (
    BOOK,
    DECLINED_LATER,
    MAX,
    PRO,
    TOKENS,
    YEARLY,
    Shop,
    change_to,
    coupon,
    line,
    moment,
)

ENDS_AT = moment("2027-02-28T12:00:00")
# Of the four weeks from 31 January to 28 February.
HALF = 14 * clock.DAY


async def made(shop: Shop, subscription_id: str, change: SubscriptionChange) -> Preview:
    """Change it as previewed at the same moment; the invoice says what the preview said, and the card what was due."""
    before = len(await shop.invoices())
    seen = await shop.sandbox.preview_change(shop.account, subscription_id, change)
    assert len(await shop.invoices()) == before

    await shop.change(subscription_id, change)

    subscription = await shop.subscription(subscription_id)
    assert subscription.period_ends_at == seen.period_ends_at
    updates = [one for one in (await shop.invoices())[before:] if one.reason == "subscription_update"]
    if any(told.amount for told in seen.lines):
        [invoice] = updates
        told = [(one.description, one.amount) for one in seen.lines if one.description != "Credit balance"]
        assert [(one.description, one.amount) for one in invoice.lines] == told
        assert sum(one.amount for one in seen.lines) == seen.due
        assert invoice.amount_paid == max(seen.due, 0)
        assert invoice.status == "paid"
    else:
        assert updates == []
    return seen


def told(preview: Preview) -> Sequence[tuple[str, int]]:
    return [(one.description, one.amount) for one in preview.lines]


async def test_half_way_up_costs_half_the_difference(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.go(shop.now + HALF)

    seen = await made(shop, subscription_id, change_to(MAX))

    assert told(seen) == [("Unused time on Pro", -1500), ("Remaining time on Max", 4500)]
    assert (seen.due, seen.recurring_amount, seen.period_ends_at) == (3000, 9000, ENDS_AT)
    subscription = await shop.subscription(subscription_id)
    assert (subscription.price_id, subscription.period_ends_at) == ("price_max", ENDS_AT)
    await shop.go("2027-03-15")
    assert [payment.amount for payment in await shop.payments()] == [3000, 3000, 9000]


async def test_half_way_down_becomes_credit_for_what_follows(shop: Shop) -> None:
    subscription_id = await shop.subscribe(MAX)
    await shop.go(shop.now + HALF)

    seen = await made(shop, subscription_id, change_to(PRO))

    assert seen.due == -3000
    await shop.go("2027-04-15")
    # The credit pays the next month whole.
    assert [invoice.amount_paid for invoice in await shop.invoices()] == [9000, 0, 0, 3000]
    balances = [(one["starting_balance"], one["ending_balance"]) for one in await shop.documents("invoice")]
    assert balances == [(0, 0), (0, -3000), (-3000, 0), (0, 0)]
    [customer] = await shop.documents("customer")
    assert customer["balance"] == 0


async def test_credit_pays_for_a_change_as_well(shop: Shop) -> None:
    subscription_id = await shop.subscribe(MAX)
    await shop.go(shop.now + HALF)
    await made(shop, subscription_id, change_to(PRO))

    seen = await made(shop, subscription_id, change_to(PRO, quantity=2))
    assert told(seen) == [
        ("Unused time on Pro", -1500),
        ("Remaining time on 2 × Pro", 3000),
        ("Credit balance", -1500),
    ]
    assert seen.due == 0
    assert len(await shop.payments()) == 1


async def test_up_and_down_again_in_a_moment_costs_nothing(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.wait(days=5, minutes=17)
    up = await made(shop, subscription_id, change_to(MAX))

    down = await made(shop, subscription_id, change_to(PRO))

    assert up.due == -down.due > 0


async def test_another_rhythm_begins_a_new_period_now(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.go(shop.now + HALF)
    changed_at = shop.now

    seen = await made(shop, subscription_id, change_to(YEARLY))

    assert told(seen) == [("Unused time on Pro", -1500), ("Yearly", 30_000)]
    subscription = await shop.subscription(subscription_id)
    assert (subscription.period_starts_at, subscription.period_ends_at) == (
        changed_at,
        clock.add_months(changed_at, 12),
    )
    await shop.go("2028-03-01")
    assert [(invoice.reason, invoice.amount_paid) for invoice in await shop.invoices()] == [
        ("subscription_create", 3000),
        ("subscription_update", 28_500),
        ("subscription_cycle", 30_000),
    ]
    assert (await shop.subscription(subscription_id)).period_ends_at == clock.add_months(changed_at, 24)


async def test_usage_of_the_period_that_a_change_ends_is_billed(shop: Shop) -> None:
    subscription_id = await shop.subscribe(PRO, TOKENS)
    begun_at = shop.now
    await shop.wait(days=3)
    changed_at = shop.now

    # The price of usage goes on, and is billed by the month.
    await made(shop, subscription_id, change_to(YEARLY, TOKENS, TOKENS))

    [closing] = [invoice for invoice in await shop.invoices() if invoice.status == "draft"]
    assert (closing.reason, closing.total) == ("subscription_cycle", 0)
    assert (closing.period_starts_at, closing.period_ends_at) == (begun_at, changed_at)
    await shop.use(closing.id, 60)
    assert await shop.wait(hours=1) == [changed_at + clock.HOUR]
    assert (await shop.payments())[-1].amount == 60
    items = (await shop.document(subscription_id))["items"]["data"]
    assert [item["price"]["id"] for item in items] == ["price_yearly", "price_tokens"]
    assert [item["price"]["recurring"]["interval"] for item in items] == ["year", "month"]


async def test_usage_that_was_sold_for_a_part_of_the_period_is_billed_at_its_end(shop: Shop) -> None:
    subscription_id = await shop.subscribe(PRO, TOKENS)
    await shop.wait(days=3)
    await made(shop, subscription_id, change_to(MAX))

    await shop.cancel(subscription_id, at_period_end=True)
    await shop.go(ENDS_AT)

    assert (await shop.invoices())[-1].reason == "subscription_cancel"


async def test_a_rhythm_that_changes_twice_in_a_second_closes_one_period(shop: Shop) -> None:
    subscription_id = await shop.subscribe(PRO, TOKENS)
    await shop.wait(days=3)

    await made(shop, subscription_id, change_to(YEARLY, TOKENS))
    await made(shop, subscription_id, change_to(PRO, TOKENS))

    assert [invoice.reason for invoice in await shop.invoices()].count("subscription_cycle") == 1


async def test_a_trial_changes_without_money_and_keeps_its_end(shop: Shop) -> None:
    subscription_id = await shop.subscribe(trial_days=7)

    seen = await made(shop, subscription_id, change_to(YEARLY))

    assert (seen.due, seen.lines, seen.recurring_amount) == (0, (), 30_000)
    await shop.wait(days=8)
    subscription = await shop.subscription(subscription_id)
    assert (subscription.status, subscription.period_ends_at) == ("active", moment("2028-02-07T12:00:00"))
    assert [payment.amount for payment in await shop.payments()] == [30_000]


async def test_what_a_coupon_took_off_is_not_given_back(shop: Shop) -> None:
    subscription_id = await shop.subscribe(coupon=coupon(duration="once"))
    await shop.go(shop.now + HALF)

    seen = await made(shop, subscription_id, change_to(MAX))

    # The coupon was for once: it was spent on the first invoice.
    assert told(seen) == [("Unused time on Pro", -750), ("Remaining time on Max", 4500)]
    assert seen.recurring_amount == 9000
    yearly = await shop.sandbox.preview_change(shop.account, subscription_id, change_to(YEARLY))
    assert told(yearly)[1] == ("Yearly", 30_000)


async def test_where_the_card_does_not_pay_nothing_changes(shop: Shop) -> None:
    subscription_id = await shop.subscribe(card=DECLINED_LATER)
    await shop.wait(days=3)
    before, events = await shop.document(subscription_id), len(await shop.events())

    with pytest.raises(CardDeclined):
        await shop.change(subscription_id, change_to(MAX))

    assert await shop.document(subscription_id) == before
    assert len(await shop.events()) == events
    assert len(await shop.invoices()) == len(await shop.payments()) == 1
    # To pay nothing, or less, needs no card.
    await made(shop, subscription_id, change_to(replace(PRO, id="price_same")))
    await made(shop, subscription_id, change_to(replace(PRO, id="price_small", unit_amount=1000)))


async def test_a_change_with_one_key_happens_once(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.wait(days=3)

    for _ in range(2):
        await shop.sandbox.change_subscription(shop.account, subscription_id, change_to(MAX), key="up")
        await shop.wait(days=1)

    assert len(await shop.payments()) == 2


async def test_a_change_keeps_the_cancellation_and_adds_to_the_metadata(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    await shop.cancel(subscription_id, at_period_end=True)

    await shop.change(subscription_id, replace(change_to(YEARLY), metadata={"by": "ada"}))

    subscription = await shop.subscription(subscription_id)
    assert subscription.cancel_at == subscription.period_ends_at == moment("2028-01-31T12:00:00")
    assert subscription.metadata == {"checkout": "chk_1", "by": "ada"}


async def test_an_item_whose_price_stays_keeps_its_id(shop: Shop) -> None:
    subscription_id = await shop.subscribe(PRO, TOKENS)
    before = [item["id"] for item in (await shop.document(subscription_id))["items"]["data"]]

    await shop.change(subscription_id, SubscriptionChange((line(MAX), line(TOKENS))))

    after = [item["id"] for item in (await shop.document(subscription_id))["items"]["data"]]
    assert after[1] == before[1]
    assert after[0] != before[0]


@pytest.mark.parametrize(
    "change",
    [change_to(TOKENS), change_to(PRO, BOOK), change_to(replace(PRO, currency="eur")), change_to(PRO, YEARLY)],
    ids=["only usage", "once", "another currency", "two rhythms"],
)
async def test_what_no_subscription_can_be_is_refused(shop: Shop, change: SubscriptionChange) -> None:
    subscription_id = await shop.subscribe()

    with pytest.raises(GatewayRefused):
        await shop.sandbox.preview_change(shop.account, subscription_id, change)
    with pytest.raises(GatewayRefused):
        await shop.change(subscription_id, change)


async def test_who_owes_money_pays_first_and_what_has_ended_is_bought_anew(shop: Shop) -> None:
    subscription_id = await shop.subscribe(card=DECLINED_LATER)
    await shop.go(ENDS_AT + 2 * clock.HOUR)

    with pytest.raises(GatewayRefused, match="past_due"):
        await shop.change(subscription_id, change_to(MAX))
    await shop.wait(days=30)
    with pytest.raises(GatewayRefused, match="canceled"):
        await shop.change(subscription_id, change_to(MAX))
