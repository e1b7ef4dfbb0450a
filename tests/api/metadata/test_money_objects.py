"""`metadata` of money objects: given at the checkout, and on all that comes of it; the dashboard shows it."""

import pytest
from sqlalchemy import select

from dream_api.gateways.sandbox.tables import sandbox_objects
from tests.api.metadata.conftest import CAMPAIGN
from tests.billing.developer import DECLINED, URLS, Seller, monthly
from tests.support.instance import Instance
from tests.support.storefront import Storefront

pytestmark = pytest.mark.both


async def test_an_object_without_metadata_shows_an_empty_object(seller: Seller):
    subscription = await seller.subscribe("ada", "pro")
    [payment] = (await seller.get("/api/payments"))["data"]
    shown = [
        subscription,
        payment,
        *(await seller.get("/api/invoices"))["data"],
        await seller.post(f"/api/payments/{payment['id']}/refunds", {"amount": 1}),
        await seller.get("/api/customers/userId:ada"),
        await seller.get("/tiers/pro"),
        *(await seller.get("/tiers/pro"))["prices"],
        await seller.post("/api/create-checkout", {"tier": "pro", **URLS}, **{"X-User-Id": "bob"}),
    ]

    assert [each["metadata"] for each in shown] == [{}] * len(shown)


async def test_what_a_checkout_had_is_on_the_subscription_and_its_money(instance: Instance, seller: Seller):
    body = {"tier": "pro", **URLS, "metadata": CAMPAIGN}
    checkout = await seller.post("/api/create-checkout", body, **{"X-User-Id": "ada"})
    page = "/sandbox/checkout/" + checkout["url"].rpartition("/")[2]
    await seller.pay(page, DECLINED)
    await seller.pay(page)
    [subscription] = (await seller.get("/api/subscriptions"))["data"]
    await seller.advance_to(subscription["currentPeriodEnd"])
    await seller.advance(hours=2)

    invoices = await seller.invoices(subscription)
    payments = (await seller.get("/api/payments"))["data"]

    assert (len(invoices), len(payments)) == (2, 2)
    for each in (checkout, subscription, *invoices, *payments):
        assert each["metadata"] == CAMPAIGN
    assert (await seller.get("/api/customers/userId:ada"))["metadata"] == {}
    events = (await seller.get("/api/events?limit=100"))["data"]
    assert {event["type"] for event in events} >= {"subscription.created", "invoice.paid", "payment.failed"}
    assert [event["data"]["metadata"] for event in events] == [CAMPAIGN] * len(events)
    async with instance.database.read() as tx:
        at_gateway = await tx.all(select(sandbox_objects.c.document, sandbox_objects.c.hidden))
    assert len(at_gateway) > 5
    assert "campaign" not in repr(at_gateway)


async def test_a_change_of_the_subscription_leaves_its_metadata(seller: Seller):
    await seller.post("/tiers", {"name": "team", "prices": [monthly("50")]})
    subscription = await seller.subscribe("ada", "pro", metadata=CAMPAIGN)

    changed = await seller.post(f"/api/subscriptions/{subscription['id']}/change", {"tier": "team"})

    assert (changed["plan"], changed["metadata"]) == ("team", CAMPAIGN)
    assert [each["metadata"] for each in await seller.invoices(subscription)] == [CAMPAIGN] * 2


async def test_a_repeated_checkout_has_the_metadata_of_the_first(seller: Seller):
    once = {"X-User-Id": "ada", "Idempotency-Key": "once"}
    body = {"tier": "pro", **URLS, "metadata": CAMPAIGN}
    first = await seller.post("/api/create-checkout", body, **once)

    again = await seller.post("/api/create-checkout", body, **once)
    other = await seller.ask("POST", "/api/create-checkout", body | {"metadata": {}}, **once)

    assert again == first
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_a_refund_has_its_own(seller: Seller):
    await seller.subscribe("ada", "pro", metadata=CAMPAIGN)
    [payment] = (await seller.get("/api/payments"))["data"]
    path = f"/api/payments/{payment['id']}/refunds"

    refund = await seller.post(path, {"amount": 500, "metadata": {"ticket": "17"}})

    assert refund["metadata"] == {"ticket": "17"}
    assert (await seller.get(path))["data"] == [refund]
    assert (await seller.get(f"/api/payments/{payment['id']}"))["metadata"] == CAMPAIGN


