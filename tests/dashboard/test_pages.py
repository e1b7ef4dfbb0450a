"""Overview, customers, usage and events: who sees them, what stands in them, and what they ask of the database."""

import html
import json
import re
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from dream_api import customers, webhooks
from dream_api.billing.tables import payments
from dream_api.core import clock
from dream_api.customers.tables import customers as customer_table
from dream_api.platforms import ProjectScope
from dream_api.platforms.tables import projects
from dream_api.webhooks.tables import events
from tests.analytics.history import Past
from tests.support.instance import Account, Instance, open_store
from tests.support.statements import questions

PATHS = (
    "",
    "?days=7",
    "/customers",
    "/customers?sort=name&q=user1",
    "/usage",
    "/usage?span=24h&userId=user1",
    "/events",
)
NASTY = "\"'></title><script>alert(1)</script>&{{7*7}}"


@pytest.fixture(autouse=True)
def _midday() -> None:
    clock.move((12 * clock.HOUR + 30 * clock.MINUTE - clock.now()) % clock.DAY)


async def fill(instance: Instance, account: Account, size: int = 1) -> None:
    async with instance.database.write() as tx:
        await Past(tx, account.project, "test", Random(size), clock.now()).fill(size)


async def page(instance: Instance, account: Account, path: str, role: Any = "owner") -> str:
    answer = await instance.api.get(f"/dashboard/{account.project.id}/test{path}", headers=account.cookie(role))
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 100_000
    return answer.text


def _scope(account: Account) -> ProjectScope:
    return ProjectScope(account.project.platform_no, account.project.id, "test")


async def one_of(instance: Instance, account: Account) -> Any:
    async with instance.database.read() as tx:
        return await tx.first(
            select(customer_table).where(
                customer_table.c.project_id == account.project.id, customer_table.c.status == "active"
            )
        )


async def test_pages_are_shown_empty_and_full_and_to_no_stranger(instance: Instance, alice: Account, charlie: Account):
    store = await open_store(instance.database, alice)
    for account in (alice, store):
        for path in PATHS:
            if account is alice or not path.startswith("/usage"):
                assert "<h1>" in await page(instance, account, path, "viewer")
    await fill(instance, alice)
    await fill(instance, store)
    customer = await one_of(instance, alice)

    for path in (*PATHS, f"/customers/{customer.id}"):
        assert "<h1>" in await page(instance, alice, path, "viewer")
        if "usage" not in path and customer.id not in path:
            await page(instance, store, path)
        answer = await instance.api.get(f"/dashboard/{alice.project.id}/test{path}", headers=charlie.cookie())
        assert answer.status_code == 404
    foreign = f"/dashboard/{charlie.project.id}/test/customers/{customer.id}"
    assert (await instance.api.get(foreign, headers=charlie.cookie())).status_code == 404


async def test_how_much_pages_ask_does_not_depend_on_how_much_there_is(instance: Instance, alice: Account):
    await fill(instance, alice)
    counts: list[dict[str, int]] = []
    for more in (0, 200):
        async with instance.database.write() as tx:
            past = Past(tx, alice.project, "test", Random(more), clock.now())
            await past.events(more)
            for n in range(more):
                await customers.create(tx, _scope(alice), f"more{n}", email=None, name=None, plan=None, now=clock.now())
        told: dict[str, int] = {}
        for path in (*PATHS, f"/customers/{(await one_of(instance, alice)).id}"):
            await page(instance, alice, path)
            with questions() as statements:
                await page(instance, alice, path)
            told[re.sub("cus_.*", "", path)] = len(statements)
        counts.append(told)

    assert counts[0] == counts[1]
    most = {"": 14, "/customers": 8, "/usage": 8, "/events": 6, "/customers/": 20}
    assert {path: counts[0][path] for path in most if counts[0][path] > most[path]} == {}


