"""`dream-api tier`: what projects sell."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from dream_api import audit, catalog, platforms
from dream_api.catalog import NewPrice, SavedTier, TierLimit, TierWithPrices
from dream_api.cli.catalog import prices
from dream_api.cli.catalog.limits import WINDOWS, describe_limit, format_maximum, parse_limits
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, Table
from dream_api.core.errors import ValidationFailed
from dream_api.platforms import Mode, Project
from dream_api.usage import Meter

tier = CommandGroup()

OfProject = Annotated[str, typer.Option("--project", metavar="ID", help="The project's id.", show_default=False)]
InMode = Annotated[Mode, typer.Option(help="The mode of the plan or product.")]
Limits = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LIMIT",
        help="A number of requests per billing period, or unlimited. Or max=N, followed by any of these keys, "
        "separated by commas: meter=NAME (default requests), window=hour, day, month, lifetime or period (default "
        "period), kind=hard or soft (default hard), and for a new meter aggregation=sum or distinct (default sum). "
        "Can be repeated. Other limits stay.",
        show_default=False,
    ),
]
Prices = Annotated[list[str] | None, typer.Option(metavar="PRICE", help=prices.HELP, show_default=False)]


@tier.writes
async def set_(
    context: CommandContext,
    project: OfProject,
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The name in the API, such as pro. It cannot be changed.", show_default=False
        ),
    ],
    limit: Limits = None,
    price: Prices = None,
    display_name: Annotated[str | None, typer.Option(metavar="TEXT", help="The display name.")] = None,
    mode: InMode = "test",
) -> CommandResult:
    """Create or change a plan or product (a tier). Changes take effect within a second.

    Meters that do not exist yet are created.
    """
    limits, asked = parse_limits(limit or []), prices.parse_prices(price or [])
    if not limits and not asked and display_name is None:
        raise ValidationFailed("There is nothing to change: use --limit, --price or --display-name.", param="limit")
    owner = await platforms.find_project(context.tx, project)
    done = await catalog.set_tier(context.tx, owner, mode, name, limits, prices=asked, display_name=display_name)
    if done.is_new and not limits and not asked:
        sentence = f"There is no {mode} tier {name} yet. A new tier needs a --limit or a --price."
        raise ValidationFailed(sentence, param="limit")
    offer = await catalog.find_tier(context.tx, owner.platform_no, owner.id, mode, name)
    action, details = (
        "tier.created" if done.is_new else "tier.changed",
        {"project": owner.id, "mode": mode, "tier": name},
    )
    await audit.record(context.tx, owner.log_stream, action, by=audit.OPERATOR, about=offer.id, details=details)
    data = {"projectId": owner.id, "mode": mode, "isNew": done.is_new, "newMeters": _meters(done.new_meters)}
    return CommandResult(_data(offer) | data, Text(_summary(owner, mode, offer, (limits, asked), done)))


def _meters(made: Iterable[Meter]) -> list[dict[str, str]]:
    return [{"name": meter.name, "aggregation": meter.aggregation} for meter in made]


def _summary(
    owner: Project,
    mode: Mode,
    offer: TierWithPrices,
    what: tuple[Sequence[TierLimit], Sequence[NewPrice]],
    done: SavedTier,
) -> str:
    """A line for the tier, and one for each new meter."""
    limits, asked = what
    terms = [describe_limit(limit) for limit in limits]
    terms += [catalog.describe_price(price) for price in catalog.validate_prices(owner.type, asked)]
    verb = "Created" if done.is_new else "Changed"
    summary = ", ".join(terms) or f"display name {offer.display_name}"
    lines = [f"{verb} the {mode} tier {offer.name} of {owner.name}: {summary}."]
    for meter in done.new_meters:
        how = "adds up quantities" if meter.aggregation == "sum" else "counts distinct subjects"
        lines.append(f"Created the meter {meter.name}, which {how}.")
    return "\n".join(lines)


@tier.reads
async def list_(context: CommandContext, project: OfProject, mode: InMode = "test") -> CommandResult:
    """List the plans or products (tiers) of a project, oldest first. Archived ones are included."""
    owner = await platforms.find_project(context.tx, project)
    offers = await catalog.list_tiers(context.tx, owner.platform_no, owner.id, mode, archived_too=True)
    listing = Table(
        ("Tier", "Limit", "Meter", "Window", "Kind", "Price", "State", "Name"),
        [_row(offer) for offer in reversed(offers)],
        empty=f"{owner.name} has no {mode} tiers. Create one with `dream-api tier set --project {owner.id}`.",
        elastic=("Tier", "Meter", "Price", "Name"),
        numbers=("Limit",),
    )
    return CommandResult({"data": [_data(offer) for offer in reversed(offers)]}, listing)


def _row(offer: TierWithPrices) -> tuple[str | Text, ...]:
    """A tier, with a line for each of its limits and prices."""
    limits = _ordered(offer)
    columns = (
        [f"{limit.max:,}" if limit.max is not None else str(format_maximum(None)) for limit in limits],
        [limit.meter + (" (distinct)" if limit.aggregation == "distinct" else "") for limit in limits],
        [limit.window.wire for limit in limits],
        [limit.kind for limit in limits],
    )
    cells = [Text("\n".join(column)) for column in columns]
    return (offer.name, *cells, Text(prices.format_prices(offer.prices)), _state(offer), offer.display_name)


def _state(offer: TierWithPrices) -> str:
    states = {
        "archived": offer.is_archived,
        "default": offer.is_default,
        "hidden": not offer.is_visible,
        "sold out": offer.is_sold_out,
    }
    return ", ".join(state for state, holds in states.items() if holds)


def _ordered(offer: TierWithPrices) -> list[TierLimit]:
    """By meter, the shortest window first."""
    meters = list(dict.fromkeys(limit.meter for limit in offer.limits))
    return sorted(offer.limits, key=lambda limit: (meters.index(limit.meter), WINDOWS.index(limit.window)))


def _data(offer: TierWithPrices) -> dict[str, Any]:
    return {
        "name": offer.name,
        "displayName": offer.display_name,
        "isDefault": offer.is_default,
        "isVisible": offer.is_visible,
        "isArchived": offer.is_archived,
        "limit": offer.limit,
        "limits": [
            {
                "meter": limit.meter,
                "aggregation": limit.aggregation,
                "window": limit.window.wire,
                "kind": limit.kind,
                "max": limit.max,
            }
            for limit in _ordered(offer)
        ],
        "prices": [prices.price_data(price) for price in offer.prices],
    }
