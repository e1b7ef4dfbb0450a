"""Customers who are blocked or deleted are not charged any more; who is unblocked is, from the next period on."""

import httpx2 as httpx
import pytest
from sqlalchemy import update

from dream_api.billing import customer_status
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope
from tests.billing.developer import LATER_DECLINED, Seller, at, metered, monthly
from tests.support.instance import Instance
from tests.usage.test_integrity import contradicted

pytestmark = pytest.mark.rest


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    alice = Seller(instance.api, instance.alice.sk)
    await alice.post("/tiers", {"name": "pro", "prices": [monthly("20")]})
    await alice.post("/tiers", {"name": "used", "prices": [monthly("20"), metered("requests", 1, 1)]})
    await alice.post("/tiers", {"name": "tried", "prices": [monthly("20")], "trialDays": 14})
    return alice


async def set_status(seller: Seller, status: str, user: str = "ada") -> None:
    answer = await seller.ask("PATCH", f"/api/customers/userId:{user}", {"status": status})
    assert answer.status_code == 200, answer.text


async def delete(seller: Seller, query: str = "") -> httpx.Response:
    return await seller.ask("DELETE", f"/api/customers/userId:ada{query}")


async def test_a_blocked_customer_is_charged_nothing_and_has_no_plan(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "pro")

    await set_status(seller, "blocked")
    paused = await seller.subscription(bought)
    await seller.advance(days=100)

    assert paused["status"] == "paused"
    assert (await seller.subscription(bought))["status"] == "paused"
    assert len(await seller.invoices(bought)) == 1
    assert (await seller.get("/api/customers/userId:ada"))["plan"] is None
    assert await contradicted(instance) == set()


async def test_who_is_unblocked_in_a_paid_period_has_the_rest_of_it(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "pro")
    await set_status(seller, "blocked")
    await seller.advance(days=10)

    await set_status(seller, "active")

    resumed = await seller.subscription(bought)
    assert (resumed["status"], resumed["currentPeriodEnd"]) == ("active", bought["currentPeriodEnd"])
    assert (await seller.get("/api/customers/userId:ada"))["plan"] == "pro"
    await seller.advance(hours=2, beyond=bought["currentPeriodEnd"])
    assert [each["status"] for each in await seller.invoices(bought)] == ["paid", "paid"]
    assert await contradicted(instance) == set()


async def test_periods_that_passed_are_not_charged_and_the_next_one_is(instance: Instance, seller: Seller):
    """Unblocked in an unpaid period, the subscription waits for the next one, whatever is clicked how often."""
    bought = await seller.subscribe("ada", "pro")
    await set_status(seller, "blocked")
    await seller.advance(days=40, beyond=bought["currentPeriodEnd"])
    for status in ("active", "blocked", "active", "active"):
        await set_status(seller, status)

    waiting = await seller.subscription(bought)
    assert waiting["status"] == "paused"
    assert at(waiting["currentPeriodEnd"]) > at(await seller.now())
    await seller.advance(hours=2, beyond=waiting["currentPeriodEnd"])

    resumed = await seller.subscription(bought)
    assert (resumed["status"], resumed["currentPeriodStart"]) == ("active", waiting["currentPeriodEnd"])
    assert [each["status"] for each in await seller.invoices(bought)] == ["paid", "paid"]
    assert (await seller.get("/api/customers/userId:ada"))["plan"] == "pro"
    assert await contradicted(instance) == set()


async def test_a_draft_of_the_period_that_is_not_had_is_void(instance: Instance, seller: Seller):
    """Blocked within the hour in which the renewal's invoice is a draft."""
    bought = await seller.subscribe("ada", "pro")
    await seller.advance(minutes=10, beyond=bought["currentPeriodEnd"])

    await set_status(seller, "blocked")
    await seller.advance(days=1)
    await set_status(seller, "active")

    assert [each["status"] for each in await seller.invoices(bought)] == ["paid", "void"]
    assert (await seller.subscription(bought))["status"] == "paused"


async def test_usage_of_a_period_that_was_had_is_billed_after_the_pause(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "used")
    await seller.count("ada", 700)
    await seller.advance(minutes=10, beyond=bought["currentPeriodEnd"])

    await set_status(seller, "blocked")
    await seller.advance(days=3)
    drafts = await seller.invoices(bought)
    await set_status(seller, "active")
    await seller.advance(hours=2, beyond=(await seller.subscription(bought))["currentPeriodEnd"])

    assert [each["status"] for each in drafts] == ["paid", "draft"]
    assert [(each["status"], each["total"]) for each in await seller.invoices(bought)] == [
        ("paid", 2_000),
        ("paid", 700),
        ("paid", 2_000),
    ]
    assert await contradicted(instance) == set()


