"""`dream-api tier`: what projects sell."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from dream_api import catalog, platforms, usage
from dream_api.catalog import SetTier, TierLimit, queries
from dream_api.catalog.cli.limits import WINDOWS, amount, limits_of, sentence_of
from dream_api.core.errors import ValidationFailed
from dream_api.core.terminal import Answer, Commands, Desk, Listing
from dream_api.platforms import Mode, Project
from dream_api.usage import REQUESTS, Meter, Window

tier = Commands()

OfProject = Annotated[str, typer.Option("--project", metavar="ID", help="Whose tiers.", show_default=False)]
InMode = Annotated[Mode, typer.Option(help="Test and live tiers are apart.")]
Limits = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LIMIT",
        help="A number, or unlimited: requests a billing period. Or max=N with any of meter=NAME (requests), "
        "window=hour, day, month, lifetime or period (period), kind=hard or soft (hard), and for a new meter "
        "aggregation=sum or distinct (sum), with commas between. Once for each limit; others stay.",
        show_default=False,
    ),
]


@tier.writes
async def set_(
    desk: Desk,
    project: OfProject,
    name: Annotated[str, typer.Option(metavar="NAME", help="Its stable name, such as pro.", show_default=False)],
    limit: Limits = None,
    display_name: Annotated[str | None, typer.Option(metavar="TEXT", help="What people call it.")] = None,
    mode: InMode = "test",
) -> Answer:
    """Make a tier, or change its limits. In force within a second; a meter that there is not is made."""
    limits = limits_of(limit or [])
    if not limits and display_name is None:
        raise ValidationFailed("There is nothing to set: give --limit or --display-name.", param="limit")
    owner = await platforms.find_project(desk.tx, project)
    done = await catalog.set_tier(desk.tx, owner, mode, name, limits, display_name=display_name)
    if done.is_new and not limits:
        raise ValidationFailed(f"There is no {mode} tier {name} yet: a new one needs a --limit.", param="limit")
    [data] = [each for each in await _tiers(desk, owner, mode) if each["name"] == name]
    data |= {"projectId": owner.id, "mode": mode, "isNew": done.is_new, "newMeters": _meters(done.new_meters)}
    return Answer(data, Text(_told(owner, mode, data, limits, done)))


def _meters(made: Iterable[Meter]) -> list[dict[str, str]]:
    return [{"name": meter.name, "aggregation": meter.aggregation} for meter in made]


def _told(owner: Project, mode: Mode, data: dict[str, Any], limits: Sequence[TierLimit], done: SetTier) -> str:
    """A line for the tier, and one for each meter that came to be."""
    verb = "Made" if done.is_new else "Changed"
    what = ", ".join(sentence_of(limit) for limit in limits) or f"people call it {data['displayName']}"
    lines = [f"{verb} the {mode} tier {data['name']} of {owner.name}: {what}."]
    for meter in done.new_meters:
        how = "adds up quantities" if meter.aggregation == "sum" else "counts distinct subjects"
        lines.append(f"Made the meter {meter.name}, which {how}.")
    return "\n".join(lines)


@tier.reads
async def list_(desk: Desk, project: OfProject, mode: InMode = "test") -> Answer:
    """List the tiers of a project and all their limits."""
    owner = await platforms.find_project(desk.tx, project)
    data = await _tiers(desk, owner, mode)
    listing = Listing(
        ("Tier", "Limit", "Meter", "Window", "Kind", "Default", "Name"),
        [_row(each) for each in data],
        empty=f"{owner.name} has no {mode} tiers. Make one with `dream-api tier set --project {owner.id}`.",
        elastic=("Tier", "Meter", "Name"),
        numbers=("Limit",),
    )
    return Answer({"data": data}, listing)


def _row(one: dict[str, Any]) -> tuple[str | Text, ...]:
    """A tier, with a line for each of its limits."""
    limits: list[dict[str, Any]] = one["limits"]
    columns = (
        [f"{limit['max']:,}" if limit["max"] is not None else str(amount(None)) for limit in limits],
        [limit["meter"] + (" (distinct)" if limit["aggregation"] == "distinct" else "") for limit in limits],
        [limit["window"] for limit in limits],
        [limit["kind"] for limit in limits],
    )
    told = [Text("\n".join(column)) for column in columns]
    return (one["name"], *told, "default" if one["isDefault"] else "", one["displayName"])


async def _tiers(desk: Desk, owner: Project, mode: Mode) -> list[dict[str, Any]]:
    of_project = await usage.meters_of(desk.tx, owner.platform_no, owner.no)
    meters = {meter.no: meter for meter in of_project.values()}
    limits: dict[str, list[dict[str, Any]]] = {}
    rows = await queries.limits_of_project(desk.tx, owner.platform_id, owner.id, mode)
    for row in sorted(rows, key=lambda row: (row.meter_no, WINDOWS.index(_window(row.window)))):
        meter = meters[row.meter_no]
        limits.setdefault(row.tier_id, []).append(
            {
                "meter": meter.name,
                "aggregation": meter.aggregation,
                "window": _window(row.window).wire,
                "kind": row.kind,
                "max": row.max,
            }
        )
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


def _window(stored: str) -> Window:
    return Window[stored.upper()]


def _period_limit(limits: list[dict[str, Any]]) -> int | None:
    """What the tier allows of requests in a billing period."""
    period = Window.PERIOD.wire
    return next((one["max"] for one in limits if (one["meter"], one["window"]) == (REQUESTS, period)), None)
