"""Money goes back: by a refund, or because the buyer's bank takes it."""

import asyncio

import pytest

from dream_api.core import clock
from dream_api.gateways.contract import GatewayRefused
from tests.gateways.sandbox.shop import BOOK, DECLINED, DISPUTED, KEEPS_REFUNDS, PRO, Shop


async def bought(shop: Shop, card: str = "4242424242424242") -> str:
    """A payment of 15.00."""
    return (await shop.buy(BOOK, card=card))["payment_intent"]


async def test_parts_go_back_until_nothing_is_left(shop: Shop) -> None:
    payment_id = await bought(shop)
    before = len(await shop.events())

    first = await shop.refund(payment_id, 500, reason="requested_by_customer", metadata={"refund": "ref_1"})
    [charge] = await shop.documents("charge")
    assert (charge["amount_refunded"], charge["refunded"]) == (500, False)
    await shop.refund(payment_id, 1000)

    [charge] = await shop.documents("charge")
    assert (charge["amount_refunded"], charge["refunded"]) == (1500, True)
    [payment] = await shop.payments()
    assert payment.status == "succeeded"
    told = payment.refunds[0]
    assert (told.id, told.amount, told.status, told.reason) == (first, 500, "succeeded", "requested_by_customer")
    assert (told.metadata, told.created_at) == ({"refund": "ref_1"}, shop.now)
    assert (await shop.told(before)) == ["refund.created", "charge.refunded"] * 2
    with pytest.raises(GatewayRefused):
        await shop.refund(payment_id, 1)


@pytest.mark.parametrize("amount", [0, -1, 1501])
async def test_never_more_than_was_paid(shop: Shop, amount: int) -> None:
    payment_id = await bought(shop)

    with pytest.raises(GatewayRefused, match="At most 1500 of this payment"):
        await shop.refund(payment_id, amount)

    assert await shop.documents("refund") == []


async def test_of_many_refunds_at_once_those_that_fit_go_through(shop: Shop) -> None:
    payment_id = await bought(shop)

    ends = await asyncio.gather(*(shop.refund(payment_id, 600) for _ in range(4)), return_exceptions=True)

    assert sum(isinstance(end, str) for end in ends) == 2
    assert sum(refund["amount"] for refund in await shop.documents("refund")) == 1200


async def test_one_key_is_one_refund(shop: Shop) -> None:
    payment_id = await bought(shop)

    ids = {await shop.refund(payment_id, 500, key="again") for _ in range(3)}

    assert len(ids) == len(await shop.documents("refund")) == 1


async def test_a_refund_that_fails_gives_nothing_back(shop: Shop) -> None:
    payment_id = await bought(shop, KEEPS_REFUNDS)

    await shop.refund(payment_id, 500)

    [payment] = await shop.payments()
    assert [(refund.amount, refund.status) for refund in payment.refunds] == [(500, "failed")]
    assert (await shop.documents("charge"))[0]["amount_refunded"] == 0
    assert (await shop.told())[-1] == "refund.created"


async def test_what_was_not_paid_is_not_given_back(shop: Shop) -> None:
    session_id = await shop.open(BOOK)
    with pytest.raises(Exception, match="declined"):
        await shop.sandbox.pay(session_id, DECLINED)
    [payment] = await shop.payments()

    with pytest.raises(GatewayRefused, match="Only successful payments"):
        await shop.refund(payment.id, 100)
    with pytest.raises(GatewayRefused, match="has no payment_intent"):
        await shop.refund(session_id, 100)


async def test_a_dispute_is_lost_after_a_week(shop: Shop) -> None:
    payment_id = await bought(shop, DISPUTED)
    paid_at = shop.now

    [payment] = await shop.payments()
    [dispute] = payment.disputes
    assert (dispute.amount, dispute.status, dispute.reason) == (1500, "open", "fraudulent")
    assert (await shop.documents("dispute"))[0]["status"] == "needs_response"
    with pytest.raises(GatewayRefused, match="disputed"):
        await shop.refund(payment_id, 100)

    assert await shop.wait(days=10) == [paid_at + 7 * clock.DAY]

    [payment] = await shop.payments()
    assert (payment.status, payment.disputes[0].status) == ("succeeded", "lost")
    assert [told for told in await shop.told() if "dispute" in told] == [
        "charge.dispute.created",
        "charge.dispute.closed",
    ]


async def test_every_payment_by_a_disputed_card_is_disputed(shop: Shop) -> None:
    await shop.subscribe(PRO, card=DISPUTED)

    await shop.go("2027-03-15")

    assert [len(payment.disputes) for payment in await shop.payments()] == [1, 1]