async def test_a_trial_that_ends_meanwhile_is_not_charged(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "tried")
    await set_status(seller, "blocked")

    await seller.advance(days=20)
    await set_status(seller, "active")

    assert (await seller.subscription(bought))["status"] == "paused"
    assert [each["total"] for each in await seller.invoices(bought)] == [0]


async def test_dunning_stands_still_while_the_customer_is_blocked(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "pro", LATER_DECLINED)
    await seller.advance(days=1, beyond=bought["currentPeriodEnd"])
    before = (await seller.invoices(bought))[-1]
    assert (await seller.subscription(bought))["status"] == "past_due"

    await set_status(seller, "blocked")
    await seller.advance(days=20)
    blocked = (await seller.invoices(bought))[-1]
    await set_status(seller, "active")

    assert (blocked["status"], blocked["attempts"]) == ("open", before["attempts"])
    assert (await seller.subscription(bought))["status"] == "past_due"
    await seller.advance(days=3)
    assert (await seller.invoices(bought))[-1]["attempts"] == before["attempts"] + 1


async def test_a_paused_subscription_is_not_changed_and_ends_when_it_was_to_end(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "used")
    await seller.post(f"/api/subscriptions/{bought['id']}/cancel", {"atPeriodEnd": True})
    await set_status(seller, "blocked")

    changed = await seller.ask("POST", f"/api/subscriptions/{bought['id']}/change", {"tier": "pro"})
    await seller.advance(days=1, beyond=bought["currentPeriodEnd"])

    assert (changed.status_code, changed.json()["code"]) == (409, "gateway_refused")
    assert (await seller.subscription(bought))["status"] == "canceled"
    assert len(await seller.invoices(bought)) == 1


async def test_the_job_follows_where_the_request_could_not(instance: Instance, seller: Seller):
    """Twice, and after the customer's status was changed once more: the last one counts."""
    bought = await seller.subscribe("ada", "pro")
    ada = await seller.get("/api/customers/userId:ada")
    project = instance.alice.project
    scope = ProjectScope(project.platform_no, project.id, "test")
    context = instance.app.state.billing
    async with instance.database.write() as tx:
        blocked = update(customers).where(customers.c.platform_no == project.platform_no, customers.c.id == ada["id"])
        await tx.execute(blocked.values(status="blocked"))

    await customer_status.follow_status(context, scope, ada["id"])
    await customer_status.follow_status(context, scope, ada["id"])

    assert (await seller.subscription(bought))["status"] == "paused"


async def test_a_customer_with_a_subscription_is_not_deleted(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "pro")

    refused = await delete(seller)

    assert (refused.status_code, refused.json()["code"]) == (409, "customer_subscribed")
    assert bought["id"] in refused.json()["error"]
    assert (await seller.get("/api/customers/userId:ada"))["status"] == "active"


async def test_deleting_ends_subscriptions_without_another_charge(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "used")
    await seller.count("ada", 700)

    deleted = await delete(seller, "?subscriptions=end")
    ended = await seller.subscription(bought)
    await seller.advance(days=100)

    assert (deleted.status_code, deleted.json()["status"]) == (200, "deleted")
    assert (ended["status"], ended["cancelReason"]) == ("canceled", "customer_deleted")
    assert [each["total"] for each in await seller.invoices(bought)] == [2_000]
    assert (await delete(seller)).status_code == 200
    assert await contradicted(instance) == set()


async def test_what_is_drafted_when_the_customer_is_deleted_is_void(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "used")
    await seller.count("ada", 700)
    await seller.advance(minutes=10, beyond=bought["currentPeriodEnd"])

    await delete(seller, "?subscriptions=end")
    await seller.advance(days=2)

    assert [each["status"] for each in await seller.invoices(bought)] == ["paid", "void"]
    assert await contradicted(instance) == set()


async def test_after_a_subscription_has_ended_the_customer_can_be_deleted(instance: Instance, seller: Seller):
    bought = await seller.subscribe("ada", "pro")
    await seller.post(f"/api/subscriptions/{bought['id']}/cancel", {"atPeriodEnd": False})

    assert (await delete(seller)).status_code == 200


@pytest.mark.parametrize("how", ["block", "delete"])
async def test_checkouts_opened_before_are_refused(instance: Instance, seller: Seller, how: str):
    page = await seller.checkout("ada", "pro")
    if how == "block":
        await set_status(seller, "blocked")
    else:
        assert (await delete(seller)).status_code == 200

    refused = await seller.pay(page)

    assert (refused.status_code, refused.json()["code"]) == (409, "gateway_refused")
    assert (await seller.get("/api/subscriptions?userId=ada"))["data"] == []
