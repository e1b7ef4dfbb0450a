"""Creates, changes and archives tiers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from dream_api.catalog import queries
from dream_api.catalog.limits import NAME, TierLimit, ensure_priced_meters, replace_limits
from dream_api.catalog.plans import CACHE_KIND, Plans
from dream_api.catalog.pricing import Price, PriceTerms
from dream_api.catalog.tier_lookup import Features, TierWithPrices, find_tier
from dream_api.core import ids, metadata
from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, NotFound, ValidationFailed
from dream_api.core.metadata import Metadata
from dream_api.platforms import Mode, Project, lock_project, project_now, validate_name
from dream_api.usage import Meter

HIGHEST_NUMBER = 999
LONGEST_TRIAL_DAYS = 730
LONGEST_FEATURES = 16_384


class TierExists(Conflict):
    code = "tier_exists"
    hint = "Change the tier with PUT /tiers/{name}, or choose another name."


class TierArchived(Conflict):
    code = "tier_archived"
    hint = "Existing customers keep it. Create a tier with another name for new customers."


class TierIsDefault(Conflict):
    code = "tier_is_default"
    hint = "Set another tier as the default first: PUT /tiers/{name} with default: true."


class TierAttributes(TypedDict, total=False):
    """Descriptive columns of a tier; a missing key keeps its value, or its default in a new tier."""

    display_name: str
    description: str | None
    number: int | None
    features: Features
    is_popular: bool
    is_visible: bool
    is_default: bool
    is_sold_out: bool
    trial_days: int
    image_url: str | None
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class TierDraft:
    """What is to be put into a tier: its texts, and all the limits and prices it is to have; None: those stay."""

    texts: TierAttributes = field(default_factory=TierAttributes)
    limits: Sequence[TierLimit] | None = None
    prices: Sequence[PriceTerms] | None = None


@dataclass(frozen=True, slots=True)
class SavedTier:
    """A tier that was made or changed, and the meters that came to be with its limits and prices."""

    id: str
    is_new: bool
    new_meters: tuple[Meter, ...]


async def lock_tier(tx: Tx, project: Project, mode: Mode, name: str) -> TierWithPrices | None:
    """The tier, with its project locked until this transaction ends; None where there is none."""
    await lock_project(tx, project.platform_no, project.id)
    try:
        return await find_tier(tx, project.platform_no, project.id, mode, name)
    except NotFound:
        return None


async def create_tier(tx: Tx, project: Project, mode: Mode, name: str, draft: TierDraft) -> SavedTier:
    """A new tier with its limits and prices, in force within a second; a name is given once, also of archived ones."""
    known = await lock_tier(tx, project, mode, name)
    if known is not None:
        raise TierExists(
            f"A {mode} tier named {name} already exists{' (archived)' if known.is_archived else ''}.", param="name"
        )
    if not NAME.fullmatch(name):
        raise ValidationFailed(
            "A name must be 1 to 63 characters: a-z, 0-9, - and _, beginning with a-z or 0-9.", param="name"
        )
    now = await project_now(tx, project.platform_no, project.id, mode)
    tier_id = ids.new("tier")
    row = {"id": tier_id, "project_id": project.id, "mode": mode, "name": name, "is_default": False}
    row |= {"display_name": name.capitalize(), "created_at": now, "updated_at": now}
    row |= await _values_of(tx, project, mode, draft.texts, tier_id)
    await queries.insert_tier(tx, project.platform_no, row)
    return SavedTier(tier_id, True, await _fill(tx, project, mode, tier_id, (), draft, now))


async def update_tier(tx: Tx, project: Project, mode: Mode, offer: TierWithPrices, draft: TierDraft) -> SavedTier:
    """Apply the draft to a locked tier; a price that differs is a new one, and the former is archived."""
    if offer.is_archived:
        raise TierArchived(f"The {mode} tier {offer.name} is archived.", param="name")
    values = await _values_of(tx, project, mode, draft.texts, offer.id)
    now = await project_now(tx, project.platform_no, project.id, mode)
    await queries.update_tier(tx, project.platform_no, offer.id, {**values, "updated_at": now})
    return SavedTier(offer.id, False, await _fill(tx, project, mode, offer.id, offer.prices, draft, now))


async def archive_tier(tx: Tx, project: Project, mode: Mode, name: str) -> None:
    """Nobody new gets it and those who have it keep it, for ever."""
    offer = await lock_tier(tx, project, mode, name)
    if offer is None:
        raise NotFound("Tier not found.", param="name")
    if offer.is_default:
        raise TierIsDefault("This is the default tier.", param="name")
    if not offer.is_archived:
        now = await project_now(tx, project.platform_no, project.id, mode)
        await queries.update_tier(tx, project.platform_no, offer.id, {"archived_at": now, "updated_at": now})
        await _invalidate_plans(tx, project, mode)


async def _values_of(tx: Tx, project: Project, mode: Mode, texts: TierAttributes, tier_id: str) -> dict[str, Any]:
    """The columns of these texts."""
    values: dict[str, Any] = {**texts}
    if "display_name" in texts:
        values["display_name"] = validate_name(texts["display_name"], "displayName")
    if "features" in texts:
        values["features"] = _json_of(texts["features"])
    if "metadata" in texts:
        values["metadata"] = metadata.dump(texts["metadata"])
    if not 0 <= texts.get("trial_days", 0) <= LONGEST_TRIAL_DAYS:
        raise ValidationFailed(f"A trial must be 0 to {LONGEST_TRIAL_DAYS} days.", param="trialDays")
    if project.type == "store":
        _refuse_for_store(texts)
    number = texts.get("number")
    if number is not None:
        await _refuse_number(tx, project, mode, number, tier_id)
    if texts.get("is_default"):
        await queries.clear_default(tx, project.platform_no, project.id, mode)
    return values


def _json_of(features: Features) -> str:
    try:
        text = json.dumps(features, allow_nan=False)
    except ValueError:
        raise ValidationFailed("Features must not contain NaN or Infinity.", param="features") from None
    if len(text) > LONGEST_FEATURES:
        raise ValidationFailed(f"Features must be at most {LONGEST_FEATURES:,} bytes of JSON.", param="features")
    return text


def _refuse_for_store(texts: TierAttributes) -> None:
    if texts.get("trial_days"):
        raise ValidationFailed("Products of a store cannot have a trial.", param="trialDays")
    if texts.get("is_default"):
        raise ValidationFailed("A store cannot have a default tier.", param="default")


async def _refuse_number(tx: Tx, project: Project, mode: Mode, number: int, tier_id: str) -> None:
    if not 0 <= number <= HIGHEST_NUMBER:
        raise ValidationFailed(f"The number must be from 0 to {HIGHEST_NUMBER}.", param="number")
    other = await queries.tier_by_number(tx, project.platform_no, project.id, mode, number)
    if other is not None and other.id != tier_id:
        raise ValidationFailed(f"The tier {other.name} already has this number.", param="number")


async def _fill(
    tx: Tx, project: Project, mode: Mode, tier_id: str, prices: Sequence[Price], draft: TierDraft, now: int
) -> tuple[Meter, ...]:
    """Put limits and prices into the tier; the meters that were made for them."""
    made: tuple[Meter, ...] = ()
    if draft.limits and project.type == "store":
        raise ValidationFailed("Products of a store cannot have limits.", param="limits")
    if draft.limits is not None:
        made += await replace_limits(tx, project, tier_id, draft.limits)
    if draft.prices is not None:
        priced = [price.meter for price in draft.prices if price.meter is not None]
        made += await ensure_priced_meters(tx, project, priced) if priced else ()
        await _replace_prices(tx, project, mode, tier_id, prices, draft.prices, now)
    await _invalidate_plans(tx, project, mode)
    if made:  # the project's other mode has the meters too
        await _invalidate_plans(tx, project, "live" if mode == "test" else "test")
    return made


async def _replace_prices(
    tx: Tx,
    project: Project,
    mode: Mode,
    tier_id: str,
    active: Sequence[Price],
    wanted: Sequence[PriceTerms],
    now: int,
) -> None:
    """Prices are archived and made, never changed; those that are wanted as they are stay what they are."""
    gone = [price.id for price in active if not any(_is_as_wanted(price, terms) for terms in wanted)]
    if gone:
        await queries.archive_prices(tx, project.platform_no, gone, now)
    for terms in wanted:
        if not any(_is_as_wanted(price, terms) for price in active):
            row = {"id": ids.new("price"), "project_id": project.id, "mode": mode, "tier_id": tier_id}
            await queries.insert_price(tx, project.platform_no, row | _row_of(terms) | {"created_at": now})


def _is_as_wanted(price: Price, wanted: PriceTerms) -> bool:
    return price.terms == wanted and wanted.metadata in (None, price.metadata)


def _row_of(terms: PriceTerms) -> dict[str, Any]:
    steps = [
        {"upTo": step.up_to, "unitAmount": step.unit_amount, "flatAmount": step.flat_amount} for step in terms.steps
    ]
    return {
        "currency": terms.currency,
        "type": terms.type,
        "billing_scheme": terms.billing_scheme,
        "unit_amount": terms.unit_amount,
        "per": terms.per,
        "tiers": json.dumps(steps) if steps else None,
        "interval": terms.interval,
        "interval_count": terms.interval_count,
        "meter": terms.meter,
        "metadata": metadata.dump(terms.metadata or {}),
    }


async def _invalidate_plans(tx: Tx, project: Project, mode: Mode) -> None:
    await invalidate(tx, CACHE_KIND, Plans.cache_key(project.id, mode))
