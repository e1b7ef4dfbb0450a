"""Every operation that takes personal tokens: in the other mode, and with tokens that ended; see test_roles.py."""

from typing import Any

import pytest

from dream_api import accounts
from dream_api.core import clock, tokens
from tests.support.house import ORIGIN, House, bearer
from tests.tenants.operations import every_operation
from tests.tenants.test_operations import Operation, ask, things_of

OPERATIONS = [one for one in every_operation() if one.is_for_developers]
# Those that are about one mode of a project, and not about a whole platform.
IN_PROJECT = [one for one in OPERATIONS if "X-Mode" in one.headers]
FOR_BROWSERS = [one for one in every_operation() if one.is_for_browsers]


def test_there_are_such_operations() -> None:
    assert {"GET /api/customers", "DELETE /api/customers/{id}", "GET /api/events", "GET /api/usage/history"} <= {
        str(one) for one in OPERATIONS
    }
    assert not {"POST /api/data", "GET /api/usage", "POST /api/usage/reserve"} & {str(one) for one in OPERATIONS}


@pytest.mark.parametrize("operation", IN_PROJECT, ids=str)
async def test_a_test_customer_is_not_found_in_live_mode(house: House, operation: Operation) -> None:
    things = await things_of(house, house.alice, operation)

    answer = await ask(house, operation, things, things.account.by("owner", "live"))

    if operation.parameters:
        assert answer.status_code == 404, answer.text
    else:  # there is no such customer, no gateway, and no clock that could be moved
        expected = ("gateway_missing", "test_clock_needs_sandbox", "not_found")
        assert answer.status_code < 300 or answer.json()["code"] in expected, answer.text


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_a_token_that_is_none_any_more_opens_nothing(house: House, operation: Operation) -> None:
    alice = house.alice
    things = await things_of(house, alice, operation)
    async with house.database.write() as tx:
        short = await accounts.issue(
            tx, alice.project.platform_id, "owner", created_by="test", expires_at=clock.now() + clock.MINUTE
        )
        await accounts.revoke(tx, alice.project.platform_id, alice.token_ids["owner"])
    clock.move(2 * clock.MINUTE)

    async def code(token: str) -> Any:
        answer = await ask(house, operation, things, bearer(token))
        return answer.status_code, answer.json()["code"]

    assert await code(alice.token["owner"]) == (401, "token_revoked")
    assert await code(short.token) == (401, "token_expired")
    assert await code(tokens.make("dpt_")) == (401, "token_unknown")
    assert await code(alice.token["admin"][:-1]) == (401, "token_malformed")


@pytest.mark.parametrize("operation", FOR_BROWSERS, ids=str)
async def test_a_listed_website_is_answered_and_another_is_not(house: House, operation: Operation) -> None:
    things = await things_of(house, house.alice, operation)
    by = {"X-Publishable-Key": house.alice.publishable["live"]}

    asked = await house.api.options(operation.path, headers={"Access-Control-Request-Method": operation.method})
    listed = await ask(house, operation, things, by | {"Origin": ORIGIN})
    another = await ask(house, operation, things, by | {"Origin": "https://evil.com"})

    assert asked.status_code == 204
    assert operation.method in asked.headers["Access-Control-Allow-Methods"]
    assert listed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert (another.status_code, another.json()["code"]) == (403, "origin_not_allowed")
