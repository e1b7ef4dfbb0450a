"""Alice's shop as its customers meet it: tiers to buy, checkouts to pay, portals to open."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx

from dream_api.core.clock import rfc3339
from tests.support.instance import Account, Instance

Json = dict[str, Any]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SUCCESS, CANCEL, RETURN = "https://myapp.com/thanks", "https://myapp.com/cart", "https://myapp.com/account"
VISA = "4242 4242 4242 4242"
MASTERCARD = "5555 5555 5555 4444"
DECLINED = "4000 0000 0000 0002"
NO_MONEY = "4000 0000 0000 9995"
CONFIRMS = "4000 0025 0000 3155"
DECLINED_LATER = "4000 0000 0000 0341"
MONTHLY: Json = {"currency": "usd", "interval": "month", "type": "recurring", "billingScheme": "flat_rate"}


def monthly(price: str, **more: Any) -> Json:
    return {**MONTHLY, "price": price, **more}


@dataclass
class Shopping:
    instance: Instance
    whose: Account

    async def call(self, method: str, path: str, body: Json | None = None, user: str | None = None) -> Json:
        headers = self.whose.sk if user is None else self.whose.calls(user)
        answer = await self.instance.api.request(method, path, headers=headers, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def sell(self, name: str, *prices: Json, **more: Any) -> Json:
        return await self.call("POST", "/tiers", {"name": name, "prices": list(prices), **more})

    async def checkout(self, user: str = "ada", tier: str = "pro", **more: Any) -> str:
        """The page's path."""
        wanted = {"tier": tier, "successUrl": SUCCESS, "cancelUrl": CANCEL, **more}
        return self._path((await self.call("POST", "/api/create-checkout", wanted, user))["url"])

    async def buy(self, user: str = "ada", tier: str = "pro", card: str = VISA, **more: Any) -> None:
        page = await self.checkout(user, tier, **more)
        paid = await self.instance.api.post(f"{page}/pay", json={"card": card, "authenticate": True})
        assert paid.status_code == 200, paid.text

    async def portal(self, user: str = "ada") -> str:
        """The page's path."""
        return self._path((await self.call("POST", "/api/customer-portal", {"returnUrl": RETURN}, user))["url"])

    async def see(self, path: str, status: int = 200) -> str:
        answer = await self.instance.api.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """As a browser sends a form."""
        return await self.instance.api.post(path, content=urlencode(fields), headers=FORM)

    async def subscription(self, user: str = "ada") -> Json:
        """The newest one."""
        return (await self.call("GET", f"/api/subscriptions?userId={user}"))["data"][0]

    async def plan_of(self, user: str = "ada") -> str:
        """What the metered call finds."""
        return (await self.instance.usage_of(self.whose, user))["plan"]

    async def advance(self, to: int) -> None:
        await self.call("POST", "/test-clock", {"advanceTo": rfc3339(to)})

    def _path(self, url: str) -> str:
        return url.removeprefix(self.instance.settings.link_base)


def text_of(page: str) -> str:
    """What a person reads: without tags, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
