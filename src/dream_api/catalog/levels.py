"""Levels: the tiers of the operator's own project *home*, the plans that platforms are on.

Every other platform is a customer of home whose user id is the platform's id.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dream_api import customers, platforms
from dream_api.catalog.limits import TierLimit
from dream_api.catalog.price_validation import NewPrice, validate_prices
from dream_api.catalog.pricing import PriceTerms
from dream_api.catalog.rules import set_tier
from dream_api.catalog.tier_lookup import TierWithPrices, list_tiers
from dream_api.catalog.tiers import TierAttributes, TierDraft, create_tier
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.platforms import MODES, Mode, Platform, Project
from dream_api.usage import REQUESTS, Meter, Window, create_meter, meters_of

# What they are called at first; the operator may rename them.
OPERATOR_PLATFORM = "My company"
LEVELS_PROJECT = "Platform levels"
_ACTIVE_USERS = "active_users"
_MEMBERS = "members"
_HIGHEST = 999


@dataclass(frozen=True, slots=True)
class Level:
    """What a platform may use of the instance; None is unlimited."""

    number: int
    name: str
    display_name: str
    active_users_per_hour: int | None
    requests_per_day: int | None = None
    requests_per_month: int | None = None
    members: int | None = None
    # What it costs; none: it is put on a platform by hand, or free.
    prices: tuple[PriceTerms, ...] = ()
    # Kept by the platforms that are on it, and by nobody new.
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """The operator's project, and the meters on which platforms are counted."""

    project: Project
    requests: Meter
    active_users: Meter
    members: Meter


def _a_month(amount: int) -> NewPrice:
    return NewPrice(currency="usd", amount=amount, interval="month")


# The levels an instance begins with, and what they cost; the operator edits them like any tier.
LEVELS = (
    Level(0, "level-0", "Free", 25),
    Level(1, "level-1", "Level 1", 100, prices=validate_prices("saas", [_a_month(6_000)])),
    Level(2, "level-2", "Level 2", 200, prices=validate_prices("saas", [_a_month(12_000)])),
    Level(3, "level-3", "Level 3", 300, prices=validate_prices("saas", [_a_month(18_000)])),
)


async def is_first_start(tx: Tx) -> bool:
    """Whether this instance was never started before."""
    return await platforms.home_project_id(tx) is None


async def find_home(tx: Tx) -> Home:
    project = await platforms.find_project(tx, await platforms.home_project_id(tx) or "")
    meters = await meters_of(tx, project.platform_no, project.no)
    return Home(project, meters[REQUESTS], meters[_ACTIVE_USERS], meters[_MEMBERS])


async def ensure_home(tx: Tx) -> Project:
    """At first start: the operator's platform, the project of the levels, and the four of them in both modes."""
    known = await platforms.home_project_id(tx)
    if known is None:
        # Another process that initializes the instance concurrently waits here, then finds the row of the first.
        await platforms.next_platform_number(tx, 0)
        known = await platforms.home_project_id(tx)
    if known is not None:
        return await platforms.find_project(tx, known)
    operator = await platforms.create(tx, OPERATOR_PLATFORM)
    home = await platforms.create_project(tx, operator, LEVELS_PROJECT, "saas")
    await platforms.set_home_project(tx, home.id)
    await create_meter(tx, home, REQUESTS)
    await create_meter(tx, home, _ACTIVE_USERS, "distinct")
    await create_meter(tx, home, _MEMBERS)
    for mode in MODES:
        for level in LEVELS:
            await _create_level(tx, home, mode, level)
    return home


async def set_level(
    tx: Tx,
    mode: Mode,
    number: int,
    limits: Sequence[TierLimit],
    display_name: str | None,
    prices: Sequence[NewPrice] = (),
) -> bool:
    """Make a level, or change these limits and prices of one that is there; whether it is new.

    In force within a second; platforms that bought the level keep the price they have.
    """
    home = await ensure_home(tx)
    if not 0 <= number <= _HIGHEST:
        raise ValidationFailed(f"The number of a level must be from 0 to {_HIGHEST}.", param="number")
    known = next((level for level in await list_levels(tx, mode) if level.number == number), None)
    name = f"level-{number}" if known is None else known.name
    if known is None and display_name is None:
        display_name = f"Level {number}"
    done = await set_tier(tx, home, mode, name, limits, prices=prices, display_name=display_name, number=number)
    return done.is_new


async def _create_level(tx: Tx, home: Project, mode: Mode, level: Level) -> None:
    limits = [TierLimit(most, meter, window) for meter, window, most in level_limits(level) if most is not None]
    texts = TierAttributes(display_name=level.display_name, number=level.number, is_default=level.number == 0)
    await create_tier(tx, home, mode, level.name, TierDraft(texts, limits, level.prices))


def level_limits(level: Level) -> tuple[tuple[str, Window, int | None], ...]:
    """The limits that a level is made of: meter, window and how much; None is unlimited."""
    return (
        (_ACTIVE_USERS, Window.HOUR, level.active_users_per_hour),
        (REQUESTS, Window.DAY, level.requests_per_day),
        (REQUESTS, Window.MONTH, level.requests_per_month),
        (_MEMBERS, Window.LIFE, level.members),
    )


async def list_levels(tx: Tx, mode: Mode) -> Sequence[Level]:
    """The levels in force, by number; archived ones are among them."""
    home = await ensure_home(tx)
    offers = await list_tiers(tx, home.platform_no, home.id, mode, archived_too=True)
    found = [_level(offer, offer.number) for offer in offers if offer.number is not None]
    return sorted(found, key=lambda level: level.number)


def _level(offer: TierWithPrices, number: int) -> Level:
    most = {(limit.meter, limit.window): limit.max for limit in offer.limits}
    return Level(
        number,
        offer.name,
        offer.display_name,
        *(most.get((meter, window)) for meter, window, _ in level_limits(LEVELS[0])),
        prices=tuple(price.terms for price in offer.prices),
        is_archived=offer.is_archived,
    )


async def assign_level(tx: Tx, platform: Platform, number: int, mode: Mode) -> Level:
    """Put a platform on a level; the operator's own platform has none."""
    home = await ensure_home(tx)
    if platform.no == home.platform_no:
        raise ValidationFailed("The operator's own platform has no level.", param="platform")
    level = next((level for level in await list_levels(tx, mode) if level.number == number), None)
    if level is None:
        raise ValidationFailed("No level has this number. `dream-api levels` lists all levels.", param="level")
    scope = platforms.ProjectScope(home.platform_no, home.id, mode)
    await customers.set_plan(tx, scope, platform.id, level.name, now=clock.now())
    return level
