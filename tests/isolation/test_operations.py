"""Every operation of the OpenAPI document, as its owner and as a stranger.

A new operation joins by itself. Its owner's request, made of the operation's own example and real ids, must be 2xx; a
stranger's same request must be answered exactly like one for an id that never existed.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from dream_api import accounts, platforms
from dream_api.core import clock, ids, tokens
from dream_api.core.settings import Settings
from tests.billing.developer import Seller, monthly
from tests.isolation.operations import ANONYMOUS, SIGNED, Operation, every_operation
from tests.support.instance import Account, Instance, bearer, open_store
from tests.support.storefront import Storefront

OPERATIONS = every_operation()


@dataclass
class Things:
    """What the owner has: real values for the parameters of paths."""

    # In whose project they are.
    account: Account
    customer: str
    reservation: str = ""
    tier: str = ""
    coupon: str = ""
    # For what is asked of a store: one that sells something, with an order that was paid and one that was not.
    price: str = ""
    paid_order: str = ""
    open_order: str = ""
    # For what is asked of billing: a subscription of one who paid, and a checkout of one who did not yet.
    subscription: str = ""
    invoice: str = ""
    payment: str = ""
    page: str = ""
    # For what is asked of the team: somebody who works there, and somebody who was asked to.
    colleague: str = ""
    invitation: str = ""
    asset: str = ""

    def body(self, operation: Operation) -> Any:
        """The operation's example, with a price that there is."""
        return json.loads(json.dumps(operation.example).replace(_PRICE, self.price))

    def value(self, operation: Operation, parameter: str) -> str:
        known = {
            ("/api/customers/{id}", "id"): self.customer,
            ("/api/assets/{key}", "key"): self.asset,
            ("/api/usage/reserve/{id}/settle", "id"): self.reservation,
            ("/tiers/{name}", "name"): self.tier,
            ("/coupons/{id}", "id"): self.coupon,
            ("/api/orders/{id}", "id"): self.paid_order,
            ("/api/orders/{id}/cancel", "id"): self.open_order,
            ("/api/orders/{id}/refunds", "id"): self.paid_order,
            ("/api/invoices/{id}", "id"): self.invoice,
            ("/api/payments/{id}", "id"): self.payment,
            ("/api/payments/{id}/refunds", "id"): self.payment,
            ("/projects/{id}", "id"): self.account.project.id,
            ("/api/team/members/{userId}", "userId"): self.colleague,
            ("/api/team/invitations/{id}", "id"): self.invitation,
            ("/api/team/invitations/{id}/send", "id"): self.invitation,
            ("/sandbox/checkout/{id}/pay", "id"): self.page,
            ("/sandbox/checkout/{id}/cancel", "id"): self.page,
        }
        if operation.path.startswith("/api/subscriptions/{id}"):
            return self.subscription
        return known[operation.path, parameter]


# The price in examples.
_PRICE = "price_01k9q3v8zd0g2m4n6p8r0t2v4w"
OF_STORES = ("/api/cart", "/api/orders")
_OF_BILLING = ("/api/subscriptions/{id}", "/api/invoices/{id}", "/api/payments/{id}", "/sandbox")
_OF_WHO_PAID = "/api/customer-portal"
_OF_TEAM = "/api/team"


async def things_of(instance: Instance, account: Account, operation: Operation | None = None) -> Things:
    """What the operation needs; a store's is of a store of the same platform."""
    if operation is not None and operation.path.startswith(OF_STORES):
        account = await open_store(instance.database, account)
    made = await instance.api.post("/api/customers", headers=account.sk, json={"userId": ids.new("usr")})
    assert made.status_code == 201, made.text
    path = "" if operation is None else operation.path
    things = Things(account, made.json()["id"])
    if path.startswith("/api/usage/reserve/"):
        things = replace(things, reservation=await _reserved(instance, account, made.json()["userId"]))
    if path.startswith("/tiers/"):
        tier = await instance.api.post("/tiers", headers=account.sk, json={"name": ids.new("tier")})
        assert tier.status_code == 201, tier.text
        things = replace(things, tier=tier.json()["name"])
    if path.startswith("/coupons/"):
        coupon = await instance.api.post(
            "/coupons", headers=account.sk, json={"code": ids.new("code"), "percentOff": 5}
        )
        assert coupon.status_code == 201, coupon.text
        things = replace(things, coupon=coupon.json()["id"])
    if account.project.type == "store":
        return await _with_orders(instance, things)
    if path.startswith(_OF_TEAM):
        return await with_colleagues(instance, things)
    if path == "/api/assets/{key}":
        kept = await instance.api.post("/api/assets", headers=account.sk, content=b"GIF89a")
        return replace(things, asset=kept.json()["key"])
    if path == "/api/create-checkout" or path.startswith((*_OF_BILLING, _OF_WHO_PAID)):
        return await _with_subscription(instance, things, path)
    return things


