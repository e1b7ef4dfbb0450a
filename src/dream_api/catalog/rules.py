"""How tiers come to be and what they allow."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dream_api.catalog import queries
from dream_api.catalog.plans import CACHE_KIND, Plans
from dream_api.core import clock, ids
from dream_api.core.cache import note
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.platforms import Mode, Platform, Project, ProjectType, create_project, proper_name
from dream_api.usage import LARGEST_COUNT, REQUESTS, Aggregation, Kind, Meter, Window, create_meter, meters_of

FREE = "free"
FREE_LIMIT = 1_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class TierLimit:
    """How much of a meter a tier allows in a window; `max` None: it is counted, not limited."""

    max: int | None
    meter: str = REQUESTS
    window: Window = Window.PERIOD
    kind: Kind = "hard"
    # How a meter that is not there yet counts; None: of one that is there, it does not matter.
    aggregation: Aggregation | None = None


@dataclass(frozen=True, slots=True)
class SetTier:
    """A tier that was made or changed, and the meters that came to be with its limits."""

    id: str
    is_new: bool
    new_meters: tuple[Meter, ...]


async def open_project(
    tx: Tx, platform: Platform, name: str, project_type: ProjectType, modes: tuple[Mode, ...]
) -> Project:
    """A new project with its meter; a saas one begins with the tier `free`, 1,000 calls a month."""
    project = await create_project(tx, platform, name, project_type)
    await create_meter(tx, project, REQUESTS)
    if project_type == "saas":
        for mode in modes:
            await set_tier(tx, project, mode, FREE, [TierLimit(FREE_LIMIT)], is_default=True)
    return project


async def set_tier(
    tx: Tx,
    project: Project,
    mode: Mode,
    name: str,
    limits: Sequence[TierLimit],
    *,
    display_name: str | None = None,
    number: int | None = None,
    is_default: bool = False,
) -> SetTier:
    """Make a tier, or set these limits of one that is there (its others stay); in force within a second.

    A meter that a limit names and the project does not have is made.
    """
    if display_name is not None:
        display_name = proper_name(display_name, "displayName")
    tier = await queries.tier_by_name(tx, project.platform_id, project.id, mode, name)
    if tier is None:
        row = {"number": number, "display_name": display_name or name.capitalize(), "is_default": is_default}
        tier_id = await _insert_tier(tx, project, mode, name, row)
    else:
        tier_id = tier.id
        if display_name is not None:
            await queries.rename_tier(tx, project.platform_id, tier_id, display_name, clock.now())
    made = await _put_limits(tx, project, tier_id, limits)
    await note(tx, CACHE_KIND, Plans.name_of(project.id, mode))
    if made:  # the project's other mode has the meter too
        await note(tx, CACHE_KIND, Plans.name_of(project.id, "live" if mode == "test" else "test"))
    return SetTier(tier_id, tier is None, made)


async def _insert_tier(tx: Tx, project: Project, mode: Mode, name: str, row: dict[str, Any]) -> str:
    if not _NAME.fullmatch(name):
        raise ValidationFailed(
            "A tier's name has 1 to 63 of a-z, 0-9, - and _, and begins with a letter or digit.", param="name"
        )
    now = clock.now()
    tier_id = ids.new("tier")
    row = row | {"id": tier_id, "project_id": project.id, "mode": mode, "name": name}
    await queries.insert_tier(tx, project.platform_id, row | {"created_at": now, "updated_at": now})
    return tier_id


async def _put_limits(tx: Tx, project: Project, tier_id: str, limits: Sequence[TierLimit]) -> tuple[Meter, ...]:
    meters = await meters_of(tx, project.platform_no, project.no)
    made: list[Meter] = []
    for limit in limits:
        _refuse_improper(limit)
        meter = meters.get(limit.meter)
        if meter is None:
            meter = meters[limit.meter] = await create_meter(tx, project, limit.meter, limit.aggregation or "sum")
            made.append(meter)
        elif limit.aggregation not in (None, meter.aggregation):
            raise ValidationFailed(
                f"The meter {meter.name} is there already, and its aggregation is {meter.aggregation}.",
                param="limit",
                hint="Leave aggregation out, or choose another name for a new meter.",
            )
        row = {"tier_id": tier_id, "meter_no": meter.no, "window": limit.window.name.lower(), "kind": limit.kind}
        await queries.put_limit(tx, project.platform_id, row | {"max": limit.max})
    return tuple(made)


def _refuse_improper(limit: TierLimit) -> None:
    if limit.max is not None and not 0 <= limit.max <= LARGEST_COUNT:
        raise ValidationFailed(f"A limit is a whole number from 0 to {LARGEST_COUNT:,}.", param="limit")
    if not _NAME.fullmatch(limit.meter):
        raise ValidationFailed(
            "A meter's name has 1 to 63 of a-z, 0-9, - and _, and begins with a letter or digit.", param="limit"
        )
