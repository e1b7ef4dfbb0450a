"""One period follows the other: the next begins at once, and an hour later its invoice is charged."""

from dataclasses import replace

import pytest

from dream_api.catalog import Price
from dream_api.core import clock
from dream_api.gateways.contract import GatewayRefused
from tests.gateways.sandbox.shop import BOOK, MAX, PRO, TOKENS, YEARLY, Shop, coupon, moment


async def test_a_year_of_months_begun_on_the_31st(shop: Shop) -> None:
    subscription_id = await shop.subscribe()

    moments = await shop.go("2028-02-01T00:00:00")

    ends = ["02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"]
    expected = [moment(f"2027-{day}T12:00:00") for day in ends] + [moment("2028-01-31T12:00:00")]
    assert moments == [at for end in expected for at in (end, end + clock.HOUR)]
    subscription = await shop.subscription(subscription_id)
    assert (subscription.period_starts_at, subscription.period_ends_at) == (expected[-1], moment("2028-02-29T12:00:00"))
    invoices = await shop.invoices()
    assert [invoice.reason for invoice in invoices] == ["subscription_create", *["subscription_cycle"] * 12]
    assert {(invoice.status, invoice.amount_paid) for invoice in invoices} == {("paid", 3000)}
    assert [invoice.created_at for invoice in invoices[1:]] == expected
    assert [invoice.paid_at for invoice in invoices[1:]] == [end + clock.HOUR for end in expected]
    # An invoice closes the period before: what was used in it stands there.
    assert [invoice.period_ends_at for invoice in invoices[1:]] == expected
    assert [invoice.period_starts_at for invoice in invoices[2:]] == expected[:-1]
    assert len({invoice.number for invoice in invoices}) == 13


@pytest.mark.parametrize(
    ("price", "ends"),
    [
        (replace(PRO, interval="week"), ["2027-02-07", "2027-02-14", "2027-02-21"]),
        (replace(PRO, interval="day", interval_count=10), ["2027-02-10", "2027-02-20", "2027-03-02"]),
        (YEARLY, ["2028-01-31", "2029-01-31", "2030-01-31"]),
    ],
    ids=["weekly", "every ten days", "yearly"],
)
async def test_other_rhythms(shop: Shop, price: Price, ends: list[str]) -> None:
    await shop.subscribe(price)

    moments = await shop.go(f"{ends[-1]}T23:00:00")

    assert [clock.rfc3339(at)[:10] for at in moments[::2]] == ends
    assert len(await shop.payments()) == 1 + len(ends)


async def test_at_the_end_of_the_period_all_is_told_at_that_moment(shop: Shop) -> None:
    await shop.subscribe(TOKENS, PRO)
    before = len(await shop.events())

    await shop.go("2027-03-01T00:00:00")

    events = (await shop.events())[before:]
    ends_at = moment("2027-02-28T12:00:00") // clock.SECOND
    assert [(event["type"], event["created"] - ends_at) for event in events] == [
        ("invoice.created", 0),
        ("customer.subscription.updated", 0),
        ("invoice.finalized", 3600),
        ("charge.succeeded", 3600),
        ("payment_intent.succeeded", 3600),
        ("invoice.paid", 3600),
    ]
    updated = events[1]["data"]
    assert set(updated["previous_attributes"]) == {"items", "latest_invoice"}
    assert {item["current_period_start"] for item in updated["object"]["items"]["data"]} == {ends_at}


async def test_usage_is_put_on_the_draft_within_the_hour(shop: Shop) -> None:
    await shop.subscribe(PRO, TOKENS)
    await shop.go("2027-02-28T12:59:59")
    draft = (await shop.invoices())[-1]
    assert draft.status == "draft"

    await shop.use(draft.id, 250, "usage:tokens:1")
    await shop.use(draft.id, 250, "usage:tokens:1")
    await shop.use(draft.id, 40, "usage:words:1")
    await shop.wait(minutes=1)

    paid = (await shop.invoices())[-1]
    assert (paid.id, paid.status, paid.total, paid.amount_paid) == (draft.id, "paid", 3290, 3290)
    assert [(line.key, line.amount, line.quantity) for line in paid.lines[1:]] == [
        ("usage:tokens:1", 250, 250),
        ("usage:words:1", 40, 40),
    ]
    with pytest.raises(GatewayRefused, match="finalized"):
        await shop.use(draft.id, 1, "usage:late:1")
    await shop.use(draft.id, 250, "usage:tokens:1")  # that it stands there is no news


