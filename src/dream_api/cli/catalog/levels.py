"""`dream-api levels`: levels, and the level of a platform."""

from typing import Annotated, Any

import typer

from dream_api import audit, catalog, platforms
from dream_api.catalog import Level, TierLimit
from dream_api.cli.catalog import prices
from dream_api.cli.catalog.limits import format_maximum, parse_maximum
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, KeyValueTable, Table, message
from dream_api.core.errors import ValidationFailed

levels = CommandGroup()

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The level's number.", show_default=False)]
_COLUMNS = ("Level", "Name", "Users/hour", "Requests/day", "Requests/month", "Members", "Price")
_MOST = "N|unlimited"


@levels.default_command
async def list_levels(context: CommandContext) -> CommandResult:
    """List the levels, with their limits and prices. A level is the plan of a platform on this instance.

    Use `assign` to assign a level to a platform, and `set` to create or change a level.
    """
    mode = context.settings.home_mode
    found = await catalog.list_levels(context.tx, mode)
    listing = Table(
        _COLUMNS,
        [(level.number, _name(level), *_amounts(level)) for level in found],
        empty="There are no levels.",
        elastic=("Name",),
        numbers=("Level", *_COLUMNS[2:-1]),
    )
    return CommandResult({"mode": mode, "data": [_data(level) for level in found]}, listing)


@levels.writes
async def set_level(
    context: CommandContext,
    number: Number,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="The display name.")] = None,
    active_users_per_hour: Annotated[
        str | None, typer.Option(metavar=_MOST, help="The maximum number of different customers per clock hour.")
    ] = None,
    requests_per_day: Annotated[
        str | None, typer.Option(metavar=_MOST, help="The maximum number of live requests per day (UTC).")
    ] = None,
    requests_per_month: Annotated[
        str | None, typer.Option(metavar=_MOST, help="The maximum number of live requests per calendar month.")
    ] = None,
    members: Annotated[
        str | None, typer.Option(metavar=_MOST, help="The maximum number of members of the platform's team.")
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PRICE",
            help="The price per month, such as 60, or in the format of `tier set`. Existing subscribers keep their "
            "price.",
            show_default=False,
        ),
    ] = None,
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="The currency of prices without one.")
    ] = prices.CURRENCY,
) -> CommandResult:
    """Create a level, or change its limits and prices. Changes take effect within a second.

    Limits and prices that you do not name stay as they are.
    """
    typed = {
        "activeUsersPerHour": active_users_per_hour,
        "requestsPerDay": requests_per_day,
        "requestsPerMonth": requests_per_month,
        "members": members,
    }
    limits = [
        TierLimit(parse_maximum(text, param), meter, window)
        for (param, text), (meter, window, _) in zip(
            typed.items(), catalog.level_limits(catalog.LEVELS[0]), strict=True
        )
        if text is not None
    ]
    asked = prices.parse_prices(price or [], currency)
    if not limits and not asked and name is None:
        raise ValidationFailed("There is nothing to change: use a limit option, --price or --name.")
    mode = context.settings.home_mode
    is_new = await catalog.set_level(context.tx, mode, number, limits, name, asked)
    [level] = [each for each in await catalog.list_levels(context.tx, mode) if each.number == number]
    home = await platforms.operator_platform(context.tx)
    details = {"level": str(number), "mode": mode}
    await audit.record(
        context.tx, home.log_stream, "levels.changed", by=audit.OPERATOR, about=level.name, details=details
    )
    sentence = f"{'Created' if is_new else 'Changed'} level {number} ({level.display_name})."
    return CommandResult(
        {"mode": mode, **_data(level), "isNew": is_new},
        message(sentence, KeyValueTable(dict(zip(_COLUMNS[2:], _amounts(level), strict=True)))),
    )


@levels.writes
async def assign(
    context: CommandContext,
    platform: Annotated[
        str, typer.Argument(metavar="PLATFORM", help="The platform's id, `plt_…`.", show_default=False)
    ],
    number: Number,
) -> CommandResult:
    """Assign a level to a platform, without a payment. The change takes effect within a second."""
    found = await platforms.find(context.tx, platform)
    level = await catalog.assign_level(context.tx, found, number, context.settings.home_mode)
    details = {"level": str(level.number), "name": level.name}
    await audit.record(
        context.tx, found.log_stream, "level.changed", by=audit.OPERATOR, about=found.id, details=details
    )
    return CommandResult(
        {"platformId": found.id, "level": level.number, "name": level.name},
        message(f"{found.name} is now on level {level.number} ({level.display_name})."),
    )


def _name(level: Level) -> str:
    return f"{level.display_name} (archived)" if level.is_archived else level.display_name


def _amounts(level: Level) -> list[int | str]:
    return [
        *(format_maximum(most) for _, _, most in catalog.level_limits(level)),
        prices.format_prices(level.prices) or "free",
    ]


def _data(level: Level) -> dict[str, Any]:
    return {
        "number": level.number,
        "name": level.name,
        "displayName": level.display_name,
        "activeUsersPerHour": level.active_users_per_hour,
        "requestsPerDay": level.requests_per_day,
        "requestsPerMonth": level.requests_per_month,
        "members": level.members,
        "prices": [prices.price_data(price) for price in level.prices],
        "isArchived": level.is_archived,
    }
