"""A renewal that is not paid: asked for again, recovered in the portal, or given up after two weeks."""

from dataclasses import replace

import pytest

from dream_api.core import clock
from dream_api.core.errors import NotFound
from dream_api.gateways.contract import AuthenticationRequired, CardDeclined
from tests.gateways.sandbox.shop import CONFIRMS, DECLINED, DECLINED_LATER, PRO, TOKENS, VISA, Shop, moment

FAILED_AT = moment("2027-02-28T13:00:00")


async def test_a_declined_renewal_is_tried_three_times_more_and_ends_after_two_weeks(shop: Shop) -> None:
    subscription_id = await shop.subscribe(card=DECLINED_LATER)

    moments = await shop.go(FAILED_AT + 13 * clock.DAY)
    invoice = (await shop.invoices())[-1]
    subscription = await shop.subscription(subscription_id)

    assert moments[1:] == [FAILED_AT + days * clock.DAY for days in (0, 3, 5, 7)]
    assert (invoice.status, invoice.attempts, invoice.next_attempt_at) == ("open", 4, None)
    assert subscription.status == "past_due"
    assert subscription.unpaid_since == FAILED_AT - clock.HOUR

    assert await shop.wait(days=30) == [FAILED_AT + 14 * clock.DAY]

    ended = await shop.subscription(subscription_id)
    assert (ended.status, ended.cancel_reason) == ("canceled", "payment_failed")
    assert ended.ended_at == ended.canceled_at == FAILED_AT + 14 * clock.DAY
    assert (await shop.invoices())[-1].status == "uncollectible"
    assert (await shop.told())[-2:] == ["invoice.marked_uncollectible", "customer.subscription.deleted"]
    [_, failed] = await shop.payments()
    assert (failed.status, failed.failure) == ("failed", "generic_decline")


async def test_each_failure_tells_when_it_will_be_tried_again(shop: Shop) -> None:
    await shop.subscribe(card=DECLINED_LATER)
    before = len(await shop.events())

    await shop.go(FAILED_AT + 10 * clock.DAY)

    failures = [event for event in await shop.events() if event["type"] == "invoice.payment_failed"]
    tries = [event["data"]["object"]["next_payment_attempt"] for event in failures]
    assert tries == [*(FAILED_AT // clock.SECOND + days * 86_400 for days in (3, 5, 7)), None]
    assert (await shop.told(before))[2:6] == [
        "invoice.finalized",
        "payment_intent.payment_failed",
        "invoice.payment_failed",
        "customer.subscription.updated",
    ]


async def test_a_new_card_in_the_portal_pays_at_once(shop: Shop) -> None:
    subscription_id = await shop.subscribe(card=DECLINED_LATER)
    await shop.go(FAILED_AT + 4 * clock.DAY)
    before = len(await shop.events())

    told = await shop.sandbox.change_card(await shop.open_portal(subscription_id), "5555 5555 5555 4444")

    subscription = await shop.subscription(subscription_id)
    assert (subscription.status, subscription.unpaid_since) == ("active", None)
    invoice = (await shop.invoices())[-1]
    assert (invoice.status, invoice.amount_paid, invoice.paid_at) == ("paid", 3000, shop.now)
    assert (await shop.payments())[-1].brand == "mastercard"
    assert [event["id"] for event in (await shop.events())[before:]] == told
    assert (await shop.told(before)) == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "customer.subscription.updated",
    ]
    # It goes on as if nothing had happened, on the day on which it began.
    await shop.go("2027-04-01")
    assert [invoice.status for invoice in await shop.invoices()] == ["paid"] * 3
    assert (await shop.subscription(subscription_id)).period_ends_at == moment("2027-04-30T12:00:00")


@pytest.mark.parametrize(("card", "refusal"), [(DECLINED, CardDeclined), (CONFIRMS, AuthenticationRequired)])
async def test_a_card_that_pays_nothing_changes_nothing(shop: Shop, card: str, refusal: type[Exception]) -> None:
    subscription_id = await shop.subscribe()
    portal_id = await shop.open_portal(subscription_id)

    with pytest.raises(refusal):
        await shop.sandbox.change_card(portal_id, card)

    opened = await shop.sandbox.find_portal(portal_id)
    assert opened.card is not None
    assert opened.card.last4 == "4242"


async def test_a_confirmed_card_pays_all_that_follows(shop: Shop) -> None:
    subscription_id = await shop.subscribe()

    await shop.sandbox.change_card(await shop.open_portal(subscription_id), CONFIRMS, authenticate=True)
    await shop.go("2027-04-01")

    assert [payment.last4 for payment in await shop.payments()] == ["4242", "3155", "3155"]


async def test_of_a_weekly_plan_several_invoices_may_be_open_and_all_are_paid(shop: Shop) -> None:
    subscription_id = await shop.subscribe(replace(PRO, interval="week"), card=DECLINED_LATER)
    await shop.wait(days=15)
    assert [invoice.status for invoice in await shop.invoices()] == ["paid", "open", "open"]

    await shop.sandbox.change_card(await shop.open_portal(subscription_id), VISA)

    assert [invoice.status for invoice in await shop.invoices()] == ["paid"] * 3
    assert (await shop.subscription(subscription_id)).status == "active"
    # Active when the last of them is paid.
    assert (await shop.told())[-2:] == ["invoice.paid", "customer.subscription.updated"]
    assert (await shop.told()).count("customer.subscription.updated") == 4  # two renewals, past due once, active once


async def test_when_it_ends_in_dunning_nothing_is_asked_for_any_longer(shop: Shop) -> None:
    await shop.subscribe(replace(PRO, interval="week"), card=DECLINED_LATER)

    await shop.wait(days=60)

    assert [(invoice.status, invoice.amount_paid) for invoice in await shop.invoices()] == [
        ("paid", 3000),
        ("uncollectible", 0),
        ("uncollectible", 0),
        ("paid", 0),  # of the week that had just begun, and was not asked for any more
    ]
    assert await shop.wait(days=60) == []


async def test_usage_of_a_plan_that_ends_in_dunning_is_billed_once_more(shop: Shop) -> None:
    await shop.subscribe(PRO, TOKENS, card=DECLINED_LATER)

    await shop.go(FAILED_AT + 14 * clock.DAY)
    draft = (await shop.invoices())[-1]
    await shop.use(draft.id, 100)

    assert (draft.status, draft.reason) == ("draft", "subscription_cancel")
    assert (draft.period_starts_at, draft.period_ends_at) == (FAILED_AT - clock.HOUR, FAILED_AT + 14 * clock.DAY)
    await shop.wait(days=30)
    assert ((await shop.invoices())[-1].status, (await shop.invoices())[-1].attempts) == ("uncollectible", 4)


async def test_the_portal_shows_what_there_is_and_closes_after_an_hour(shop: Shop) -> None:
    subscription_id = await shop.subscribe()
    portal_id = await shop.open_portal(subscription_id)

    opened = await shop.sandbox.find_portal(portal_id)

    assert opened.account == shop.account
    assert opened.document["url"] == f"http://dream.test/sandbox/portal/{portal_id}"
    assert [one["id"] for one in opened.subscriptions] == [subscription_id]
    assert [one["status"] for one in opened.invoices] == ["paid"]
    assert opened.customer["email"] == "ada@example.com"
    shop.now += clock.HOUR
    with pytest.raises(NotFound, match="has expired"):
        await shop.sandbox.find_portal(portal_id)
    with pytest.raises(NotFound, match="has expired"):
        await shop.sandbox.change_card(portal_id, VISA)