async def _reserved(instance: Instance, account: Account, user_id: str) -> str:
    held = await instance.api.post("/api/usage/reserve", headers=account.calls(user_id), json={"quantity": 10})
    assert held.status_code == 201, held.text
    return held.json()["reservation"]["id"]


async def _with_subscription(instance: Instance, things: Things, path: str) -> Things:
    seller = Seller(instance.api, things.account.sk)
    for name, price in (("pro", "19.99"), ("team", "49.99")):
        await seller.post("/tiers", {"name": name, "limit": 5_000, "prices": [monthly(price)]})
    if path == "/api/create-checkout":
        return things
    # The portal is asked for ada, as the other examples name her.
    subscription = await seller.subscribe("ada" if path == _OF_WHO_PAID else ids.new("usr"), "pro")
    if path.endswith("/resume"):
        await seller.post(f"/api/subscriptions/{subscription['id']}/cancel")
    return replace(
        things,
        subscription=subscription["id"],
        invoice=(await seller.invoices(subscription))[0]["id"],
        payment=(await seller.get("/api/payments"))["data"][0]["id"],
        page=(await seller.checkout(ids.new("usr"), "pro")).rpartition("/")[2],
    )


async def with_colleagues(instance: Instance, things: Things) -> Things:
    platform_no = things.account.project.platform_no
    async with instance.database.write() as tx:
        # Whom the example invites was not asked yet.
        await tx.execute(sa.text("DELETE FROM invitations WHERE platform_no = :no"), {"no": platform_no})
        user = await accounts.create_user(tx, f"{ids.new('usr')}@example.com", verified=True)
        await platforms.add_member(tx, platform_no, user.id, "viewer")
        asked = await platforms.invite(
            tx, platform_no, f"{user.id}-too@example.com", "viewer", platforms.new_token(), by="owner", invited_by=""
        )
    return replace(things, colleague=user.id, invitation=asked.id)


async def _with_orders(instance: Instance, things: Things) -> Things:
    storefront = Storefront(instance, things.account)
    price = await storefront.sell("mug")
    paid_order = await storefront.bought((price, 2))
    open_order, _ = await storefront.sent_to_pay((price, 2))
    return replace(things, price=price, paid_order=paid_order, open_order=open_order)


def key_of(operation: Operation, account: Account) -> dict[str, str]:
    """Headers of one who may: the server, and where it may not the platform's owner."""
    if operation.is_anonymous:
        return {}
    if "secretKey" in operation.keys:
        return account.sk
    return account.by("owner") if operation.is_for_developers else account.at_api()


def request_of(operation: Operation, account: Account, path: str, by: dict[str, str] | None = None) -> dict[str, Any]:
    headers = dict(key_of(operation, account) if by is None else by)
    headers |= {name: "ada" for name in operation.headers if name == "X-User-Id"}
    body: dict[str, Any] = {"json": operation.example} if operation.example is not None else {}
    if operation.takes_a_file:
        body = {"content": b"GIF89a"}
    return {"method": operation.method, "url": path, "headers": headers, **body}


async def ask(instance: Instance, operation: Operation, things: Things, by: dict[str, str] | None = None) -> Any:
    values = {name: things.value(operation, name) for name in operation.parameters}
    asked = request_of(operation, things.account, operation.path.format(**values), by)
    return await instance.api.request(**asked | ({"json": things.body(operation)} if "json" in asked else {}))