async def test_a_free_plan_with_usage_is_billed_for_usage_alone(shop: Shop) -> None:
    await shop.subscribe(replace(PRO, unit_amount=0), TOKENS)
    await shop.go("2027-02-28T12:00:00")
    await shop.use((await shop.invoices())[-1].id, 700)

    await shop.go("2027-04-15")

    assert [invoice.amount_paid for invoice in await shop.invoices()] == [0, 700, 0]
    assert [payment.amount for payment in await shop.payments()] == [700]


async def test_a_trial_ends_with_the_first_charge(shop: Shop) -> None:
    subscription_id = await shop.subscribe(trial_days=10)

    await shop.go("2027-02-10T12:00:00")
    subscription = await shop.subscription(subscription_id)
    await shop.wait(hours=1)

    assert (subscription.status, subscription.period_starts_at) == ("active", moment("2027-02-10T12:00:00"))
    # Months are counted from the trial's end.
    assert subscription.period_ends_at == moment("2027-03-10T12:00:00")
    assert [payment.created_at for payment in await shop.payments()] == [moment("2027-02-10T13:00:00")]
    assert [invoice.amount_paid for invoice in await shop.invoices()] == [0, 3000]


@pytest.mark.parametrize(
    ("told", "paid"),
    [
        ({"duration": "once"}, [1500, 3000, 3000, 3000]),
        ({"duration": "repeating", "duration_months": 2}, [1500, 1500, 3000, 3000]),
        ({"duration": "forever"}, [1500, 1500, 1500, 1500]),
        ({"percent_off": None, "amount_off": 2900, "currency": "usd"}, [100, 100, 100, 100]),
        ({"percent_off": None, "amount_off": 9000, "currency": "usd", "duration": "once"}, [0, 3000, 3000, 3000]),
    ],
)
async def test_a_coupon_lasts_as_long_as_it_says(shop: Shop, told: dict, paid: list[int]) -> None:
    await shop.subscribe(coupon=coupon(**told))

    await shop.go("2027-05-01")

    assert [invoice.amount_paid for invoice in await shop.invoices()] == paid


@pytest.mark.parametrize("duration", [{"duration": "once"}, {"duration": "repeating", "duration_months": 1}])
async def test_a_coupon_waits_for_the_end_of_the_trial(shop: Shop, duration: dict) -> None:
    await shop.subscribe(trial_days=40, coupon=coupon(**duration))

    await shop.go("2027-05-01")

    assert [invoice.amount_paid for invoice in await shop.invoices()] == [0, 1500, 3000]


async def test_what_a_coupon_leaves_of_its_amount_is_taken_off_usage(shop: Shop) -> None:
    await shop.subscribe(PRO, TOKENS, coupon=coupon(percent_off=None, amount_off=3200, currency="usd"))
    await shop.go("2027-02-28T12:00:00")

    await shop.use((await shop.invoices())[-1].id, 500)

    draft = (await shop.invoices())[-1]
    assert (draft.subtotal, draft.discount, draft.total) == (3500, 3200, 300)


async def test_things_fall_due_in_the_order_of_their_moments(shop: Shop) -> None:
    await shop.subscribe(replace(PRO, interval="week"))
    await shop.wait(hours=3)
    await shop.subscribe(MAX)
    await shop.open(BOOK)

    moments = await shop.go("2027-04-01")

    assert moments == sorted(moments)
    assert [event["created"] for event in await shop.events()] == sorted(
        event["created"] for event in await shop.events()
    )


async def test_nothing_is_due_before_its_moment(shop: Shop) -> None:
    await shop.subscribe()
    ends_at = moment("2027-02-28T12:00:00")

    async with shop.database.read() as tx:
        due = await shop.sandbox.next_due(tx, shop.account)

    assert due == ends_at
    assert await shop.sandbox.advance_next_due(shop.account, ends_at - 1) is None
    assert await shop.sandbox.advance_next_due(shop.account, ends_at) == ends_at
