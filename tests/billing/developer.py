"""A developer who sells over HTTP, as their server and their customers' browsers would."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

from dream_api.core import clock
from tests.support.deadline import Second

GOOD, DECLINED, POOR, LATER_DECLINED, DISPUTED = (
    "4242424242424242",
    "4000000000000002",
    "4000000000009995",
    "4000000000000341",
    "4000000000000259",
)
URLS = {"successUrl": "https://myapp.com/thanks", "cancelUrl": "https://myapp.com/cancel"}


def monthly(price: str, **more: Any) -> dict[str, Any]:
    return {"price": price, "currency": "usd", "interval": "month", "type": "recurring", **more}


def metered(meter: str, amount: int, per: int) -> dict[str, Any]:
    """So much for each so many of what a month has used."""
    return {
        "type": "usage",
        "meter": meter,
        "amount": amount,
        "per": per,
        "billingScheme": "per_unit",
        "currency": "usd",
        "interval": "month",
    }


@dataclass(frozen=True, slots=True)
class Seller:
    """Speaks with one project's secret key; whatever is refused fails the test, but for `ask`."""

    api: httpx.AsyncClient
    headers: dict[str, str]

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.api.request(method, path, headers=self.headers | headers, json=body)

    async def get(self, path: str, **headers: str) -> Any:
        return _good(await self.ask("GET", path, **headers))

    async def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return _good(await self.ask("POST", path, {} if body is None else body, **headers))

    async def checkout(self, user: str, tier: str, **more: Any) -> str:
        """The page's address within the server."""
        answer = await self.post("/api/create-checkout", {"tier": tier, **URLS, **more}, **{"X-User-Id": user})
        return httpx.URL(answer["url"]).path

    async def pay(self, page: str, card: str = GOOD, **more: Any) -> httpx.Response:
        """As the customer does, who has no key."""
        return await self.api.post(f"{page}/pay", json={"card": card, **more})

    async def subscribe(self, user: str, tier: str, card: str = GOOD, **more: Any) -> dict[str, Any]:
        _good(await self.pay(await self.checkout(user, tier, **more), card))
        [newest, *_] = (await self.get(f"/api/subscriptions?userId={user}"))["data"]
        return newest

    async def subscription(self, subscription: dict[str, Any]) -> dict[str, Any]:
        return await self.get(f"/api/subscriptions/{subscription['id']}")

    async def invoices(self, subscription: dict[str, Any]) -> list[dict[str, Any]]:
        """Oldest first."""
        found = (await self.get(f"/api/invoices?subscriptionId={subscription['id']}&limit=100"))["data"]
        return found[::-1]

    async def count(self, user: str, quantity: int, meter: str = "requests") -> dict[str, Any]:
        body = {"quantity": quantity, "meter": meter}
        return (await self.post("/api/data", body, **{"X-User-Id": user}))["usage"]

    async def usage(self, user: str) -> dict[str, Any]:
        return (await self.get("/api/usage", **{"X-User-Id": user}))["usage"]

    async def usage_soon(self, user: str, plan: str) -> dict[str, Any]:
        """The user's usage, as soon as the plan is in force at the gate: within a second."""
        second = Second()
        while (usage := await self.usage(user))["plan"] != plan:
            assert not second.is_over(), usage["plan"]
            await asyncio.sleep(0.02)
        return usage

    async def now(self) -> str:
        return (await self.get("/test-clock"))["now"]

    async def advance_to(self, moment: str) -> None:
        await self.post("/test-clock", {"advanceTo": moment})

    async def advance(self, *, days: int = 0, hours: int = 0, minutes: int = 0, beyond: str | None = None) -> None:
        """So far from now, or from a moment."""
        start = at(beyond or await self.now())
        await self.advance_to(clock.rfc3339(start + days * clock.DAY + hours * clock.HOUR + minutes * clock.MINUTE))


def at(text: str) -> int:
    """Microseconds of a moment told on the wire."""
    from datetime import datetime

    return clock.from_datetime(datetime.fromisoformat(text))


def _good(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, f"{answer.request.url}: {answer.text}"
    return answer.json()
