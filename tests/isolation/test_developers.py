"""Which operations are for developers, and which for browsers; what each role may, see test_roles.py."""

import pytest

from tests.isolation.operations import every_operation
from tests.isolation.test_operations import Operation, ask, things_of
from tests.support.instance import ORIGIN, Instance

OPERATIONS = [one for one in every_operation() if one.is_for_developers]
FOR_BROWSERS = [one for one in every_operation() if one.is_for_browsers]


def test_there_are_such_operations() -> None:
    assert {"GET /api/customers", "DELETE /api/customers/{id}", "GET /api/events", "GET /api/usage/history"} <= {
        str(one) for one in OPERATIONS
    }
    assert not {"POST /api/data", "GET /api/usage", "POST /api/usage/reserve"} & {str(one) for one in OPERATIONS}


@pytest.mark.parametrize("operation", FOR_BROWSERS, ids=str)
async def test_a_listed_website_is_answered_and_another_is_not(instance: Instance, operation: Operation) -> None:
    things = await things_of(instance, instance.alice, operation)
    by = {"X-Publishable-Key": instance.alice.publishable["live"]}

    asked = await instance.api.options(operation.path, headers={"Access-Control-Request-Method": operation.method})
    listed = await ask(instance, operation, things, by | {"Origin": ORIGIN})
    another = await ask(instance, operation, things, by | {"Origin": "https://evil.com"})

    assert asked.status_code == 204
    assert operation.method in asked.headers["Access-Control-Allow-Methods"]
    assert listed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert (another.status_code, another.json()["code"]) == (403, "origin_not_allowed")
