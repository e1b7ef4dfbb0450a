"""A store of Alice's in an instance, with a buyer's actions on the sandbox's page."""

from dataclasses import dataclass
from typing import Any, cast

import httpx2 as httpx

from dream_api import billing, gateways
from dream_api.billing import BillingContext
from dream_api.gateways.sandbox import Sandbox
from dream_api.platforms import ProjectScope
from tests.support.instance import ORIGIN, Account, Instance, open_store

PAYS, DECLINED, KEEPS_REFUNDS = "4242424242424242", "4000000000000002", "4000000000005126"
Answer = httpx.Response


@dataclass(frozen=True, slots=True)
class Storefront:
    instance: Instance
    account: Account

    @property
    def sk(self) -> dict[str, str]:
        return self.account.sk

    async def sell(self, name: str, price: str = "10.00", inventory: int | None = None, **more: Any) -> str:
        """The id of the product's price."""
        body = {"name": name, "prices": [{"price": price, "currency": "usd"}], "inventory": inventory, **more}
        made = await self.instance.api.post("/tiers", headers=self.sk, json=body)
        assert made.status_code == 201, made.text
        return made.json()["prices"][0]["id"]

    async def inventory(self, name: str) -> int | None:
        return (await self.instance.api.get(f"/tiers/{name}", headers=self.sk)).json()["inventory"]

    async def cart(self, *items: tuple[str, Any], headers: dict[str, str] | None = None, **more: Any) -> Answer:
        body = {
            "email": "ada@example.com",
            "items": [{"priceId": price, "quantity": quantity} for price, quantity in items],
            "successUrl": f"{ORIGIN}/thanks",
            "cancelUrl": f"{ORIGIN}/cart",
            **more,
        }
        return await self.instance.api.post("/api/cart/checkout", headers=headers or self.sk, json=body)

    async def sent_to_pay(self, *items: tuple[str, int], **more: Any) -> tuple[str, str]:
        """The order's id, and the page on which it can be paid."""
        answer = await self.cart(*items, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["orderId"], answer.json()["url"]

    async def pay(self, page: str, card: str = PAYS) -> None:
        """As the buyer does; the gateway's events have arrived when this answers."""
        context, account = await self._billing_account()
        sandbox = context.gateways["sandbox"]
        assert isinstance(sandbox, Sandbox)
        try:
            await sandbox.pay(page.rpartition("/")[2], card)
        finally:
            await billing.deliver_events(context, account)

    async def bought(self, *items: tuple[str, int], card: str = PAYS, **more: Any) -> str:
        """The id of an order that was paid."""
        order_id, page = await self.sent_to_pay(*items, **more)
        await self.pay(page, card)
        return order_id

    async def order(self, order_id: str) -> dict[str, Any]:
        answer = await self.instance.api.get(f"/api/orders/{order_id}", headers=self.sk)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refund(self, order_id: str, headers: dict[str, str] | None = None, **body: Any) -> Answer:
        path = f"/api/orders/{order_id}/refunds"
        return await self.instance.api.post(path, headers=headers or self.sk, json=body)

    async def _billing_account(self) -> tuple[BillingContext, gateways.GatewayAccount]:
        context: BillingContext = cast(Any, self.instance.app).state.billing
        project = self.account.project
        async with context.database.write() as tx:
            scope = ProjectScope(project.platform_no, project.id, "test")
            return context, await billing.ensure_account(tx, scope)


async def open_storefront(instance: Instance) -> Storefront:
    return Storefront(instance, await open_store(instance.database, instance.alice))