def told(answer: Any) -> tuple[int, Any]:
    """The answer, but for the request id."""
    body = json.loads(answer.text) if "json" in answer.headers.get("content-type", "") else answer.text
    if isinstance(body, dict):
        body.pop("requestId", None)
    return answer.status_code, body


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_it_is_its_owners_alone(instance: Instance, operation: Operation) -> None:
    """All who must not come try it first; then its owner's request, made of the example, is answered all the same."""
    things = await things_of(instance, instance.alice, operation)
    if not operation.is_anonymous:
        await _refuse_without_a_key(instance, operation, things)
        await _teach_a_stranger_nothing(instance, operation, things)
    if operation.is_for_developers:
        await _refuse_tokens_that_ended(instance, operation, things)
    if "X-Mode" in operation.headers and operation.is_for_developers:
        await _find_nothing_in_live_mode(instance, operation, things)

    if operation.path not in SIGNED:
        answer = await ask(instance, operation, things)
        assert 200 <= answer.status_code < 300, answer.text
        assert str(answer.status_code) in operation.statuses


async def _refuse_without_a_key(instance: Instance, operation: Operation, things: Things) -> None:
    values = {name: things.value(operation, name) for name in operation.parameters}
    asked = request_of(operation, instance.alice, operation.path.format(**values))
    in_person = not operation.keys - {"session"}
    del asked["headers"]["Cookie" if in_person else "Authorization"]

    answer = await instance.api.request(**asked)

    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required" if in_person else "key_missing")


async def _teach_a_stranger_nothing(instance: Instance, operation: Operation, hers: Things) -> None:
    """He is answered as for an id that there never was, and nothing changes by it."""
    values = {name: hers.value(operation, name) for name in operation.parameters}
    if not values:
        return
    never = {name: ids.new(value.partition("_")[0]) for name, value in values.items()}
    before = told(await instance.api.get(f"/api/customers/{hers.customer}", headers=hers.account.sk))

    strangers = await instance.api.request(**request_of(operation, instance.charlie, operation.path.format(**values)))
    nobodys = await instance.api.request(**request_of(operation, instance.charlie, operation.path.format(**never)))

    assert strangers.status_code == 404
    assert told(strangers) == told(nobodys)
    assert told(await instance.api.get(f"/api/customers/{hers.customer}", headers=hers.account.sk)) == before


async def _refuse_tokens_that_ended(instance: Instance, operation: Operation, things: Things) -> None:
    platform_no = instance.alice.project.platform_no
    async with instance.database.write() as tx:
        revoked = await accounts.issue_token(tx, platform_no, "owner", created_by="test")
        await accounts.revoke_token(tx, platform_no, revoked.id)
        expires_at = clock.now() + clock.MINUTE
        short = await accounts.issue_token(tx, platform_no, "owner", created_by="test", expires_at=expires_at)
    clock.move(2 * clock.MINUTE)

    for token, code in (
        (revoked.token, "token_revoked"),
        (short.token, "token_expired"),
        (tokens.create_token("dpt_"), "token_unknown"),
        (instance.alice.token["admin"][:-1], "token_malformed"),
    ):
        answer = await ask(instance, operation, things, bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (401, code)


async def _find_nothing_in_live_mode(instance: Instance, operation: Operation, things: Things) -> None:
    """What there is in test mode is not there; where nothing is named, there is no gateway and no clock to move."""
    answer = await ask(instance, operation, things, things.account.by("owner", "live"))

    if operation.parameters:
        assert answer.status_code == 404, answer.text
    else:
        expected = ("gateway_missing", "test_clock_needs_sandbox", "not_found")
        assert answer.status_code < 300 or answer.json()["code"] in expected, answer.text


async def test_lists_show_only_ones_own(instance: Instance):
    hers = await things_of(instance, instance.alice)
    his = await things_of(instance, instance.charlie)

    listed = (await instance.api.get("/api/customers", headers=instance.alice.sk)).json()["data"]

    assert [one["id"] for one in listed] == [hers.customer]
    assert his.customer not in json.dumps(listed)


async def test_a_strangers_cursor_shows_only_his_own(instance: Instance):
    hers = await things_of(instance, instance.alice)
    answer = await instance.api.get(f"/api/customers?after={hers.customer}", headers=instance.charlie.sk)
    assert answer.json() == {"data": [], "nextCursor": None}


async def test_the_same_user_id_is_another_customer_elsewhere(instance: Instance):
    for account in (instance.alice, instance.charlie):
        answer = await instance.api.post("/api/data", headers=account.calls("ada"))
        assert answer.json()["usage"]["count"] == 1


def test_only_operations_for_everybody_are_open(database_settings: Settings):
    assert {one.path for one in OPERATIONS if one.is_anonymous} == ANONYMOUS
