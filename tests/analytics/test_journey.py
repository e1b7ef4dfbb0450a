"""The figures of what was really sold, renewed, refunded and left, by the test clock."""

from typing import Any

import pytest

from dream_api.core import clock
from tests.analytics import recomputed
from tests.billing.developer import LATER_DECLINED, Seller, monthly
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.slow


@pytest.fixture
async def saas(instance: Instance, alice: Account) -> Seller:
    seller = Seller(instance.api, alice.sk)
    await seller.post("/tiers", {"name": "pro", "limit": 1_000, "prices": [monthly("20")]})
    await seller.post("/tiers", {"name": "trial", "limit": 1_000, "trialDays": 7, "prices": [monthly("30")]})
    return seller


def usd(amount: int) -> dict[str, Any]:
    return {"currency": "usd", "amount": amount, "price": f"{amount // 100}.{amount % 100:02}"}


async def test_figures_follow_what_is_sold(instance: Instance, alice: Account, saas: Seller):
    ada = await saas.subscribe("ada", "pro")
    bob = await saas.subscribe("bob", "pro", LATER_DECLINED)
    await saas.subscribe("eve", "trial")

    begun = await saas.get("/api/dashboard")

    assert (begun["mrr"], begun["trialMrr"]) == ([usd(4_000)], [usd(3_000)])
    assert {name: number for name, number in begun["subscriptions"]["byStatus"].items() if number} == {
        "trialing": 1,
        "active": 2,
    }
    assert [(one["gross"], one["net"]) for one in begun["revenue"]] == [(usd(4_000), usd(4_000))]

    # A month later: ada has paid again and gets a part of it back, bob's card is refused, eve's trial became a plan.
    await saas.advance(beyond=ada["currentPeriodEnd"], hours=2)
    [paid, *_] = (await saas.get("/api/payments?status=succeeded&limit=100"))["data"]
    await saas.post(f"/api/payments/{paid['id']}/refunds", {"amount": 500})
    later = await saas.get("/api/dashboard?days=20")

    assert (later["mrr"], later["trialMrr"]) == ([usd(7_000)], [])
    assert later["subscriptions"]["byStatus"]["past_due"] == 1
    assert (later["subscriptions"]["heldAtStart"], later["subscriptions"]["churn"]) == (3, 0.0)
    assert [(one["gross"], one["refunded"]) for one in later["revenue"]] == [(usd(2_000), usd(500))]

    # Bob never pays: after 14 days his plan ends.
    await saas.advance(beyond=bob["currentPeriodEnd"], days=15)
    left = await saas.get("/api/dashboard?days=15")

    assert left["mrr"] == [usd(5_000)]
    assert (left["subscriptions"]["lost"], left["subscriptions"]["churn"]) == (1, 0.3333)
    async with instance.database.read() as tx:
        ahead = (await saas.get("/test-clock"))["aheadSeconds"] * clock.SECOND
        assert left == await recomputed.dashboard(tx, alice.project, "test", clock.now() + ahead, 15)
