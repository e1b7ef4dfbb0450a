"""Instances are consistent after an upgrade from any revision.

An instance that was used is written into a database of each revision, as far as that had tables and columns for it, and
upgraded: `doctor` finds what it found before.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2 as httpx
import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import MetaData, select

from dream_api import app
from dream_api.core.db import Database
from dream_api.core.db.migrations import config
from dream_api.core.db.sqlite import connect
from dream_api.core.integrity import run_check
from dream_api.core.settings import Settings
from dream_api.migrations import FOLDER, head_revision, migrate, revisions
from dream_api.schema import metadata
from dream_api.usage import Window
from tests.browser.populated_instance import Town, settle
from tests.core.revision_choice import oldest_and_newest
from tests.support.instance import INSTANCE_KEY_HEX
from tests.support.row_generator import Rows
from tests.support.server import Server

# Not marked `slow`: those are spread over all processes, each of which would use an instance of its own.
pytestmark = pytest.mark.both

# Windows in which the first release counted.
_FIRST_WINDOWS = (Window.LIFE, Window.PERIOD)
# Tables in which an instance that is used has rows; the rest is filled in tests/core/test_upgrades.py.
USED = {
    *("platforms", "projects", "keys", "tiers", "tier_limits", "prices", "coupons", "customers", "meters"),
    *("usage_counters", "usage_hours", "usage_events", "reservations", "events", "checkouts", "subscriptions"),
    *("payments", "invoices", "orders", "order_lines", "stock", "members", "sessions", "personal_tokens", "refunds"),
    *("audit_entries", "invitations", "assets"),
}


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, Rows]]:
    """The instance's settings and all its rows."""
    key = SecretStr(INSTANCE_KEY_HEX)
    settings = Settings(data=tmp_path_factory.mktemp("used") / "data", open_rate=0, instance_key=key)
    with Server(settings) as server:
        asyncio.run(_use(server))
    rows = asyncio.run(_all_rows(settings))
    assert {name for name in USED if not rows[name]} == set()
    return settings, rows


async def _use(server: Server) -> None:
    town = await settle(server)
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as api:
        await _count(api, town)
        await _refund(api, town)
        sent = await api.post("/api/assets", headers=town.saas.sk, content=b"\x89PNG\r\n\x1a\n")
        assert sent.is_success, sent.text


async def _count(api: httpx.AsyncClient, town: Town) -> None:
    for user in ("ada", "bob"):
        live = {**town.saas.live, "X-User-Id": user, "Idempotency-Key": user}
        assert (await api.post("/api/data", headers=live)).is_success
        headers = {**town.saas.live, "X-User-Id": user}
        reserved = await api.post("/api/usage/reserve", headers=headers, json={"quantity": 2})
        assert reserved.is_success, reserved.text
        path = f"/api/usage/reserve/{reserved.json()['reservation']['id']}/settle"
        settled = await api.post(path, headers=town.saas.live, json={"quantity": 1})
        assert settled.is_success, settled.text


async def _refund(api: httpx.AsyncClient, town: Town) -> None:
    orders = (await api.get("/api/orders", headers=town.store.sk)).json()["data"]
    paid = next(order for order in orders if order["status"] == "completed")
    path = f"/api/orders/{paid['id']}/refunds"
    refunded = await api.post(path, headers=town.store.by("owner"), json={"amount": 500})
    assert refunded.is_success, refunded.text


async def _all_rows(settings: Settings) -> dict[str, Rows]:
    database = app.open_database(settings)
    async with database.read() as tx:
        rows = {
            table.name: [dict(row._mapping) for row in await tx.all(select(table))] for table in metadata.sorted_tables
        }
    await database.close()
    return rows


@pytest.mark.parametrize("revision", oldest_and_newest(revisions()))
async def test_an_upgraded_instance_agrees_with_itself(
    fresh: Database, revision: str, used: tuple[Settings, dict[str, Rows]]
) -> None:
    settings, rows = used
    checks = app.integrity_checks(settings)
    await _write(fresh, revision, rows)

    assert await migrate(fresh) is (revision != head_revision())

    findings = [await run_check(fresh, check) for check in checks]
    assert {one.check.name: one.contradictions for one in findings if not one.holds} == {}


async def _write(database: Database, revision: str, rows: Mapping[str, Rows]) -> None:
    """The database at the revision, with what it knew of these rows."""
    if database.path is not None:
        connect(database.path).close()
    schema = MetaData()
    if revision < "0011":
        coupons = [row | {"percent_off": row["basis_points"] and row["basis_points"] // 100} for row in rows["coupons"]]
        subscriptions = [_with_old_usage_prices(row) for row in rows["subscriptions"]]
        rows = dict(rows) | {"coupons": coupons, "subscriptions": subscriptions}
    if revision < "0010":
        rows = _before_tenant_keys(rows)
    async with database.write() as tx:
        await tx.connection.run_sync(lambda connection: command.upgrade(config(FOLDER, connection), revision))
        await tx.connection.run_sync(schema.reflect)
        for table in schema.sorted_tables:
            for row in _known_at(revision, table.name, rows):
                await tx.execute(table.insert(), {one.name: row[one.name] for one in table.columns if one.name in row})


def _with_old_usage_prices(row: Mapping[str, Any]) -> dict[str, Any]:
    stored = {"lasting": json.loads(row["usage_prices"]), "carried": [], "carriedFor": None, "endsIt": False}
    return dict(row) | {"usage_prices": json.dumps(stored)}


def _before_tenant_keys(rows: Mapping[str, Rows]) -> dict[str, Rows]:
    """The rows as releases wrote them that had the id of the platform in place of its number in most tables."""
    platforms = {row["no"]: row["id"] for row in rows["platforms"]}
    named = {name: [_with_old_keys(row, platforms) for row in of_table] for name, of_table in rows.items()}
    named["projects"] = [row | {"no": _instance_wide(row, "no")} for row in named["projects"]]
    named["audit_books"] = named["audit_streams"]
    named["numbers"] = [
        {"series": f"{row['series']}:{row['platform_no']}"} | {"last": row["last"]}
        if row["series"] in ("customers", "meters")
        else row
        for row in rows["sequences"]
        if row["series"] != "projects"
    ]
    return named


def _with_old_keys(row: Mapping[str, Any], platforms: Mapping[int, str]) -> dict[str, Any]:
    old = dict(row)
    if "platform_no" in row:
        old["platform_id"] = platforms.get(row["platform_no"], "")
        old["book"] = platforms.get(row["platform_no"], row.get("user_id"))
    if "project_no" in row:
        old["project_no"] = _instance_wide(row, "project_no")
    return old


def _instance_wide(row: Mapping[str, Any], column: str) -> int:
    """Projects were numbered by the instance, not by each platform."""
    return 100 * row["platform_no"] + row[column]


def _known_at(revision: str, table: str, rows: Mapping[str, Rows]) -> Rows:
    """The table's rows that the release of that revision would have written."""
    found = rows.get(table, [])
    if table not in ("usage_counters", "usage_hours"):
        return found
    if revision < "0002":
        # Nothing was counted against levels (customer 0), and in no other windows.
        found = [row for row in found if row["customer_no"] != 0 and row.get("window", 0) in _FIRST_WINDOWS]
    if revision < "0007":
        # Members were not counted.
        members = {one["meter_no"] for one in rows["meters"] if one["name"] == "members"}
        found = [row for row in found if row["customer_no"] != 0 or row["meter_no"] not in members]
    return found
