"""GET /api/dashboard."""

from random import Random
from typing import Any

import pytest
from sqlalchemy import insert

from dream_api import analytics
from dream_api.api.analytics import examples
from dream_api.api.analytics.models import Dashboard, DashboardTotals
from dream_api.core import clock
from dream_api.platforms import MODES, Mode, ProjectType
from dream_api.platforms.tables import test_clocks
from dream_api.usage import rollup
from tests.analytics import recomputed
from tests.analytics.history import Past
from tests.support.cases import each_case
from tests.support.instance import Account, Instance, open_account
from tests.support.statements import statements

AHEAD = 40 * clock.DAY


@pytest.fixture(autouse=True)
def _midday() -> None:
    """Half past twelve: no hour and no day ends in the middle of a test."""
    clock.move((12 * clock.HOUR + 30 * clock.MINUTE - clock.now()) % clock.DAY)


async def read(instance: Instance, headers: dict[str, str], **params: Any) -> Any:
    answer = await instance.api.get("/api/dashboard", headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def day_of(moment: int) -> int:
    return moment - moment % clock.DAY


async def fill(
    instance: Instance, account: Account, mode: Mode, *, ahead: int = 0, size: int = 1, seed: int = 7
) -> None:
    async with instance.database.write() as tx:
        if ahead:
            row = {"ahead": ahead, "moved_at": clock.now()}
            project = account.project
            await tx.execute(insert(test_clocks).values(platform_no=project.platform_no, project_id=project.id, **row))
        await Past(tx, account.project, mode, Random(f"{seed}{mode}"), clock.now() + ahead).fill(size)


@pytest.mark.parametrize("days", [1, 30, 90])
async def test_each_figure_is_what_the_rows_come_to(instance: Instance, alice: Account, charlie: Account, days: int):
    for account, mode in ((alice, "test"), (alice, "live"), (charlie, "test")):
        await fill(instance, account, mode, ahead=AHEAD if (account, mode) == (alice, "test") else 0)
        await rollup.roll_up(instance.database)  # the job does it at any moment: what comes after it is told as well

    told = {mode: await read(instance, alice.by("viewer", mode), days=days) for mode in MODES}

    async with instance.database.read() as tx:
        for mode, ahead in (("test", AHEAD), ("live", 0)):
            meant = await recomputed.dashboard(tx, alice.project, mode, clock.now() + ahead, days)
            assert told[mode] == meant


async def test_a_past_shows_something_of_everything(instance: Instance, alice: Account):
    """Else the test above would compare nothing with nothing."""
    await fill(instance, alice, "test")

    told = await read(instance, alice.sk)

    assert {one["currency"] for one in told["revenue"]} == {one["currency"] for one in told["mrr"]}
    assert len(told["mrr"]) == len(told["trialMrr"]) == 3
    assert all(told["subscriptions"][name] for name in told["subscriptions"])
    assert all(one[name]["amount"] for one in told["revenue"] for name in ("gross", "refunded", "lost", "net"))
    assert {one["meter"] for one in told["usage"] if one["total"] and one["calls"]} == {"requests", "tokens"}
    assert len({one["window"] for one in told["nearLimits"]}) > 2
    assert all(told["orders"].values())
    assert [len(told[name]) for name in ("nearLimits", "lowStock", "events")] == [10, 10, 10]


async def test_a_new_project_comes_to_nothing(instance: Instance, alice: Account):
    told = await read(instance, alice.sk, days=2)

    today = day_of(clock.now())
    days = [{"at": clock.rfc3339(at), "total": 0, "calls": 0} for at in (today - clock.DAY, today)]
    assert (told["from"], told["to"]) == (clock.rfc3339(today - clock.DAY), clock.rfc3339(today + clock.DAY))
    assert told["usage"] == [{"meter": "requests", "total": 0, "calls": 0, "days": days}]
    assert told["subscriptions"].pop("byStatus") == dict.fromkeys(recomputed.STATUSES, 0)
    assert {name for name, value in told["subscriptions"].items() if value is None} == {"churn", "trialConversion"}
    assert not any(told["subscriptions"].values())
    assert told["customers"] == {"active": 0, "new": 0}
    assert set(told["orders"].values()) == {0}
    assert all(told[name] == [] for name in ("mrr", "trialMrr", "revenue", "nearLimits", "lowStock", "events"))


async def test_a_stranger_sees_nothing_of_it(instance: Instance, alice: Account, charlie: Account):
    before = {mode: await read(instance, charlie.by("owner", mode)) for mode in MODES}
    for mode in MODES:
        await fill(instance, alice, mode)

    assert {mode: await read(instance, charlie.by("owner", mode)) for mode in MODES} == before


@pytest.mark.parametrize("mode", MODES)
async def test_how_many_statements_it_takes_does_not_depend_on_how_much_there_is(
    instance: Instance, alice: Account, mode: Mode
):
    counts: list[int] = []
    for size in (0, 3):
        if size:
            await fill(instance, alice, mode, size=size)
        async with instance.database.read() as tx:
            with statements(tx) as told:
                await analytics.get_project_figures(tx, alice.project, mode, days=30)
        counts.append(len(told))

    assert counts[0] == counts[1] <= 11


@pytest.mark.parametrize("kind", ["saas", "store"])
async def test_projects_of_either_kind_have_figures(instance: Instance, kind: ProjectType):
    account = await open_account(instance.database, "Dora", kind)

    told = await read(instance, account.sk)

    assert [one["meter"] for one in told["usage"]] == (["requests"] if kind == "saas" else [])


@each_case("days", ["0", "367", "-1", "many", "1.5"])
async def test_other_spans_are_refused(instance: Instance, alice: Account, days: str):
    answer = await instance.api.get("/api/dashboard", headers=alice.sk, params={"days": days})
    assert (answer.status_code, answer.json()["param"]) == (422, "days")


async def test_the_longest_span_is_a_leap_year(instance: Instance, alice: Account):
    told = await read(instance, alice.sk, days=analytics.LONGEST_DAYS)
    assert [len(one["days"]) for one in told["usage"]] == [366]


async def test_a_publishable_key_opens_no_figures(instance: Instance, alice: Account):
    answer = await instance.api.get("/api/dashboard", headers={"Authorization": f"Bearer {alice.publishable['test']}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "secret_key_required")


def test_what_the_documents_show_has_the_shape_of_answers():
    for model, example in ((Dashboard, examples.DASHBOARD), (DashboardTotals, examples.TOTALS)):
        known = example | {"starts_at": example["from"], "ends_at": example["to"]}
        assert model.model_validate(known).model_dump(by_alias=True) == example
