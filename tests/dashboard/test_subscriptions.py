"""Subscriptions on the dashboard: sold by link, changed, canceled, refunded."""

import re

from httpx2 import AsyncClient, Response

from tests.support.instance import Account, Instance
from tests.support.storefront import Storefront

_PRO = {"name": "pro", "displayName": "Pro", "prices": [{"price": "19.99", "currency": "usd"}]}
_TEAM = {
    "name": "team",
    "displayName": "Team",
    "prices": [{"price": "10", "currency": "usd", "billingScheme": "per_unit"}],
}


class _Desk:
    """What Alice does on her pages."""

    def __init__(self, instance: Instance) -> None:
        self.api, self.alice = instance.api, instance.alice
        self.till = Storefront(instance, instance.alice)
        self.base = f"/dashboard/{instance.alice.project.id}/test/subscriptions"

    async def tier(self, body: dict[str, object]) -> str:
        made = await self.api.post("/tiers", headers=self.alice.sk, json=body)
        return made.json()["prices"][0]["id"]

    async def get(self, path: str = "") -> str:
        answer = await self.api.get(f"{self.base}{path}", headers=self.alice.cookie())
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, path: str = "", **fields: str) -> Response:
        return await self.api.post(f"{self.base}{path}", headers=self.alice.cookie(), data=self.alice.form(**fields))

    async def sold(self, price: str, user: str = "ada") -> str:
        """The page of a subscription that was sold by link."""
        made = await self.post(userId=user, price=price, quantity="1", url="http://localhost/thanks")
        assert made.status_code == 303, made.text
        link = made.headers["location"].removeprefix(self.base)
        waiting = await self.get(link)
        [url] = set(re.findall(r'data-copy="([^"]+)"', waiting))
        await self.till.pay(url)
        assert "Paid: $19.99." in await self.get(link)
        [found] = set(re.findall(r"/subscriptions/(sub_[0-9a-z]+)", await self.get(f"?userId={user}")))
        return f"/{found}"


async def test_a_plan_is_sold_by_link_and_the_money_is_seen(instance: Instance) -> None:
    desk = _Desk(instance)

    page = await desk.get(await desk.sold(await desk.tier(_PRO)))

    assert "$19.99" in page
    assert "Succeeded" in page
    assert "Visa 4242" in page
    assert (await instance.usage_of(instance.alice))["plan"] == "pro"


async def test_a_link_that_cannot_be_made_says_why_beside_its_field(instance: Instance) -> None:
    desk = _Desk(instance)
    price = await desk.tier(_PRO)
    fine = {"userId": "ada", "price": price, "quantity": "1", "url": "http://localhost/"}
    cases = {
        "userId": ({**fine, "userId": ""}, "Enter a user ID."),
        "userId ": ({**fine, "userId": "x" * 256}, "A user ID can have at most 255 bytes"),
        "price": ({**fine, "price": "price_0"}, "Choose a price."),
        "quantity": ({**fine, "quantity": "2"}, "The quantity of a flat rate is always 1."),
        "coupon": ({**fine, "coupon": "NONE"}, "This coupon code does not exist."),
        "url": ({**fine, "url": "https://evil.example.com/"}, "is not one of the project"),
    }
    for field, (typed, sentence) in cases.items():
        answer = await desk.post(**typed)

        assert answer.status_code == 422, field
        assert f'id="{field.strip()}-description"' in answer.text, field
        assert sentence in answer.text, field


async def test_in_live_mode_without_a_gateway_nothing_is_sold(
    api: AsyncClient, instance: Instance, alice: Account
) -> None:
    made = await api.post("/tiers", headers=alice.live, json=_PRO)
    fields = alice.form(userId="ada", price=made.json()["prices"][0]["id"], url="https://myapp.com/")

    answer = await api.post(f"/dashboard/{alice.project.id}/live/subscriptions", headers=alice.cookie(), data=fields)

    assert answer.status_code == 422
    assert "no payment gateway yet" in answer.text


