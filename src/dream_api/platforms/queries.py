"""SQL of platforms and projects."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, ScalarSelect, and_, delete, func, null, select, update

from dream_api.core.db import Tx, insert
from dream_api.platforms.tables import instance, platforms, project_ids, projects, test_clocks

_HOME = "home_project_id"
_project_columns = (
    projects.c.platform_no,
    platforms.c.id.label("platform_id"),
    projects.c.id,
    projects.c.no,
    projects.c.name,
    projects.c.type,
    projects.c.origins,
    projects.c.refund_limit_amount,
    projects.c.refund_limit_currency,
    projects.c.created_at,
)
# A project that was deleted is gone for everybody; a job takes what was in it.
_IS_THERE = projects.c.deleted_at.is_(None)
_of_platform = projects.join(platforms, platforms.c.no == projects.c.platform_no)


async def insert_platform(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(insert(platforms).values(row))


async def insert_project(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(projects).values(platform_no=platform_no, **row))
    await tx.execute(insert(project_ids).values(platform_no=platform_no, id=row["id"]))


async def platform_by_id(tx: Tx, platform_id: str) -> Row[Any] | None:
    return await tx.first(select(platforms).where(platforms.c.id == platform_id))


async def platform_by_number(tx: Tx, platform_no: int) -> Row[Any] | None:
    return await tx.first(select(platforms).where(platforms.c.no == platform_no))


async def ids_by_number(tx: Tx, platform_nos: Collection[int]) -> dict[int, str]:
    """The ids of these platforms."""
    rows = await tx.all(select(platforms.c.no, platforms.c.id).where(platforms.c.no.in_(platform_nos)))
    return {row.no: row.id for row in rows}


async def lock_platform(tx: Tx, platform_no: int) -> None:
    """Lock the platform's row until the transaction ends."""
    row = select(platforms.c.no).where(platforms.c.no == platform_no)
    await tx.first(row.with_for_update(key_share=True))


async def closure_of(tx: Tx, platform_no: int, project_id: str | None, *, lock: bool) -> Row[Any] | None:
    """When the platform is to be deleted, and when the project was; `lock`: against changes of either."""
    query = select(platforms.c.deletes_at, null().label("deleted_at"))
    if project_id is not None:
        of_project = (projects.c.platform_no == platforms.c.no) & (projects.c.id == project_id)
        query = select(platforms.c.deletes_at, projects.c.deleted_at).join(projects, of_project)
    query = query.where(platforms.c.no == platform_no)
    return await tx.first(query.with_for_update(read=True) if lock else query)


async def update_platform(tx: Tx, platform_no: int, values: dict[str, Any]) -> None:
    await tx.execute(update(platforms).where(platforms.c.no == platform_no).values(values))


async def delete_platform(tx: Tx, platform_no: int) -> None:
    await tx.execute(delete(platforms).where(platforms.c.no == platform_no))


async def platforms_to_delete(tx: Tx, now: int) -> Sequence[Row[Any]]:
    """Whose grace is over, and of which there is anything left."""
    over = select(platforms).where(platforms.c.deletes_at <= now, platforms.c.gone_at.is_(None))
    return await tx.all(over.order_by(platforms.c.no))


async def all_platforms(tx: Tx) -> Sequence[Row[Any]]:
    """Oldest first: the operator's platform leads."""
    return await tx.all(select(platforms).order_by(platforms.c.no))


async def page_of_platforms(tx: Tx, *, limit: int, after: int | None, containing: str) -> Sequence[Row[Any]]:
    """For operators: newest first, those made before the one numbered `after`, with that text in the name."""
    query = select(platforms)
    if containing:
        query = query.where(platforms.c.name.icontains(containing, autoescape=True) | (platforms.c.id == containing))
    if after is not None:
        query = query.where(platforms.c.no < after)
    return await tx.all(query.order_by(platforms.c.no.desc()).limit(limit))


async def platform_no_of_project(tx: Tx, project_id: str) -> int | None:
    """The number of the project's platform, also of a project that was deleted."""
    return await tx.scalar(select(project_ids.c.platform_no).where(project_ids.c.id == project_id))


async def project_by_id(tx: Tx, project_id: str) -> Row[Any] | None:
    """The project on any platform, unless it was deleted."""
    platform_no = await platform_no_of_project(tx, project_id)
    if platform_no is None:
        return None
    whose = (projects.c.platform_no == platform_no, projects.c.id == project_id, _IS_THERE)
    return await tx.first(select(*_project_columns).select_from(_of_platform).where(*whose))


