"""GET /tiers and GET /api/products."""

from typing import Any

from dream_api.store.tables import stock
from tests.support.cases import each_case
from tests.support.instance import Account, Instance, bearer

MONTHLY = {"amount": 1999, "currency": "usd"}


async def make(instance: Instance, account: Account, name: str, **more: Any) -> dict[str, Any]:
    answer = await instance.api.post("/tiers", headers=account.sk, json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_tiers_are_listed_page_by_page_newest_first(instance: Instance, alice: Account) -> None:
    made = [await make(instance, alice, f"tier-{n}", prices=[MONTHLY], limit=n) for n in range(5)]

    for path in ("/tiers", "/api/products"):
        names: list[str] = []
        after = ""
        while True:
            page = (await instance.api.get(f"{path}?limit=2{after}", headers=alice.sk)).json()
            names += [one["name"] for one in page["data"]]
            if page["nextCursor"] is None:
                break
            after = f"&after={page['nextCursor']}"
        assert names == [*(one["name"] for one in reversed(made)), "free"]
    whole = (await instance.api.get("/tiers", headers=alice.sk)).json()
    assert (whole["data"][:-1], whole["nextCursor"]) == (made[::-1], None)


@each_case("query", ["limit=0", "limit=101", "limit=x", "after=1", "after=cus_01k9q3v8zd0g2m4n6p8r0t2v4w"])
async def test_odd_pages_are_refused(instance: Instance, alice: Account, query: str) -> None:
    for path in ("/tiers", "/api/products"):
        answer = await instance.api.get(f"{path}?{query}", headers=alice.sk)
        assert (answer.status_code, answer.json()["param"]) == (422, query.partition("=")[0])


async def test_a_browser_sees_what_is_sold_and_no_more(instance: Instance, alice: Account) -> None:
    pro = await make(instance, alice, "pro", prices=[MONTHLY], description="For teams.", trialDays=7, number=3)
    await make(instance, alice, "secret", isVisible=False)

    seen = await instance.api.get("/api/products", headers=bearer(alice.publishable["test"]))

    shown, free = seen.json()["data"]
    assert seen.status_code == 200
    assert free["name"] == "free"
    pro["prices"] = [{name: price[name] for name in price if name != "metadata"} for price in pro["prices"]]
    assert shown == {name: pro[name] for name in shown}
    assert set(pro) - set(shown) == {
        *("number", "limits", "isVisible", "default", "inventory", "lowInventory"),
        *("metadata", "mode", "createdAt", "updatedAt", "archivedAt"),
    }


async def test_the_publishable_key_may_come_in_its_own_header(instance: Instance, alice: Account) -> None:
    live = await instance.api.post("/tiers", headers=alice.live, json={"name": "only-live"})
    seen = await instance.api.get("/api/products", headers={"X-Publishable-Key": alice.publishable["live"]})

    assert [one["name"] for one in seen.json()["data"]] == [live.json()["name"], "free"]


async def test_a_publishable_key_reads_no_tiers_and_no_coupons(instance: Instance, alice: Account) -> None:
    for path in ("/tiers", "/tiers/free", "/coupons"):
        answer = await instance.api.get(path, headers=bearer(alice.publishable["test"]))
        assert (answer.status_code, answer.json()["code"]) == (403, "secret_key_required")


async def test_without_a_key_nothing_is_sold(instance: Instance) -> None:
    for headers in ({}, {"X-Publishable-Key": "pk_test_x"}, bearer("nonsense")):
        assert (await instance.api.get("/api/products", headers=headers)).status_code == 401


async def test_what_is_not_there_is_sold_out(instance: Instance, shop: Account) -> None:
    stocked = {name: await make(instance, shop, name, inventory=2) for name in ("held", "left", "said")}
    await make(instance, shop, "none", inventory=0)
    await make(instance, shop, "endless")
    await instance.api.put("/tiers/said", headers=shop.sk, json={"soldOut": True})
    async with instance.database.write() as tx:
        await tx.execute(stock.update().where(stock.c.tier_id == stocked["held"]["id"]).values(held=2))

    products = (await instance.api.get("/api/products", headers=shop.sk)).json()["data"]
    tiers = (await instance.api.get("/tiers", headers=shop.sk)).json()["data"]

    assert {one["name"]: one["soldOut"] for one in products} == {
        "held": True,
        "left": False,
        "said": True,
        "none": True,
        "endless": False,
    }
    assert [one["name"] for one in tiers if one["soldOut"]] == ["said"]


async def test_everybody_sees_their_own(instance: Instance, alice: Account, charlie: Account) -> None:
    hers = await make(instance, alice, "hers")

    for path in ("/tiers", "/api/products"):
        for headers in (charlie.sk, alice.live):
            listed = (await instance.api.get(path, headers=headers)).json()["data"]
            assert [one["name"] for one in listed] == ["free"]
            beyond = (await instance.api.get(f"{path}?after={hers['id']}", headers=headers)).json()["data"]
            assert hers["id"] not in {one["id"] for one in beyond}
