"""Purge of deleted projects and platforms, table by table; the tables' columns say which rows belong to them.

Of a deleted project the counts of its live customers stay, without their names, because the platform was charged for
them by its level. Of a deleted platform nothing stays but projects in which real money moved: their orders, invoices
and payments, with what these point at, are kept as long as the law asks for.

Files go before the rows that name them, and the platform's own row goes last: what fails half way is tried again.
"""

from sqlalchemy import ColumnElement, Table, and_, delete, false, select, tuple_, update

from dream_api import accounts, assets, audit, billing, catalog, customers, platforms
from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.core.db.columns import metadata
from dream_api.core.metadata import EMPTY
from dream_api.core.objects import ObjectStore
from dream_api.core.secrets import InstanceKey
from dream_api.platforms import Mode, Platform, Project
from dream_api.retention.ownership import belongs_to_platform, belongs_to_project
from dream_api.tenancy.level_usage import home_scope

# Rows in one transaction: few enough that the metered calls, which wait for it, do not notice.
_CHUNK = 500
_MOST_PROJECTS = 1_000_000
_OF_LAW = "7 years"
# What orders, invoices and payments point at.
_BEHIND_MONEY = {
    "projects",
    "project_ids",
    "customers",
    "tiers",
    "prices",
    "tier_limits",
    "coupons",
    "gateway_accounts",
}
_BEHIND_COUNTS = {"projects", "project_ids", "meters"}
_OF_PLATFORM_ITSELF = {"platforms", "sequences"}


async def purge(database: Database, objects: ObjectStore, key: InstanceKey, mode: Mode) -> None:
    """All projects that were deleted, and all platforms whose grace is over; `mode`: in which home sells its levels."""
    async with database.read() as tx:
        projects = [platforms.project_from(row) for row in await platforms.deleted_projects(tx)]
        ending = [platforms.platform_from(row) for row in await platforms.platforms_to_delete(tx, clock.now())]
    for project in projects:
        await _delete_files(database, objects, project)
        await _purge_project(database, project)
    for platform in ending:
        await objects.delete_below(assets.folder_of(platform.id))
        await _purge_platform(database, platform, key, mode)


async def _delete_files(database: Database, objects: ObjectStore, project: Project) -> None:
    async with database.read() as tx:
        keys = await assets.keys_of(tx, project.platform_no, project.id)
    for key in keys:
        await objects.delete(assets.path_of(project.platform_id, key))


async def _purge_project(database: Database, project: Project) -> None:
    """All but what its platform was charged for; reservations end first, by themselves."""
    for table in _every_table():
        condition = belongs_to_project(table, project)
        if condition is not None and table.name not in _BEHIND_COUNTS:
            await _delete(database, table, and_(condition, _uncharged(table, project)))
    await _forget_persons(database, project)
    async with database.write() as tx:
        if not await _is_reserved(tx, project):
            await platforms.mark_purged(tx, project)


def _uncharged(table: Table, project: Project) -> ColumnElement[bool]:
    """Rows that are not counts of live customers."""
    if table.name == "customers":
        return table.c.mode != "live"
    if table.name == "reservations":
        return table.c.state != "open"
    if table.name == "usage_totals":
        return table.c.mode != platforms.mode_no("live")
    if "customer_no" not in table.c or table.name == "usage_events":
        return ~false()
    people, meters = metadata.tables["customers"].c, metadata.tables["meters"].c
    live = select(people.no).where(
        people.platform_no == project.platform_no, people.project_id == project.id, people.mode == "live"
    )
    is_of_test = table.c.customer_no.not_in(live)
    if table.name == "usage_hours":
        return is_of_test
    distinct = select(meters.meter_no).where(
        meters.platform_no == project.platform_no, meters.aggregation == "distinct"
    )
    return is_of_test | table.c.meter_no.in_(distinct)


async def _is_reserved(tx: Tx, project: Project) -> bool:
    r = metadata.tables["reservations"].c
    whose = (r.platform_no == project.platform_no, r.project_no == project.no, r.state == "open")
    return await tx.first(select(r.id).where(*whose).limit(1)) is not None


async def _purge_platform(database: Database, platform: Platform, key: InstanceKey, mode: Mode) -> None:
    async with database.write() as tx:
        await accounts.revoke_platform_tokens(tx, platform.no)
    async with database.read() as tx:
        rows = await platforms.every_project(tx, platform.no)
        paid = [row.id for row in rows if await billing.has_payments(tx, platform.no, row.id, "live")]
    for row in rows:
        if row.id not in paid:
            await _delete_wholly(database, platforms.project_from(row))
    for table in _every_table():
        condition = belongs_to_platform(table, platform)
        is_kept = table.info["keep"] == _OF_LAW or table.name in _BEHIND_MONEY | _OF_PLATFORM_ITSELF
        if condition is not None and table.name != "platforms" and not (paid and is_kept):
            await _delete(database, table, condition)
    for row in rows:
        if row.id in paid:
            await _forget_persons(database, platforms.project_from(row))
    await audit.delete_stream(database, key, platform.log_stream)
    async with database.write() as tx:
        await _leave_home(tx, platform, mode)
        await (platforms.mark_erased(tx, platform) if paid else platforms.delete_platform(tx, platform))


async def _delete_wholly(database: Database, project: Project) -> None:
    for table in _every_table():
        condition = belongs_to_project(table, project)
        if condition is not None:
            await _delete(database, table, condition)


async def _leave_home(tx: Tx, platform: Platform, mode: Mode) -> None:
    """Delete the platform as a customer of the operator's; its payments to the operator stay."""
    scope = home_scope(await catalog.find_home(tx), mode)
    known = await customers.ensure(tx, scope, platform.id, now=clock.now())
    if known.status != "deleted":
        await customers.delete(tx, scope, known, now=clock.now())


async def _forget_persons(database: Database, project: Project) -> None:
    people = metadata.tables["customers"]
    whose = (people.c.platform_no == project.platform_no, people.c.project_id == project.id)
    nobody = {"email": None, "name": None, "metadata": EMPTY, "status": "deleted", "user_id": people.c.id}
    async with database.write() as tx:
        await tx.execute(update(people).where(*whose).values(nobody))


def _every_table() -> list[Table]:
    """Those first that are found by way of others, then whatever points to others before these, then directories."""
    tables = [table for table in reversed(metadata.sorted_tables) if table.name != "platforms"]
    apart = [table for table in tables if not table.foreign_keys]
    directories = [table for table in tables if table.info["scope"] == "directory" and table not in apart]
    rest = [table for table in tables if table not in apart and table not in directories]
    return [*apart, *rest, *directories, metadata.tables["platforms"]]


async def _delete(database: Database, table: Table, condition: ColumnElement[bool]) -> None:
    """A bounded part at a time, so that all others have their turn between."""
    # A directory's own key lacks the tenant.
    tenant = [table.c.platform_no] if "platform_no" in table.c else []
    key = list(dict.fromkeys([*tenant, *table.primary_key]))
    # With a list of keys instead of the query, SQLite would read the whole table, of all tenants, for each part.
    some = select(*key).where(condition).limit(_CHUNK)
    while True:
        async with database.write() as tx:
            deleted = await tx.execute(delete(table).where(tuple_(*key).in_(some)))
        if deleted < _CHUNK:
            return