async def test_what_a_cart_had_is_on_the_order_and_its_payment(storefront: Storefront):
    mug = await storefront.sell("mug")
    shop = Seller(storefront.instance.api, storefront.sk)
    checkout = (await storefront.cart((mug, 2), metadata=CAMPAIGN)).json()
    await storefront.pay(checkout["url"])
    refund = (await storefront.refund(checkout["orderId"], amount=100, metadata={"ticket": "17"})).json()

    order = await storefront.order(checkout["orderId"])

    assert checkout["metadata"] == order["metadata"] == CAMPAIGN
    assert [each["metadata"] for each in order["payments"]] == [CAMPAIGN]
    assert [each["metadata"] for each in order["refunds"]] == [refund["metadata"]] == [{"ticket": "17"}]
    assert [each["metadata"] for each in (await shop.get("/api/orders"))["data"]] == [CAMPAIGN]
    data = {event["type"]: event["data"] for event in (await shop.get("/api/events"))["data"]}
    assert data["order.completed"]["metadata"] == data["payment.succeeded"]["metadata"] == CAMPAIGN


async def test_an_orders_metadata_is_merged_whatever_its_status(storefront: Storefront):
    mug = await storefront.sell("mug")
    shop = Seller(storefront.instance.api, storefront.sk)
    order_id = await storefront.bought((mug, 1), metadata=CAMPAIGN)
    path = f"/api/orders/{order_id}"

    changed = await shop.ask("PATCH", path, {"metadata": {"tracking": "1Z999", "empty later": ""}})

    assert (changed.status_code, changed.json()["status"]) == (200, "completed")
    assert changed.json()["metadata"] == {"campaign": "spring", "ünïcode": "“ok” 👍\n", "tracking": "1Z999"}
    assert await shop.get(path) == changed.json()
    assert (await shop.ask("PATCH", path, {})).json() == changed.json()
    assert (await shop.ask("PATCH", path, {"metadata": None})).json()["metadata"] == {}
    assert [each["metadata"] for each in (await shop.get(path))["payments"]] == [CAMPAIGN]
    stranger = Seller(storefront.instance.api, storefront.instance.charlie.sk)
    assert (await stranger.ask("PATCH", path, {"metadata": {"a": "b"}})).status_code == 404


async def test_the_dashboard_shows_what_there_is(storefront: Storefront, seller: Seller):
    instance = storefront.instance
    subscription = await seller.subscribe("ada", "pro", metadata={"campaign": "<b>spring</b>"})
    customer = await seller.ask("PATCH", "/api/customers/userId:ada", {"metadata": {"campaign": "<b>spring</b>"}})
    mug = await storefront.sell("mug", metadata={"campaign": "<b>spring</b>"})
    order_id = await storefront.bought((mug, 1), metadata={"campaign": "<b>spring</b>"})
    empty = await storefront.sell("cup")
    plain = await storefront.bought((empty, 1))
    saas, store = [f"/dashboard/{each.project.id}/test" for each in (instance.alice, storefront.account)]
    pages = [
        f"{saas}/customers/{customer.json()['id']}",
        f"{saas}/subscriptions/{subscription['id']}",
        f"{store}/tiers/mug",
        f"{store}/orders/{order_id}",
    ]

    for path, owner, is_there in [
        *((page, instance.alice if page.startswith(saas) else storefront.account, True) for page in pages),
        (f"{store}/tiers/cup", storefront.account, False),
        (f"{store}/orders/{plain}", storefront.account, False),
        (f"{saas}/tiers/pro", instance.alice, False),
    ]:
        seen = await instance.api.get(path, headers=owner.cookie())
        assert seen.status_code == 200, path
        assert ("<h2>Metadata</h2>" in seen.text) is is_there, path
        assert ("<code>&lt;b&gt;spring&lt;/b&gt;</code>" in seen.text) is is_there, path