async def test_a_change_is_seen_before_it_is_made(instance: Instance) -> None:
    desk = _Desk(instance)
    pro, team = await desk.tier(_PRO), await desk.tier(_TEAM)
    page = await desk.sold(pro)

    choices = await desk.get(f"{page}/change")
    preview = await desk.get(f"{page}/change?price={team}&quantity=5")
    same = await instance.api.get(f"{desk.base}{page}/change?price={pro}", headers=instance.alice.cookie())
    changed = await desk.post(f"{page}/change", price=team, quantity="5", once="a")
    shown = await desk.get(page)

    assert "Preview the change" in choices
    assert "Change plan and charge $30.01" in preview
    assert "The subscription is already on this plan and quantity." in same.text
    assert changed.headers["location"].endswith("?done=changed")
    assert "5 × Team" in shown
    assert "$50.00" in shown


async def test_a_subscription_is_canceled_resumed_and_ended_by_its_name(instance: Instance) -> None:
    desk = _Desk(instance)
    page = await desk.sold(await desk.tier(_PRO))

    await desk.post(f"{page}/cancel", at="period_end", reason="too expensive")
    canceled = await desk.get(page)
    await desk.post(f"{page}/resume")
    resumed = await desk.get(page)
    unconfirmed = await desk.post(f"{page}/cancel", at="now", confirm="bob")
    await desk.post(f"{page}/cancel", at="now", confirm="ada")
    ended = await desk.get(page)

    assert "Ends on" in canceled
    assert "too expensive" in canceled
    assert "Renews on" in resumed
    assert (unconfirmed.status_code, "Type ada to confirm." in unconfirmed.text) == (422, True)
    assert "Ended on" in ended
    assert "Cancel subscription" not in ended


async def test_a_payment_is_refunded_once_however_often_its_form_is_sent(instance: Instance) -> None:
    desk = _Desk(instance)
    page = await desk.sold(await desk.tier(_PRO))
    [payment] = set(re.findall(r"/payments/(pay_[0-9a-z]+)/refund", await desk.get(page)))
    refund = f"{page}/payments/{payment}/refund"

    too_much = await desk.post(refund, amount="20", once="a")
    odd = await desk.post(refund, amount="1.999", once="b")
    for _ in range(2):
        assert (await desk.post(refund, amount="5.00", once="c")).status_code == 303
    shown = await desk.get(page)
    stranger = await desk.post(f"{page}/payments/pay_00000000000000000000000000/refund", once="d")

    assert (too_much.status_code, odd.status_code, stranger.status_code) == (422, 422, 404)
    assert f'id="{payment}-amount-description"><p class="problem">' in too_much.text
    assert 'value="1.999"' in odd.text
    assert "$5.00 refunded" in shown
    assert "the remaining $14.99" in shown


async def test_subscriptions_are_filtered_and_exported(instance: Instance) -> None:
    desk = _Desk(instance)
    price = await desk.tier(_PRO)
    for user in ("ada", "grace"):
        await desk.sold(price, user)

    csv = await instance.api.get(f"{desk.base}.csv?sort=oldest", headers=instance.alice.cookie())

    assert "grace" not in await desk.get("?userId=ada&plan=pro&status=active")
    assert "Nothing found" in await desk.get("?status=past_due")
    assert [line.split(",")[1:4] for line in csv.text.splitlines()[1:]] == [
        ["ada", "pro", "active"],
        ["grace", "pro", "active"],
    ]


async def test_deleting_a_customer_asks_what_happens_to_the_subscription(instance: Instance) -> None:
    desk = _Desk(instance)
    bought = await desk.sold(await desk.tier(_PRO))
    customer = (await desk.api.get("/api/customers/userId:ada", headers=desk.alice.sk)).json()
    page = f"/dashboard/{desk.alice.project.id}/test/customers/{customer['id']}"

    async def delete(subscriptions: str) -> Response:
        form = desk.alice.form(typed="ada", subscriptions=subscriptions)
        return await desk.api.post(f"{page}/delete", headers=desk.alice.cookie(), data=form)

    refused, unknown = await delete("refuse"), await delete("anything")
    assert (refused.status_code, unknown.status_code) == (422, 422)
    assert "ada has a subscription to pro" in refused.text
    assert (await delete("end")).status_code == 303
    assert "Canceled" in await desk.get(bought)
    assert "customer_deleted" in await desk.get(bought)
