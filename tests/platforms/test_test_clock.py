"""What ends or counts by the test clock of a project, and what in real time."""

from dream_api.core import clock
from tests.billing.developer import URLS, Seller, monthly
from tests.support.instance import Account, Instance
from tests.support.project_clocks import advance

AHEAD = 40 * clock.DAY


async def test_a_coupon_ends_by_the_projects_clock(instance: Instance, alice: Account):
    await advance(instance, alice, AHEAD)
    codes: dict[str, int] = {}
    for code, at in (("OVER", clock.now() + AHEAD - clock.MINUTE), ("SOON", clock.now() + AHEAD + clock.MINUTE)):
        body = {"code": code, "percentOff": 50, "expiresAt": clock.rfc3339(at)}
        codes[code] = (await instance.api.post("/coupons", headers=alice.sk, json=body)).status_code

    assert codes == {"OVER": 422, "SOON": 201}


async def test_a_reservation_stays_on_a_customers_page_until_it_expires_in_real_time(
    instance: Instance, alice: Account
):
    await instance.set_limit(alice, "free", 10)
    seller = Seller(instance.api, alice.sk)
    await seller.count("ada", 3)
    await advance(instance, alice, AHEAD)
    await seller.count("ada", 1)
    await seller.post("/api/usage/reserve", {"quantity": 5, "ttlSeconds": 60}, **{"X-User-Id": "ada"})
    url = f"/dashboard/{alice.project.id}/test/customers/{(await seller.get('/api/customers'))['data'][0]['id']}"

    async def shown() -> tuple[int, bool]:
        text = (await instance.api.get(url, headers=alice.cookie())).text
        return (await seller.usage("ada"))["remaining"], "; 5 reserved" in text

    held = await shown()
    clock.move(61 * clock.SECOND)

    assert (held, await shown()) == ((4, True), (9, False))


async def test_new_customers_are_those_of_the_projects_last_days(instance: Instance, alice: Account):
    seller = Seller(instance.api, alice.sk)
    await seller.count("ada", 1)
    await advance(instance, alice, AHEAD)
    await seller.count("bob", 1)
    await seller.post("/api/customers", {"userId": "eve"})

    found = (await seller.get("/api/dashboard?days=30"))["customers"]

    assert found == {"active": 3, "new": 2}


async def test_an_idempotency_key_of_a_checkout_ends_in_real_time(instance: Instance, alice: Account):
    seller = Seller(instance.api, alice.sk)
    await seller.post("/tiers", {"name": "pro", "prices": [monthly("20")]})
    await advance(instance, alice, AHEAD)
    asked = {"tier": "pro", **URLS}
    headers = {"X-User-Id": "ada", "Idempotency-Key": "once"}

    first = await seller.post("/api/create-checkout", asked, **headers)
    await advance(instance, alice, 10 * clock.MINUTE)
    again = await seller.post("/api/create-checkout", asked, **headers)
    clock.move(clock.DAY + clock.MINUTE)
    later = await seller.post("/api/create-checkout", asked, **headers)

    assert again == first
    assert later["url"] != first["url"]
