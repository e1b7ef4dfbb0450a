"""GET /api/events."""

from datetime import datetime
from typing import Any, get_args

import pytest

from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.platforms import Mode
from dream_api.usage import Window
from dream_api.webhooks import SENTENCES, Event, EventType, record_events
from tests.docs.documents import DOCS
from tests.support.cases import each_case
from tests.support.instance import Account, Instance


async def happen(
    instance: Instance, who: Account, *numbers: int, mode: Mode = "test", kind: EventType | None = None
) -> None:
    project = who.project
    async with instance.database.write() as tx:
        for number in numbers:
            kind = kind or "usage.threshold_reached"
            event = Event(project.platform_no, project.id, mode, kind, {"number": number}, clock.now())
            await record_events(tx, [event])


async def listed(instance: Instance, headers: dict[str, str], **params: str) -> Any:
    answer = await instance.api.get("/api/events", headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(told: Any) -> list[int]:
    return [one["data"]["number"] for one in told["data"]]


async def test_an_event_is_told_with_all_there_is_to_know(instance: Instance, alice: Account):
    await instance.set_limits(alice, "free", TierLimit(4, window=Window.DAY))
    clock.move(-clock.now() % clock.DAY)
    before = clock.now()
    await instance.api.post("/api/data", headers=alice.calls("ada"), json={"quantity": 2})

    [event] = (await listed(instance, alice.sk))["data"]

    start = before - before % clock.DAY
    assert event["id"].startswith("evt_")
    assert before <= clock.from_datetime(datetime.fromisoformat(event["createdAt"])) <= clock.now()
    assert event["type"] == "usage.threshold_reached"
    assert event["data"] == {
        "userId": "ada",
        "plan": "free",
        "meter": "requests",
        "window": "day",
        "kind": "hard",
        "percent": 50,
        "count": 2,
        "limit": 4,
        "periodStart": clock.rfc3339(start),
        "periodEnd": clock.rfc3339(start + clock.DAY),
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_pages_hold_each_event_once_the_newest_first(instance: Instance, alice: Account, limit: int):
    await happen(instance, alice, *range(7))
    found: list[list[int]] = []
    after: dict[str, str] = {}
    while True:
        told = await listed(instance, alice.sk, limit=str(limit), **after)
        found.append(numbers(told))
        if told["nextCursor"] is None:
            break
        after = {"after": told["nextCursor"]}

    assert [one for page in found for one in page] == list(range(6, -1, -1))
    assert [len(page) for page in found] == [limit] * (7 // limit) + ([7 % limit] if 7 % limit else [])


async def test_what_happens_while_one_reads_is_on_the_first_page_only(instance: Instance, alice: Account):
    await happen(instance, alice, 1, 2, 3)
    first = await listed(instance, alice.sk, limit="2")
    await happen(instance, alice, 4)
    second = await listed(instance, alice.sk, limit="2", after=first["nextCursor"])

    assert (numbers(first), numbers(second)) == ([3, 2], [1])


async def test_one_type_is_listed_by_itself(instance: Instance, alice: Account):
    await happen(instance, alice, 1, 3)
    await happen(instance, alice, 2, kind="level.threshold_reached")

    assert numbers(await listed(instance, alice.sk)) == [2, 3, 1]
    assert numbers(await listed(instance, alice.sk, type="level.threshold_reached")) == [2]
    assert numbers(await listed(instance, alice.sk, type="usage.threshold_reached")) == [3, 1]
    page = await listed(instance, alice.sk, type="usage.threshold_reached", limit="1")
    assert numbers(await listed(instance, alice.sk, type="usage.threshold_reached", after=page["nextCursor"])) == [1]


async def test_strangers_and_the_other_mode_see_nothing_of_it(instance: Instance, alice: Account, charlie: Account):
    await happen(instance, alice, 1)
    await happen(instance, alice, 2, mode="live")
    hers = (await listed(instance, alice.sk))["data"][0]["id"]

    assert numbers(await listed(instance, alice.live)) == [2]
    for headers in (charlie.sk, charlie.live):
        assert await listed(instance, headers) == {"data": [], "nextCursor": None}
        assert await listed(instance, headers, after=hers[:-1] + "z") == {"data": [], "nextCursor": None}


@each_case(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("type=usage", "type"),
        ("type=", "type"),
        ("after=nonsense", "after"),
        ("after=cus_01k9q3v8zd0g2m4n6p8r0t2v4w", "after"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(instance: Instance, alice: Account, query: str, param: str):
    answer = await instance.api.get(f"/api/events?{query}", headers=alice.sk)

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "validation_failed", param)


def test_every_type_is_documented():
    page = (DOCS / "guide" / "reading-usage.md").read_text()

    assert set(get_args(EventType)) == set(SENTENCES)
    assert [f"| `{kind}` | {sentence} |" for kind, sentence in SENTENCES.items() if kind not in page] == []
