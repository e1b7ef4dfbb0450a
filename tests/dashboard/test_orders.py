"""Orders on the dashboard: seen, refunded by their units, canceled."""

from httpx2 import Response

from tests.support.instance import Instance
from tests.support.storefront import Storefront, open_storefront


async def _post(shop: Storefront, path: str, **fields: str) -> Response:
    base = f"/dashboard/{shop.account.project.id}/test/orders"
    return await shop.instance.api.post(
        f"{base}/{path}", headers=shop.account.cookie(), data=shop.account.form(**fields)
    )


async def _page(shop: Storefront, path: str = "") -> str:
    base = f"/dashboard/{shop.account.project.id}/test/orders"
    answer = await shop.instance.api.get(f"{base}{path}", headers=shop.account.cookie())
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_units_go_back_and_on_sale_again_once(instance: Instance) -> None:
    shop = await open_storefront(instance)
    mug = await shop.sell("mug", inventory=5)
    order = await shop.bought((mug, 3))

    wrong = await _post(shop, f"{order}/refund", **{"line.1": "4", "once": "a"})
    both = await _post(shop, f"{order}/refund", **{"line.1": "1", "amount": "5", "once": "b"})
    for _ in range(2):
        sent = await _post(shop, f"{order}/refund", **{"line.1": "2", "restock": "on", "once": "c", "reason": "broken"})
        assert sent.status_code == 303
    page = await _page(shop, f"/{order}")

    assert (wrong.status_code, "The refund quantity of line 1 can be at most 3." in wrong.text) == (422, True)
    assert (both.status_code, 'name="line.1" type="text" value="1"' in both.text) == (422, True)
    assert "−$20.00" in page
    assert "broken" in page
    assert "Refunded: $20.00" in page
    assert await shop.inventory("mug") == 4


async def test_an_order_that_is_being_paid_can_be_canceled(instance: Instance) -> None:
    shop = await open_storefront(instance)
    mug = await shop.sell("mug", inventory=1)
    order, _ = await shop.sent_to_pay((mug, 1))

    canceled = await _post(shop, f"{order}/cancel")
    paid = await shop.bought((mug, 1))
    refused = await _post(shop, f"{paid}/cancel")

    assert canceled.status_code == 303
    assert (await shop.order(order))["status"] == "canceled"
    assert (refused.status_code, "The order is already paid." in refused.text) == (422, True)


async def test_orders_are_filtered_sorted_and_exported(instance: Instance) -> None:
    shop = await open_storefront(instance)
    mug = await shop.sell("mug")
    await shop.bought((mug, 1), email="ada@example.com")
    await shop.sent_to_pay((mug, 1), email="grace@example.com")

    listed = await _page(shop, "?sort=oldest")
    paid = await _page(shop, "?status=completed")
    csv = await _page(shop, ".csv")

    assert listed.index("ada@") < listed.index("grace@")
    assert "grace@" not in paid
    assert [line.split(",")[0] for line in csv.splitlines()] == ["number", "2", "1"]
    assert "Nothing found" in await _page(shop, "?email=nobody@example.com")
