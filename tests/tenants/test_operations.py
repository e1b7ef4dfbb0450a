"""Every operation of the OpenAPI document, as its owner and as a stranger.

A new operation joins by itself. Its owner's request, made of the operation's own example and real ids, must be 2xx; a
stranger's same request must be answered exactly like one for an id that never existed.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from dream_api.core import ids
from dream_api.core.settings import Settings
from tests.support.house import Account, House
from tests.tenants.operations import ANONYMOUS, Operation, every_operation

OPERATIONS = every_operation()


@dataclass
class Things:
    """What the owner has: real values for the parameters of paths."""

    account: Account
    customer: str
    reservation: str
    tier: str
    coupon: str

    def value(self, operation: Operation, parameter: str) -> str:
        known = {
            ("/api/customers/{id}", "id"): self.customer,
            ("/api/usage/reserve/{id}/settle", "id"): self.reservation,
            ("/tiers/{name}", "name"): self.tier,
            ("/coupons/{id}", "id"): self.coupon,
        }
        return known[operation.path, parameter]


async def things_of(house: House, account: Account) -> Things:
    made = await house.api.post("/api/customers", headers=account.sk, json={"userId": ids.new("usr")})
    assert made.status_code == 201, made.text
    whose = {**account.sk, "X-User-Id": made.json()["userId"]}
    held = await house.api.post("/api/usage/reserve", headers=whose, json={"quantity": 10})
    assert held.status_code == 201, held.text
    tier = await house.api.post("/tiers", headers=account.sk, json={"name": ids.new("tier")})
    assert tier.status_code == 201, tier.text
    coupon = await house.api.post("/coupons", headers=account.sk, json={"code": ids.new("code"), "percentOff": 5})
    assert coupon.status_code == 201, coupon.text
    return Things(
        account,
        made.json()["id"],
        held.json()["reservation"]["id"],
        tier.json()["name"],
        coupon.json()["id"],
    )


def key_of(operation: Operation, account: Account) -> dict[str, str]:
    """Headers of one who may: the server, and where it may not the platform's owner."""
    if operation.is_anonymous:
        return {}
    return account.sk if "secretKey" in operation.keys else account.by("owner")


def request_of(operation: Operation, account: Account, path: str, by: dict[str, str] | None = None) -> dict[str, Any]:
    headers = dict(key_of(operation, account) if by is None else by)
    headers |= {name: "ada" for name in operation.headers if name == "X-User-Id"}
    body = {"json": operation.example} if operation.example is not None else {}
    return {"method": operation.method, "url": path, "headers": headers, **body}


async def ask(
    house: House, operation: Operation, account: Account, things: Things, by: dict[str, str] | None = None
) -> Any:
    values = {name: things.value(operation, name) for name in operation.parameters}
    return await house.api.request(**request_of(operation, account, operation.path.format(**values), by))


def told(answer: Any) -> tuple[int, Any]:
    """The answer, but for the request id."""
    body = json.loads(answer.text) if "json" in answer.headers.get("content-type", "") else answer.text
    if isinstance(body, dict):
        body.pop("requestId", None)
    return answer.status_code, body


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_the_owners_request_is_answered(house: House, operation: Operation):
    answer = await ask(house, operation, house.alice, await things_of(house, house.alice))

    assert 200 <= answer.status_code < 300, answer.text
    assert str(answer.status_code) in operation.statuses


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.parameters], ids=str)
async def test_a_stranger_learns_nothing(house: House, operation: Operation):
    hers = await things_of(house, house.alice)
    values = {name: hers.value(operation, name) for name in operation.parameters}
    never = {name: ids.new(value.partition("_")[0]) for name, value in values.items()}
    before = told(await house.api.get(f"/api/customers/{hers.customer}", headers=house.alice.sk))

    strangers = await house.api.request(**request_of(operation, house.charlie, operation.path.format(**values)))
    nobodys = await house.api.request(**request_of(operation, house.charlie, operation.path.format(**never)))

    assert strangers.status_code == 404
    assert told(strangers) == told(nobodys)
    assert told(await house.api.get(f"/api/customers/{hers.customer}", headers=house.alice.sk)) == before


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if not one.is_anonymous], ids=str)
async def test_without_a_key_nothing_is_answered(house: House, operation: Operation):
    hers = await things_of(house, house.alice)
    values = {name: hers.value(operation, name) for name in operation.parameters}
    asked = request_of(operation, house.alice, operation.path.format(**values))
    del asked["headers"]["Authorization"]

    answer = await house.api.request(**asked)

    assert (answer.status_code, answer.json()["code"]) == (401, "key_missing")


async def test_lists_show_only_ones_own(house: House):
    hers = await things_of(house, house.alice)
    his = await things_of(house, house.charlie)

    listed = (await house.api.get("/api/customers", headers=house.alice.sk)).json()["data"]

    assert [one["id"] for one in listed] == [hers.customer]
    assert his.customer not in json.dumps(listed)


async def test_a_strangers_cursor_shows_only_his_own(house: House):
    hers = await things_of(house, house.alice)
    answer = await house.api.get(f"/api/customers?after={hers.customer}", headers=house.charlie.sk)
    assert answer.json() == {"data": [], "nextCursor": None}


async def test_the_same_user_id_is_another_customer_elsewhere(house: House):
    for account in (house.alice, house.charlie):
        answer = await house.api.post("/api/data", headers=account.calls("ada"))
        assert answer.json()["usage"]["count"] == 1


def test_only_operations_for_everybody_are_open(database_settings: Settings):
    assert {one.path for one in OPERATIONS if one.is_anonymous} == ANONYMOUS