async def test_what_people_typed_is_never_markup(instance: Instance, alice: Account):
    made = await instance.api.post(
        f"/dashboard/{alice.project.id}/test/customers",
        headers=alice.cookie(),
        data=alice.form(userId=NASTY, name=NASTY, email="a@b.c"),
    )
    assert made.status_code == 303, made.text
    async with instance.database.write() as tx:
        past = Past(tx, alice.project, "test", Random(1), clock.now())
        row = past.whose | {"id": "evt_" + "1" * 26, "type": "payment.failed", "created_at": clock.now()}
        await past.write(events, [row | {"data": '{"userId": "</script><script>", "plan": "<b>"}'}])
        await tx.execute(update(projects).where(projects.c.id == alice.project.id).values(name=NASTY))
    await instance.changes.poll()
    customer = made.headers["location"].rpartition("/")[2]
    everywhere = [*PATHS, f"/customers/{customer}", f"/customers?q={NASTY}", f"/usage?userId={NASTY}&meter={NASTY}"]
    everywhere += [f"/events?type={NASTY}", "/events/evt_" + "1" * 26]
    for path in everywhere:
        text = await page(instance, alice, path.replace("&{{", "%26{{") if "?" in path else path)
        assert "<script>alert" not in text
        assert "</script><script>" not in text
        assert "<b>" not in text


async def test_a_customer_is_changed_by_those_who_sell_and_read_by_all(instance: Instance, alice: Account):
    base = f"/dashboard/{alice.project.id}/test/customers"
    made = await instance.api.post(base, headers=alice.cookie("member"), data=alice.form("member", userId="ada"))
    at = made.headers["location"]

    async def post(path: str, role: Any = "member", **fields: str) -> int:
        answer = await instance.api.post(at + path, headers=alice.cookie(role), data=alice.form(role, **fields))
        return answer.status_code

    async def ada() -> Any:
        async with instance.database.read() as tx:
            return await customers.find(tx, _scope(alice), "userId:ada")

    assert [await post(path, "viewer") for path in ("", "/plan", "/status", "/delete", "/portal")] == [403] * 5
    assert await post("", email="ada@example.com", name="Ada") == 303
    assert await post("/plan", plan="free") == 303
    assert await post("/status", status="blocked") == 303
    row = await ada()
    assert (row.email, row.name, row.plan, row.status) == ("ada@example.com", "Ada", "free", "blocked")
    assert await post("/status", status="active") == 303
    wrong = await instance.api.post(at, headers=alice.cookie(), data=alice.form(email="nowhere", name="Kept"))
    assert wrong.status_code == 422
    assert "Enter a valid email address." in wrong.text
    assert 'value="Kept"' in wrong.text
    assert await post("/plan", plan="gold") == 422
    assert await post("/delete", typed="bob") == 422
    assert (await ada()).status == "active"
    assert await post("/portal") == 409
    assert await post("/delete", typed="ada") == 303
    assert (await ada()).status == "deleted"
    again = await instance.api.post(base, headers=alice.cookie(), data=alice.form(userId="ada"))
    assert again.status_code == 422
    assert "already" in again.text


@pytest.mark.parametrize("name", ["paymentId", "payment"])  # as stored, and as earlier releases stored it
async def test_an_event_of_a_payment_tells_whose_it_is(instance: Instance, alice: Account, name: str):
    await fill(instance, alice)
    customer = await one_of(instance, alice)
    async with instance.database.write() as tx:
        payment_id = await tx.scalar(select(payments.c.id).where(payments.c.project_id == alice.project.id).limit(1))
        await tx.execute(update(payments).where(payments.c.id == payment_id).values(customer_id=customer.id))
        told = {"project_id": alice.project.id, "mode": "test", "created_at": clock.now()}
        data = json.dumps({name: payment_id, "amount": 1999, "currency": "usd"})
        row = {"platform_no": alice.project.platform_no, "id": "evt_zz", "type": "payment.succeeded", "data": data}
        await tx.execute(events.insert().values(**row, **told))

    shown = await page(instance, alice, "/events?type=payment.succeeded")

    assert f'evt_zz">payment.succeeded</a> <small class="narrow-only cut">{html.escape(customer.user_id)}' in shown


