"""`dream-api tier` and `dream-api levels`: what projects sell, and what platforms may use."""

from typing import Annotated, Any

import typer
from rich.text import Text

from dream_api import catalog, platforms, usage
from dream_api.catalog import Level, TierLimit, queries
from dream_api.core.errors import ValidationFailed
from dream_api.core.terminal import Answer, Commands, Desk, Listing, said
from dream_api.platforms import Mode, Project
from dream_api.usage import REQUESTS, Window

tier = Commands()
levels = Commands()

OfProject = Annotated[str, typer.Option("--project", metavar="ID", help="Whose tiers.", show_default=False)]
InMode = Annotated[Mode, typer.Option(help="Test and live tiers are apart.")]
_LEVEL_COLUMNS = ("Level", "Name", "Users/hour", "Requests/day", "Requests/month", "Members")
_UNLIMITED = "unlimited"


@tier.writes
async def set_(
    desk: Desk,
    project: OfProject,
    name: Annotated[str, typer.Option(metavar="NAME", help="Its stable name, such as pro.", show_default=False)],
    limit: Annotated[str, typer.Option(metavar="N|unlimited", help="How many requests a period.", show_default=False)],
    mode: InMode = "test",
) -> Answer:
    """Make a tier, or change its limit. In force within a second."""
    owner = await platforms.find_project(desk.tx, project)
    most = _limit_of(limit)
    done = await catalog.set_tier(desk.tx, owner, mode, name, [TierLimit(most)])
    is_new = done.is_new
    data = {"projectId": owner.id, "mode": mode, "name": name, "limit": most, "isNew": is_new}
    verb = "Made" if is_new else "Changed"
    amount = "any number of" if most is None else f"{most:,}"
    sentence = f"{verb} the {mode} tier {name} of {owner.name}: {amount} requests a period."
    return Answer(data, Text(sentence))


def _limit_of(text: str) -> int | None:
    if text == _UNLIMITED:
        return None
    if not (text.isascii() and text.isdigit()):
        raise ValidationFailed("A limit is a whole number, or the word unlimited.", param="limit")
    return int(text)


@tier.reads
async def list_(desk: Desk, project: OfProject, mode: InMode = "test") -> Answer:
    """List the tiers of a project and all their limits."""
    owner = await platforms.find_project(desk.tx, project)
    data = await _tiers(desk, owner, mode)
    listing = Listing(
        ("Tier", "Requests a period", "Default", "Other limits"),
        [
            (
                each["name"],
                _amount(each["limit"]),
                "default" if each["isDefault"] else "",
                "; ".join(_other_limits(each["limits"])),
            )
            for each in data
        ],
        empty=f"{owner.name} has no {mode} tiers. Make one with `dream-api tier set --project {owner.id}`.",
        elastic=("Tier", "Other limits"),
        numbers=("Requests a period",),
    )
    return Answer({"data": data}, listing)


async def _tiers(desk: Desk, owner: Project, mode: Mode) -> list[dict[str, Any]]:
    of_project = await usage.meters_of(desk.tx, owner.platform_no, owner.no)
    meters = {meter.no: name for name, meter in of_project.items()}
    limits: dict[str, list[dict[str, Any]]] = {}
    for row in await queries.limits_of_project(desk.tx, owner.platform_id, owner.id, mode):
        one = {"meter": meters[row.meter_no], "window": row.window, "kind": row.kind, "max": row.max}
        limits.setdefault(row.tier_id, []).append(one)
    return [
        {
            "name": row.name,
            "displayName": row.display_name,
            "isDefault": bool(row.is_default),
            "limit": _period_limit(limits.get(row.id, [])),
            "limits": limits.get(row.id, []),
        }
        for row in await queries.tiers_of_project(desk.tx, owner.platform_id, owner.id, mode)
    ]


def _is_period(limit: dict[str, Any]) -> bool:
    return limit["meter"] == REQUESTS and limit["window"] == Window.PERIOD.name.lower()


def _period_limit(limits: list[dict[str, Any]]) -> int | None:
    return next((limit["max"] for limit in limits if _is_period(limit)), None)


def _other_limits(limits: list[dict[str, Any]]) -> list[str]:
    return [
        f"{limit['max']:,} {limit['meter']} ({limit['window']})"
        for limit in limits
        if not _is_period(limit) and limit["max"] is not None
    ]


@levels.stands_alone
async def list_levels(desk: Desk) -> Answer:
    """List the levels: what each platform may use of this instance. `assign` puts a platform on one."""
    mode = desk.settings.home_mode
    found = await catalog.levels_of(desk.tx, mode)
    listing = Listing(
        _LEVEL_COLUMNS,
        [
            (
                level.number,
                level.display_name,
                _amount(level.active_users_per_hour),
                _amount(level.requests_per_day),
                _amount(level.requests_per_month),
                _amount(level.members),
            )
            for level in found
        ],
        empty="There are no levels.",
        elastic=("Name",),
        numbers=("Level", *_LEVEL_COLUMNS[2:]),
    )
    return Answer({"mode": mode, "data": [_level_data(level) for level in found]}, listing)


@levels.writes
async def assign(
    desk: Desk,
    platform: Annotated[str, typer.Argument(metavar="PLATFORM", help="`plt_…`.", show_default=False)],
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The level's number.", show_default=False)],
) -> Answer:
    """Put a platform on a level. In force within a second; no payment is asked for."""
    found = await platforms.find(desk.tx, platform)
    level = await catalog.assign(desk.tx, found, number, desk.settings.home_mode)
    return Answer(
        {"platformId": found.id, "level": level.number, "name": level.name},
        said(f"{found.name} is on level {level.number} ({level.display_name})."),
    )


def _level_data(level: Level) -> dict[str, Any]:
    return {
        "number": level.number,
        "name": level.name,
        "displayName": level.display_name,
        "activeUsersPerHour": level.active_users_per_hour,
        "requestsPerDay": level.requests_per_day,
        "requestsPerMonth": level.requests_per_month,
        "members": level.members,
    }


def _amount(most: int | None) -> int | str:
    return _UNLIMITED if most is None else most
