"""Metering on a database that is distributed by platform: one transaction and one named tenant at a time.

The database of these tests is a plain PostgreSQL that is said to be distributed: they show what the statements are and
that these count right, not what Citus makes of them.
"""

import asyncio
import re
from typing import Any, ClassVar

import pytest

from dream_api.app import integrity_checks
from dream_api.catalog import TierLimit
from dream_api.core.db import Statement, postgresql
from dream_api.core.integrity import run_check
from dream_api.usage import Window
from tests.support.instance import Account, Instance, open_account
from tests.support.tenant_statements import prepared_statements

pytestmark = [pytest.mark.both, pytest.mark.parametrize("database_kind", ["postgres"])]

# The column is equal to a parameter, or filled with one.
_NAMED = re.compile(r"platform_no = \$\d+::BIGINT|SELECT \$\d+::BIGINT AS \w+")


def tenants_of(statement: Statement, values: dict[str, Any]) -> set[int]:
    """The platforms of a prepared statement's rows."""
    for name, table in statement.rows.items():
        if "platform_no" in table.c:
            place = list(table.c.keys()).index("platform_no")
            return {row[place] for row in values[name]}
    return set()


class Watched(postgresql.PostgresBatch):
    """A transaction that notes of which platforms its rows are."""

    all: ClassVar[list["Watched"]] = []

    def __init__(self, connection: Any, *, by_tenant: bool) -> None:
        super().__init__(connection, by_tenant=by_tenant)
        self.platforms: set[int] = set()
        self.all.append(self)

    async def fetch(self, statement: Statement, **values: Any) -> Any:
        self.platforms |= tenants_of(statement, values)
        return await super().fetch(statement, **values)

    async def run(self, statement: Statement, **values: Any) -> None:
        self.platforms |= tenants_of(statement, values)
        await super().run(statement, **values)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Watched]:
    monkeypatch.setattr(postgresql, "PostgresBatch", Watched)
    monkeypatch.setattr(Watched, "all", [])
    return Watched.all


@pytest.fixture(autouse=True)
def distributed(instance: Instance) -> None:
    assert instance.database.is_distributed is False
    instance.database.is_distributed = True


async def _use(instance: Instance, account: Account) -> list[int]:
    """Of all kinds, in both modes, so that a platform's own counts are written too; returns statuses."""
    everything = (TierLimit(9, window=Window.DAY), TierLimit(9), TierLimit(2, meter="seats", aggregation="distinct"))
    await instance.set_limits(account, "free", *everything)
    ada, keyed = account.calls("ada"), account.calls("ada", **{"Idempotency-Key": "once"})
    live = {**account.live, "X-User-Id": "bob"}
    api = instance.api
    answers = await asyncio.gather(
        *(api.post("/api/data", headers=ada) for _ in range(6)),
        *(api.post("/api/data", headers=live) for _ in range(3)),
        *(api.post("/api/data", headers=ada, json={"meter": "seats", "subject": str(n)}) for n in range(3)),
        api.post("/api/data", headers=keyed, json={"quantity": 2}),
    )
    again = await api.post("/api/data", headers=keyed, json={"quantity": 2})
    held = await api.post("/api/usage/reserve", headers=ada, json={"quantity": 1})
    settled = await api.post(
        f"/api/usage/reserve/{held.json()['reservation']['id']}/settle", headers=account.sk, json={"quantity": 1}
    )
    refused = await api.post("/api/data", headers=ada)
    return sorted(answer.status_code for answer in [*answers, again, held, settled, refused])


async def test_platforms_that_call_at_once_are_counted_each_in_transactions_of_its_own(
    instance: Instance, alice: Account, charlie: Account, watched: list[Watched]
):
    dora = await open_account(instance.database, "Dora")

    statuses = await asyncio.gather(*(_use(instance, account) for account in (alice, charlie, dora)))

    # The last seat and the last call are refused.
    assert statuses == [[200] * 14 + [201] + [429] * 2] * 3
    for account in (alice, charlie, dora):
        assert (await instance.usage_of(account))["count"] == 9
    assert {len(batch.platforms) for batch in watched} == {1}
    assert len({no for batch in watched for no in batch.platforms}) == 3
    findings = [await run_check(instance.database, check) for check in integrity_checks()]
    assert [finding.check.name for finding in findings if not finding.holds] == []


async def test_every_prepared_statement_names_its_tenant_by_one_parameter():
    unnamed: list[str] = []
    for name, statement in prepared_statements().items():
        rows = {param: [(7,) * len(table.c), (8,) * len(table.c)] for param, table in statement.rows.items()}
        texts = list(statement.by_tenant({**rows, "platform_no": 7, "zero": 0, "count": 1, "series": "x", "now": 0}))
        if any("platform_no" in table.c for table in statement.rows.values()):
            assert len(texts) == 2, name
        unnamed += [name for text, _ in texts if not _NAMED.search(text) or "given(platform_no" in text]

    assert sorted(set(unnamed)) == ["platforms.sequences:_DRAW", "usage.reservation_queries:_OVERDUE"]