@pytest.mark.parametrize("name", ["paymentId", "payment"])
async def test_a_customer_is_shown_what_happened_to_them_however_much_came_after(
    instance: Instance, alice: Account, name: str
):
    await fill(instance, alice)
    ada = await one_of(instance, alice)
    whose = (alice.project.platform_no, alice.project.id)
    async with instance.database.write() as tx:
        payment_id = await tx.scalar(select(payments.c.id).where(payments.c.project_id == alice.project.id).limit(1))
        await tx.execute(update(payments).where(payments.c.id == payment_id).values(customer_id=ada.id))
        of_ada: dict[str, object] = {"userId": ada.user_id, "percent": 80, "limit": 7, "meter": "requests"}
        of_others: dict[str, object] = {"userId": ada.user_id + "2"}
        facts = (
            ("payment.succeeded", {name: payment_id, "amount": 1234, "currency": "usd"}),
            ("usage.threshold_reached", of_ada),
            *[("usage.threshold_reached", of_others)] * 150,
        )
        now = clock.now()
        await webhooks.record_events(tx, [webhooks.Event(*whose, "test", kind, data, now) for kind, data in facts])

    shown = (
        (await page(instance, alice, f"/customers/{ada.id}")).partition("<h2>Events</h2>")[2].partition("</table>")[0]
    )

    assert "$12.34" in shown
    assert "80% of 7 requests" in shown
    assert shown.count("usage.threshold_reached") == 1


async def test_a_form_without_its_sign_changes_nothing(instance: Instance, alice: Account):
    for path in ("/customers", "/customers/cus_" + "0" * 26 + "/delete"):
        answer = await instance.api.post(
            f"/dashboard/{alice.project.id}/test{path}", headers=alice.cookie(), data={"userId": "ada"}
        )
        assert answer.status_code == 403


async def test_customers_are_found_by_what_their_id_or_address_begins_with(instance: Instance, alice: Account):
    async with instance.database.write() as tx:
        for n in range(55):
            profile: Any = {"email": f"p{n:02}@example.com", "name": None, "plan": None}
            await customers.create(tx, _scope(alice), f"user{n:02}", **profile, now=clock.now())

    def shown(text: str) -> list[str]:
        return re.findall(r'/customers/cus_\w+">(user\d\d)<', text)

    assert shown(await page(instance, alice, "/customers?q=user1")) == [f"user{n}" for n in range(19, 9, -1)]
    assert shown(await page(instance, alice, "/customers?q=p07")) == ["user07"]
    first = await page(instance, alice, "/customers?sort=name")
    following = re.search(r'href="([^"]*after=[^"]*)" rel="next"', first)
    assert following is not None
    second = await page(instance, alice, "/customers" + html.unescape(following[1]))
    assert shown(first) + shown(second) == [f"user{n:02}" for n in range(55)]
    assert shown(await page(instance, alice, "/customers?status=blocked")) == []


async def test_exports_hold_every_row_and_no_formula(instance: Instance, alice: Account):
    async with instance.database.write() as tx:
        for n in range(620):
            await customers.create(tx, _scope(alice), f"=user{n}", email=None, name="@sum", plan=None, now=clock.now())
    base = f"/dashboard/{alice.project.id}/test"

    told = await instance.api.get(f"{base}/customers.csv", headers=alice.cookie("admin"))
    used = await instance.api.get(f"{base}/usage.csv?span=7d", headers=alice.cookie("admin"))

    assert told.headers["content-type"].startswith("text/csv")
    lines = told.text.strip().splitlines()
    assert len(lines) == 621
    assert ",'=user7,,'@sum,active," in told.text
    assert used.text.splitlines()[0] == "day,meter,total,calls"
    assert len(used.text.strip().splitlines()) == 8


async def test_a_store_meters_nothing(instance: Instance, alice: Account):
    store = await open_store(instance.database, alice)
    answer = await instance.api.get(f"/dashboard/{store.project.id}/test/usage", headers=alice.cookie())
    assert answer.status_code == 403
