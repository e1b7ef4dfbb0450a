"""Every operation of the OpenAPI document is answered once on PostgreSQL.

Most tests of operations run on SQLite only (see tests/support/tiers.py): no statement of theirs goes untried here.
"""

import pytest

from tests.isolation.operations import SIGNED, Operation
from tests.isolation.test_operations import OPERATIONS, ask, things_of
from tests.support.instance import Instance, open_another


@pytest.mark.slow
@pytest.mark.rest
@pytest.mark.parametrize("database_kind", ["postgres"])
async def test_every_operation_is_answered_on_postgres(instance: Instance) -> None:
    answers = [await answer_of(instance, one) for one in OPERATIONS if one.path not in SIGNED]

    assert [answer for answer in answers if not 200 <= answer[1] < 300] == []


async def answer_of(instance: Instance, operation: Operation) -> tuple[str, int, str]:
    """The operation's example, called in a project of its own: nobody else used it there."""
    account = await open_another(instance.database, instance.alice)
    answer = await ask(instance, operation, await things_of(instance, account, operation))
    return str(operation), answer.status_code, answer.text
