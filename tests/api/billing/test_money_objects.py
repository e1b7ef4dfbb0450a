"""Payments, refunds and invoices have the same fields wherever they are shown, and a list of them is one query."""

from typing import Any

import pytest

from tests.billing.developer import Seller, monthly
from tests.support.instance import Instance
from tests.support.statements import questions
from tests.support.storefront import DECLINED, Storefront

BARE_NAMES = {"customer", "subscription", "payment", "invoice", "order", "refund"}


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    alice = Seller(instance.api, instance.alice.sk)
    await alice.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    return alice


def whose(shown: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(shown[name] for name in ("customerId", "userId", "subscriptionId"))


async def test_all_that_a_subscription_costs_names_its_customer_and_each_other(seller: Seller):
    subscription = await seller.subscribe("ada", "pro")
    customer = await seller.get("/api/customers/userId:ada")
    [payment] = (await seller.get("/api/payments"))["data"]
    [invoice] = (await seller.get("/api/invoices"))["data"]

    refund = await seller.post(f"/api/payments/{payment['id']}/refunds", {"amount": 500})

    assert (subscription["customerId"], subscription["userId"]) == (customer["id"], "ada")
    assert {whose(each) for each in (payment, invoice, refund)} == {(customer["id"], "ada", subscription["id"])}
    assert invoice["paymentId"] == refund["paymentId"] == payment["id"]
    assert payment["invoiceId"] == refund["invoiceId"] == invoice["id"]
    assert payment["orderId"] is refund["orderId"] is None
    for each in (subscription, payment, invoice, refund):
        assert not BARE_NAMES & set(each)


async def test_an_object_is_the_same_in_a_list_and_by_itself(seller: Seller):
    await seller.subscribe("ada", "pro")
    for path in ("/api/payments", "/api/invoices", "/api/subscriptions"):
        [listed] = (await seller.get(path))["data"]
        assert await seller.get(f"{path}/{listed['id']}") == listed


async def test_events_name_objects_by_their_ids_as_the_objects_do(seller: Seller):
    subscription = await seller.subscribe("ada", "pro")
    [payment] = (await seller.get("/api/payments"))["data"]
    refund = await seller.post(f"/api/payments/{payment['id']}/refunds", {"amount": 500})

    events = {event["type"]: event["data"] for event in (await seller.get("/api/events"))["data"]}

    names = {type_: {name: data[name] for name in data if name.endswith("Id")} for type_, data in events.items()}
    assert names == {
        "subscription.created": {"subscriptionId": subscription["id"], "userId": "ada"},
        "invoice.paid": {"invoiceId": payment["invoiceId"], "subscriptionId": subscription["id"]},
        "payment.succeeded": {"paymentId": payment["id"]},
        "payment.refunded": {"paymentId": payment["id"], "refundId": refund["id"]},
    }
    assert [data for data in events.values() if BARE_NAMES & set(data)] == []


async def test_events_of_a_store_name_the_order_and_its_payment(storefront: Storefront):
    mug = await storefront.sell("mug")
    order_id = await storefront.bought((mug, 2))
    await storefront.refund(order_id)
    shop = Seller(storefront.instance.api, storefront.sk)

    events = {event["type"]: event["data"] for event in (await shop.get("/api/events"))["data"]}

    assert {type_ for type_, data in events.items() if data.get("orderId") == order_id} == {
        "order.completed",
        "order.refunded",
    }
    assert {"payment.succeeded", "payment.refunded"} < events.keys()
    assert [data for data in events.values() if BARE_NAMES & set(data)] == []


async def test_an_order_shows_its_payments_and_refunds_as_everybody_does(storefront: Storefront):
    mug = await storefront.sell("mug")
    shop = Seller(storefront.instance.api, storefront.sk)
    order_id = await storefront.bought((mug, 2), userId="ada")

    refund = (await storefront.refund(order_id, amount=700)).json()

    order = await storefront.order(order_id)
    path = f"/api/payments/{order['paymentId']}"
    assert order["payments"] == [await shop.get(path)]
    assert order["refunds"] == (await shop.get(f"{path}/refunds"))["data"] == [refund]
    customer = await shop.get("/api/customers/userId:ada")
    for each in (order, *order["payments"], refund):
        assert (each["customerId"], each["userId"]) == (customer["id"], "ada")
    assert [each["orderId"] for each in (*order["payments"], refund)] == [order_id, order_id]
    assert (refund["paymentId"], refund["invoiceId"], refund["subscriptionId"]) == (order["paymentId"], None, None)


async def test_a_buyer_who_is_no_customer_has_no_id(storefront: Storefront):
    mug = await storefront.sell("mug")
    order = await storefront.order(await storefront.bought((mug, 1)))

    [payment] = order["payments"]

    assert {whose(payment), (order["customerId"], order["userId"], None)} == {(None, None, None)}
    assert payment["orderId"] == order["id"]


async def test_an_unpaid_order_has_no_payment(storefront: Storefront):
    mug = await storefront.sell("mug")
    order_id, page = await storefront.sent_to_pay((mug, 1))
    with pytest.raises(Exception, match="declined"):
        await storefront.pay(page, DECLINED)

    order = await storefront.order(order_id)

    assert (order["paymentId"], order["refunds"]) == (None, [])
    assert [(payment["status"], payment["orderId"]) for payment in order["payments"]] == [("failed", order_id)]


async def test_another_projects_money_is_not_shown(instance: Instance, seller: Seller):
    await seller.subscribe("ada", "pro")
    [payment] = (await seller.get("/api/payments"))["data"]
    [invoice] = (await seller.get("/api/invoices"))["data"]

    for headers in (instance.charlie.sk, instance.alice.live):
        stranger = Seller(instance.api, headers)
        for path in ("/api/payments", "/api/invoices", f"/api/payments?customerId={payment['customerId']}"):
            assert (await stranger.get(path))["data"] == []
        for path in (f"/api/payments/{payment['id']}", f"/api/invoices/{invoice['id']}"):
            assert (await stranger.ask("GET", path)).status_code == 404


@pytest.mark.parametrize("path", ["/api/payments", "/api/invoices", "/api/subscriptions"])
async def test_a_list_is_one_query(seller: Seller, path: str):
    for user in ("ada", "bob", "eve"):
        await seller.subscribe(user, "pro")
    await seller.get(path)  # the key is cached from here on

    with questions() as asked:
        page = await seller.get(path)

    assert len(page["data"]) == 3
    assert len(asked) == 1, asked


async def test_an_order_is_read_by_as_many_queries_however_much_it_has(storefront: Storefront):
    mug, cup = await storefront.sell("mug"), await storefront.sell("cup")
    small = await storefront.bought((mug, 1))
    large = await storefront.bought((mug, 3), (cup, 2))
    for order_id, times in ((small, 1), (large, 3)):
        for _ in range(times):
            await storefront.refund(order_id, amount=100)
    counts: list[int] = []

    for order_id in (small, large):
        with questions() as asked:
            await storefront.order(order_id)
        counts.append(len(asked))

    assert counts == [5, 5]
