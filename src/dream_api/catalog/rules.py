"""Creates projects with their defaults, and changes single limits and prices of a tier."""

from collections.abc import Sequence

from dream_api.catalog.limits import TierLimit
from dream_api.catalog.price_validation import NewPrice, replacement_key, validate_prices
from dream_api.catalog.pricing import PriceTerms
from dream_api.catalog.tier_lookup import TierWithPrices, UnknownPrice
from dream_api.catalog.tiers import SavedTier, TierAttributes, TierDraft, create_tier, lock_tier, update_tier
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.platforms import Mode, Platform, Project, ProjectType, create_project
from dream_api.usage import REQUESTS, create_meter

FREE = "free"
FREE_LIMIT = 1_000


async def create_project_with_defaults(
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
    prices: Sequence[NewPrice] = (),
    display_name: str | None = None,
    number: int | None = None,
    is_default: bool = False,
) -> SavedTier:
    """Make a tier, or set these limits and prices of one that is there (its others stay); in force within a second.

    A meter that is named and that the project does not have is made. `number` and `is_default` are a new tier's.
    """
    terms = validate_prices(project.type, prices)
    texts = TierAttributes() if display_name is None else TierAttributes(display_name=display_name)
    offer = await lock_tier(tx, project, mode, name)
    if offer is None:
        new = TierAttributes(number=number, is_default=is_default)
        return await create_tier(tx, project, mode, name, TierDraft({**texts, **new}, limits, terms))
    draft = TierDraft(
        texts, _with_limits(offer.limits, limits), _with_prices([one.terms for one in offer.prices], terms)
    )
    return await update_tier(tx, project, mode, offer, draft)


async def add_price(
    tx: Tx, project: Project, mode: Mode, offer: TierWithPrices, new: NewPrice, *, keep_others: bool
) -> None:
    """Add a price to a locked tier; without `keep_others` it replaces those of the same currency and interval.

    Who bought at a former price keeps it.
    """
    [terms] = validate_prices(project.type, [new])
    sold = [price.terms for price in offer.prices]
    if terms in sold:
        raise ValidationFailed("The tier already has this price.", param="prices.0")
    prices = [*sold, terms] if keep_others and terms.type != "usage" else _with_prices(sold, [terms])
    await update_tier(tx, project, mode, offer, TierDraft(prices=prices))


async def archive_price(tx: Tx, project: Project, mode: Mode, offer: TierWithPrices, price_id: str) -> None:
    """Archive a price of a locked tier; subscriptions that have it keep it."""
    if all(price.id != price_id for price in offer.prices):
        raise UnknownPrice("The tier has no such price, or it is already archived.", param="priceId")
    left = [price.terms for price in offer.prices if price.id != price_id]
    await update_tier(tx, project, mode, offer, TierDraft(prices=left))


def _with_limits(old: Sequence[TierLimit], new: Sequence[TierLimit]) -> list[TierLimit]:
    """All limits, where a new one takes the place of one of the same meter and window."""
    places = {(limit.meter, limit.window) for limit in new}
    return [limit for limit in old if (limit.meter, limit.window) not in places] + [*new]


def _with_prices(old: Sequence[PriceTerms], new: Sequence[PriceTerms]) -> list[PriceTerms]:
    """All prices, where a new one takes the place of those for the same currency and interval, or meter."""
    places = {replacement_key(price) for price in new}
    return [price for price in old if replacement_key(price) not in places] + [*new]
