"""Every operation that developers may call × every role × by token and by session × at home and abroad.

What the table allows is answered with the operation's own example; the rest is 403 at home and 404 abroad.
"""

from itertools import product
from typing import Any

import pytest

from dream_api import platforms
from dream_api.accounts import ROLES, Role
from dream_api.core import ids
from dream_api.platforms import Permission, RefundLimit
from tests.isolation.operations import Operation, every_operation
from tests.isolation.test_operations import Things, ask, request_of, things_of, told
from tests.support.instance import Account, Instance, open_another

OPERATIONS = [one for one in every_operation() if one.is_for_developers]
# Of operations that change something; all others take the permission to sell.
PERMISSIONS: dict[str, Permission] = {
    "POST /create-products": "manage",
    "POST /projects": "manage",
    "PATCH /projects/{id}": "manage",
    "DELETE /projects/{id}": "manage",
    "POST /create-checkout": "bill",
    "POST /rotate-key": "test_keys",
    "POST /api/payments/{id}/refunds": "refund_some",
    "POST /api/orders/{id}/refunds": "refund_some",
    "POST /api/team/invitations": "team",
    "POST /api/team/invitations/{id}/send": "team",
    "DELETE /api/team/invitations/{id}": "team",
    "PATCH /api/team/members/{userId}": "team",
    "DELETE /api/team/members/{userId}": "team",
}
# What else is only read, though it is asked by POST; and what is read by few.
READING: dict[str, Permission] = {"GET /api/security-log": "manage"}
WAYS = ("token", "session")


def permission_of(operation: Operation) -> Permission:
    if operation.method == "GET":
        return READING.get(str(operation), "view")
    return PERMISSIONS.get(str(operation), "sell")


def headers_of(account: Account, role: Role, way: str) -> dict[str, str]:
    return account.by(role) if way == "token" else account.at_api(role)


async def _fresh(instance: Instance, operation: Operation) -> Things:
    """What the operation needs, in a project of its own: nobody else used its example there."""
    account = await open_another(instance.database, instance.alice, RefundLimit(10**9, "usd"))
    return await things_of(instance, account, operation)


def test_each_named_operation_is_there() -> None:
    assert PERMISSIONS.keys() | READING.keys() <= {str(one) for one in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_the_table_decides_who_may(instance: Instance, operation: Operation) -> None:
    things = await _fresh(instance, operation)
    permission = permission_of(operation)

    for role, way in product(ROLES, WAYS):
        await _refuse_abroad(instance, operation, things, headers_of(instance.charlie, role, way))
    await _refuse_her_ids(instance, operation, things)
    for role, way in product(reversed(ROLES), WAYS):
        answer = await ask(instance, operation, things, headers_of(things.account, role, way))

        if not platforms.has_permission(role, permission):
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), (role, way)
            continue
        if answer.status_code in (404, 409, 422):  # somebody else did it already, and it cannot be done twice
            things = await _fresh(instance, operation)
            answer = await ask(instance, operation, things, headers_of(things.account, role, way))
        assert 200 <= answer.status_code < 300, (role, way, answer.text)
        assert str(answer.status_code) in operation.statuses


async def _refuse_abroad(instance: Instance, operation: Operation, hers: Things, headers: dict[str, str]) -> None:
    """He names her platform, and where the operation is about a project, hers."""
    named = {"X-Platform-Id": hers.account.project.platform_id}
    if "X-Project-Id" in operation.headers:
        named["X-Project-Id"] = hers.account.project.id
    answer = await ask(instance, operation, hers, headers | named)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def _refuse_her_ids(instance: Instance, operation: Operation, hers: Things) -> None:
    """In his own project hers are as good as none."""
    values = {name: hers.value(operation, name) for name in operation.parameters}
    if not values:
        return
    never = {name: ids.new(value.partition("_")[0]) for name, value in values.items()}
    for way in WAYS:
        answers: list[Any] = []
        for each in (values, never):
            headers = headers_of(instance.charlie, "owner", way)
            asked = request_of(operation, instance.charlie, operation.path.format(**each), headers)
            answers.append(told(await instance.api.request(**asked)))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404


async def test_a_platform_is_made_by_who_is_signed_in_alone(instance: Instance) -> None:
    [operation] = [one for one in every_operation() if one.is_for_persons and not one.is_for_developers]
    assert str(operation) == "POST /generate-platform-id"

    for role in ROLES:
        made = await instance.api.post(operation.path, headers=instance.alice.at_api(role), json=operation.example)
        by_token = await instance.api.post(operation.path, headers=instance.alice.by(role), json=operation.example)
        assert (made.status_code, by_token.status_code) == (201, 401)
