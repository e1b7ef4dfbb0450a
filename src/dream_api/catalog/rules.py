"""How tiers come to be and what they allow."""

import re

from dream_api.catalog import queries
from dream_api.catalog.plans import CACHE_KIND, Plans
from dream_api.core import clock, ids
from dream_api.core.cache import note
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.platforms import Mode, Platform, Project, ProjectType, create_project
from dream_api.usage import LARGEST_COUNT, REQUESTS, Window, create_meter, meters_of

FREE = "free"
FREE_LIMIT = 1_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


async def open_project(
    tx: Tx, platform: Platform, name: str, project_type: ProjectType, modes: tuple[Mode, ...]
) -> Project:
    """A new project with its meter; a saas one begins with the tier `free`, 1,000 calls a month."""
    project = await create_project(tx, platform, name, project_type)
    await create_meter(tx, project, REQUESTS)
    if project_type == "saas":
        for mode in modes:
            await create_tier(tx, project, mode, FREE, limit=FREE_LIMIT, is_default=True)
    return project


async def create_tier(
    tx: Tx,
    project: Project,
    mode: Mode,
    name: str,
    *,
    limit: int | None,
    display_name: str | None = None,
    number: int | None = None,
    is_default: bool = False,
) -> str:
    """A tier that allows `limit` requests a period (None: any number); answers its id."""
    if not _NAME.fullmatch(name):
        raise ValidationFailed(
            "A tier's name has 1 to 63 of a-z, 0-9, - and _, and begins with a letter or digit.", param="name"
        )
    now = clock.now()
    tier_id = ids.new("tier")
    row = {"id": tier_id, "project_id": project.id, "mode": mode, "name": name, "number": number}
    row |= {"display_name": display_name or name.capitalize(), "is_default": is_default}
    await queries.insert_tier(tx, project.platform_id, row | {"created_at": now, "updated_at": now})
    await _put_period_limit(tx, project, tier_id, limit)
    await note(tx, CACHE_KIND, Plans.name_of(project.id, mode))
    return tier_id


async def set_limit(tx: Tx, project: Project, mode: Mode, name: str, limit: int | None) -> bool:
    """Make or change a tier so that it allows `limit` requests a period; whether it is a new one."""
    tier = await queries.tier_by_name(tx, project.platform_id, project.id, mode, name)
    if tier is None:
        await create_tier(tx, project, mode, name, limit=limit)
        return True
    await _put_period_limit(tx, project, tier.id, limit)
    await note(tx, CACHE_KIND, Plans.name_of(project.id, mode))
    return False


async def _put_period_limit(tx: Tx, project: Project, tier_id: str, limit: int | None) -> None:
    if limit is not None and not 0 <= limit <= LARGEST_COUNT:
        raise ValidationFailed(f"A limit is a whole number from 0 to {LARGEST_COUNT:,}.", param="limit")
    meters = await meters_of(tx, project.platform_no, project.no)
    await put_limit(tx, project, tier_id, meters[REQUESTS].no, Window.PERIOD, limit)


async def put_limit(tx: Tx, project: Project, tier_id: str, meter_no: int, window: Window, maximum: int | None) -> None:
    row = {"tier_id": tier_id, "meter_no": meter_no, "window": window.name.lower(), "kind": "hard"}
    await queries.put_limit(tx, project.platform_id, row | {"max": maximum})