async def projects_of(tx: Tx, platform_no: int, *, limit: int) -> Sequence[Row[Any]]:
    """Oldest first."""
    whose = select(*_project_columns).select_from(_of_platform).where(projects.c.platform_no == platform_no, _IS_THERE)
    return await tx.all(whose.order_by(projects.c.id).limit(limit))


async def projects_with_offsets(tx: Tx, platform_no: int, *, limit: int) -> Sequence[Row[Any]]:
    """Oldest first, each with `ahead`, the offset of its test clock."""
    t = test_clocks.c
    is_its_clock = and_(t.platform_no == projects.c.platform_no, t.project_id == projects.c.id)
    wanted = select(*_project_columns, func.coalesce(t.ahead, 0).label("ahead"))
    found = wanted.select_from(_of_platform.outerjoin(test_clocks, is_its_clock))
    whose = found.where(projects.c.platform_no == platform_no, _IS_THERE)
    return await tx.all(whose.order_by(projects.c.id).limit(limit))


async def page_of_projects(tx: Tx, platform_no: int, *, limit: int, after: str | None) -> Sequence[Row[Any]]:
    """Newest first, those after the id `after`."""
    query = select(*_project_columns).select_from(_of_platform).where(projects.c.platform_no == platform_no, _IS_THERE)
    if after is not None:
        query = query.where(projects.c.id < after)
    return await tx.all(query.order_by(projects.c.id.desc()).limit(limit))


async def update_project(tx: Tx, platform_no: int, project_id: str, values: dict[str, Any]) -> None:
    which = (projects.c.platform_no == platform_no, projects.c.id == project_id)
    await tx.execute(update(projects).where(*which).values(values))


async def deleted_projects(tx: Tx) -> Sequence[Row[Any]]:
    """What was in them is still to go."""
    found = select(*_project_columns).select_from(_of_platform)
    return await tx.all(found.where(projects.c.deleted_at.is_not(None), projects.c.purged_at.is_(None)))


async def every_project(tx: Tx, platform_no: int) -> Sequence[Row[Any]]:
    """Also those that were deleted."""
    return await tx.all(
        select(*_project_columns).select_from(_of_platform).where(projects.c.platform_no == platform_no)
    )


async def set_project_name(tx: Tx, platform_no: int, project_id: str, name: str) -> None:
    which = (projects.c.platform_no == platform_no, projects.c.id == project_id)
    await tx.execute(update(projects).where(*which).values(name=name))


async def set_origins(tx: Tx, platform_no: int, project_id: str, origins: Sequence[str]) -> None:
    which = (projects.c.platform_no == platform_no, projects.c.id == project_id)
    await tx.execute(update(projects).where(*which).values(origins=json.dumps(origins)))


async def lock_project(tx: Tx, platform_no: int, project_id: str) -> None:
    """Lock the project's row until the transaction ends."""
    row = select(projects.c.id).where(projects.c.platform_no == platform_no, projects.c.id == project_id)
    # Rows that point to the project may still be written: their transactions do not wait for this lock.
    await tx.first(row.with_for_update(key_share=True))


async def all_projects(tx: Tx) -> Sequence[Row[Any]]:
    """For operators, who see every platform; oldest first."""
    return await tx.all(select(*_project_columns).select_from(_of_platform).where(_IS_THERE).order_by(projects.c.id))


async def home_project_id(tx: Tx) -> str | None:
    """The operator's project whose tiers are the levels; None before the first start."""
    return await get_instance_value(tx, _HOME)


def home_platform_no() -> ScalarSelect[int]:
    """For statements that hold all platforms against the operator's: its number."""
    of_home = project_ids.join(instance, instance.c.value == project_ids.c.id)
    chosen = select(project_ids.c.platform_no).select_from(of_home).where(instance.c.name == _HOME)
    return chosen.correlate(None).scalar_subquery()


async def set_home_project(tx: Tx, project_id: str) -> None:
    await set_instance_value(tx, _HOME, project_id)


async def get_instance_value(tx: Tx, name: str) -> str | None:
    """A fact of the instance itself; None where it is not known."""
    return await tx.scalar(select(instance.c.value).where(instance.c.name == name))


async def set_instance_value(tx: Tx, name: str, value: str) -> None:
    row = insert(instance).values(name=name, value=value)
    await tx.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
