"""An instance where people live: every page of it has something to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

from dream_api import app, platforms
from dream_api.catalog import TierLimit, set_tier
from tests.support.instance import ORIGIN, Account, open_account, open_store
from tests.support.server import Server

CARD, DECLINED = "4242424242424242", "4000000000000002"
MONTHLY = {"currency": "usd", "interval": "month", "type": "recurring"}
NASTY = "<b>&\"'"


@dataclass(frozen=True, slots=True)
class Town:
    """Alice sells calls and mugs; the operator has a session as well."""

    server: Server
    saas: Account
    store: Account
    operator_session: str

    @property
    def base(self) -> str:
        return self.server.url

    def pages(self) -> Sequence[str]:
        """What everybody's navigation leads to, and one page of each thing in it."""
        saas, store, platform = self.saas.project.id, self.store.project.id, self.saas.project.platform_id
        in_saas = ("", "/customers", "/usage", "/tiers", "/subscriptions", "/keys", "/events", "/settings", "/coupons")
        in_store = ("", "/customers", "/tiers", "/orders", "/keys", "/events", "/settings")
        forms = ("/new-tier", "/tiers/pro", "/tiers/pro/prices/new", "/subscriptions/new", "/customers/new")
        of_platform = ("/projects", "/team", "/level", "/security-log", "/settings")
        account = ("", "/name", "/email", "/password", "/factor", "/tokens", "/close")
        return [
            *(f"/dashboard/{saas}/test{path}" for path in (*in_saas, *forms)),
            *(f"/dashboard/{store}/test{path}" for path in (*in_store, "/tiers/mug")),
            f"/dashboard/{saas}/live",
            f"/dashboard/{store}/live/orders",
            *(f"/dashboard/{platform}{path}" for path in of_platform),
            *(f"/account{path}" for path in account),
            "/dashboard/welcome",
        ]


# What nobody needs to sign in for; what only the operator sees.
OPEN = ("/account/sign-in", "/account/sign-up", "/account/reset", "/docs/errors", "/docs/errors/not_found")
OPERATORS = ("/dashboard/operator/platforms", "/dashboard/operator/levels", "/dashboard/operator/mail")


async def settle(server: Server) -> Town:
    """Everything is made through the API, as programs do."""
    database = app.open_database(server.settings)
    try:
        saas = await open_account(database, "Alice")
        store = await open_store(database, saas)
        operator = await open_account(database, "Olga")
        async with database.write() as tx:
            home = await platforms.operator_platform(tx)
            await platforms.add_member(tx, home.no, operator.user_ids["owner"], "owner")
            await set_tier(tx, saas.project, "test", "free", [TierLimit(5)])
    finally:
        await database.close()
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as api:
        await _sell_calls(api, saas)
        await _sell_mugs(api, store)
        await _call(api, saas.by("owner"), "POST", "/api/team/invitations", email="bob@example.com", role="member")
    return Town(server, saas, store, operator.session["owner"])


async def _sell_calls(api: httpx.AsyncClient, account: Account) -> None:
    await _call(
        api, account.sk, "POST", "/tiers", name="pro", displayName="Pro", prices=[{**MONTHLY, "price": "19.99"}]
    )
    for user, calls in (("ada", 6), ("bob", 3), (NASTY, 1)):
        await api.post("/api/customers", headers=account.sk, json={"userId": user, "name": f"{user} {NASTY}"})
        for _ in range(calls):
            await api.post("/api/data", headers=account.calls(user))
    for user, card in (("ada", CARD), ("bob", DECLINED)):
        body = {"tier": "pro", "successUrl": f"{ORIGIN}/ok", "cancelUrl": f"{ORIGIN}/no"}
        made = await _call(api, account.calls(user), "POST", "/api/create-checkout", **body)
        await api.post(f"{made['url']}/pay", json={"card": card})
    await _call(api, account.sk, "POST", "/coupons", code="HALF", percentOff=50)


async def _sell_mugs(api: httpx.AsyncClient, account: Account) -> None:
    body: dict[str, Any] = {"name": "mug", "displayName": "Mug", "inventory": 3, "lowInventory": 2}
    made = await _call(api, account.sk, "POST", "/tiers", **body, prices=[{"price": "10", "currency": "usd"}])
    for quantity in (2, 1):
        items = [{"priceId": made["prices"][0]["id"], "quantity": quantity}]
        cart = {"email": "eve@example.com", "items": items, "successUrl": f"{ORIGIN}/ok", "cancelUrl": f"{ORIGIN}/no"}
        sent = await _call(api, account.sk, "POST", "/api/cart/checkout", **cart)
        if quantity == 2:
            await api.post(f"{sent['url']}/pay", json={"card": CARD})


async def _call(api: httpx.AsyncClient, headers: dict[str, str], method: str, path: str, **body: Any) -> Any:
    answer = await api.request(method, path, headers=headers, json=body)
    assert answer.is_success, (path, answer.text)
    return answer.json()
