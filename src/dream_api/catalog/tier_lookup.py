"""Tier queries: tiers with their active prices and limits, and the price that a buyer means."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api.catalog import queries
from dream_api.catalog.limits import NAME, TierLimit
from dream_api.catalog.plans import UnknownPlan
from dream_api.catalog.pricing import Interval, Price, Step, describe_price
from dream_api.core import ids, metadata
from dream_api.core.db import Tx
from dream_api.core.errors import Invalid, NotFound
from dream_api.core.metadata import Metadata
from dream_api.platforms import Mode
from dream_api.usage import Window

Features = list[str] | dict[str, Any]


class UnknownPrice(Invalid):
    code = "unknown_price"
    hint = "Use the id of an active price of this project and mode. GET /tiers lists them."


class PriceMissing(Invalid):
    code = "price_missing"
    hint = "Use one of the tier's prices, or add one with PUT /tiers/{name}."


class PriceAmbiguous(Invalid):
    code = "price_ambiguous"
    hint = "Send the priceId of one of these prices."


@dataclass(frozen=True, slots=True, kw_only=True)
class TierWithPrices:
    """A tier with its active prices, oldest first, and its limits."""

    id: str
    name: str
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
    archived_at: int | None
    metadata: Metadata
    created_at: int
    updated_at: int
    prices: tuple[Price, ...]
    # Of the prices that are paid in advance the first that was added, or what replaced it for the same currency and
    # interval; None where there is none.
    default_price: Price | None
    limits: tuple[TierLimit, ...]

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    @property
    def limit(self) -> int | None:
        """Requests in a billing period; None is unlimited."""
        return next((limit.max for limit in self.limits if limit.is_of_period), None)


async def list_tiers(
    tx: Tx,
    platform_no: int,
    project_id: str,
    mode: Mode,
    *,
    visible_only: bool = False,
    archived_too: bool = False,
    limit: int | None = None,
    after: str | None = None,
) -> list[TierWithPrices]:
    """The project's tiers in this mode, newest first; `after`: those following the tier of that id."""
    rows = await queries.page_of_tiers(
        tx,
        platform_no,
        project_id,
        mode,
        visible_only=visible_only,
        archived_too=archived_too,
        limit=limit,
        after=after,
    )
    return await _offers(tx, platform_no, rows)


async def find_tier(tx: Tx, platform_no: int, project_id: str, mode: Mode, name: str) -> TierWithPrices:
    """The tier of this name, also an archived one; NotFound where there is none."""
    row = await _row_named(tx, platform_no, project_id, mode, name)
    if row is None:
        raise NotFound("Tier not found.", param="name")
    [offer] = await _offers(tx, platform_no, [row])
    return offer


async def find_tier_for_sale(
    tx: Tx, platform_no: int, project_id: str, mode: Mode, name: str, *, param: str = "tier"
) -> TierWithPrices:
    """The tier of this name, also a hidden one; UnknownPlan, naming the visible tiers, where it is not for sale."""
    row = await _row_named(tx, platform_no, project_id, mode, name)
    if row is None or row.archived_at is not None:
        shown = await list_tiers(tx, platform_no, project_id, mode, visible_only=True)
        known = ", ".join(sorted(offer.name for offer in shown)) or "none yet"
        raise UnknownPlan(f"No such tier is on sale; the project's tiers are: {known}.", param=param)
    [offer] = await _offers(tx, platform_no, [row])
    return offer


async def find_price(
    tx: Tx, platform_no: int, project_id: str, mode: Mode, price_id: str, *, param: str = "priceId"
) -> Price:
    """As `price_by_id`; UnknownPrice where there is none, as for another project's."""
    price = await price_by_id(tx, platform_no, project_id, mode, price_id)
    if price is None:
        raise UnknownPrice("Price not found.", param=param)
    return price


async def price_by_id(tx: Tx, platform_no: int, project_id: str, mode: Mode, price_id: str) -> Price | None:
    """The price, also an archived one, which goes on for those who have it."""
    if not ids.is_one("price", price_id):
        return None
    row = await queries.price_by_id(tx, platform_no, project_id, mode, price_id)
    return None if row is None else _price(row)


async def find_purchasable(
    tx: Tx, platform_no: int, project_id: str, mode: Mode, price_id: str, *, param: str = "priceId"
) -> tuple[TierWithPrices, Price]:
    """The price and its tier; UnknownPrice where either is archived."""
    price = await find_price(tx, platform_no, project_id, mode, price_id, param=param)
    offer = await find_tier_of_price(tx, platform_no, price)
    if price.is_archived or offer.is_archived:
        raise UnknownPrice("This price is archived.", param=param)
    return offer, price


async def find_tier_of_price(tx: Tx, platform_no: int, price: Price) -> TierWithPrices:
    """The tier of the price, also an archived one."""
    row = await queries.tier_by_id(tx, platform_no, price.tier_id)
    assert row is not None
    [offer] = await _offers(tx, platform_no, [row])
    return offer


async def get_tier_name(tx: Tx, platform_no: int, tier_id: str) -> str:
    """The stable name of a tier that is known to be there."""
    row = await queries.tier_by_id(tx, platform_no, tier_id)
    assert row is not None
    return row.name


async def _row_named(tx: Tx, platform_no: int, project_id: str, mode: Mode, name: str) -> Row[Any] | None:
    return await queries.tier_by_name(tx, platform_no, project_id, mode, name) if NAME.fullmatch(name) else None


def select_price(
    offer: TierWithPrices,
    *,
    price_id: str | None = None,
    currency: str | None = None,
    interval: Interval | None = None,
) -> Price:
    """The one price that matches, usage prices aside; raises PriceMissing or PriceAmbiguous, which list the prices."""
    sold = [price for price in offer.prices if price.type != "usage"]
    if price_id is not None:
        meant = [price for price in sold if price.id == price_id]
        if not meant:
            raise UnknownPrice(f"The tier {offer.name} has no such price.{_listed(sold)}", param="priceId")
        return meant[0]
    meant = [
        price
        for price in sold
        if (currency is None or price.currency == currency.lower()) and interval in (None, price.interval)
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise PriceAmbiguous(f"The tier {offer.name} has several prices.{_listed(meant)}", param="priceId")
    missing = "no such price" if sold else "no price that is paid in advance"
    raise PriceMissing(f"The tier {offer.name} has {missing}.{_listed(sold)}", param="priceId")


def select_next_price(offer: TierWithPrices, present: Price) -> Price:
    """The price by which a subscription to the present price goes on in this tier: in its currency, and of several the
    one with its interval; raises PriceMissing or PriceAmbiguous, which list the prices."""
    billed = (present.currency, present.interval, present.interval_count)
    alike = [
        price
        for price in offer.prices
        if price.type != "usage" and (price.currency, price.interval, price.interval_count) == billed
    ]
    return alike[0] if len(alike) == 1 else select_price(offer, currency=present.currency)


def usage_prices(offer: TierWithPrices, currency: str) -> tuple[Price, ...]:
    """The tier's usage prices in this currency, one for each meter."""
    return tuple(price for price in offer.prices if price.type == "usage" and price.currency == currency.lower())


def _listed(prices: Iterable[Price]) -> str:
    names = ", ".join(f"{price.id} ({describe_price(price)})" for price in prices)
    return names and f" There are: {names}."


async def _offers(tx: Tx, platform_no: int, rows: Sequence[Row[Any]]) -> list[TierWithPrices]:
    tier_ids = [row.id for row in rows]
    prices: dict[str, list[Row[Any]]] = {}
    for row in await queries.active_prices_of(tx, platform_no, tier_ids):
        prices.setdefault(row.tier_id, []).append(row)
    limits: dict[str, list[TierLimit]] = {}
    for row in await queries.limits_of(tx, platform_no, tier_ids):
        limits.setdefault(row.tier_id, []).append(_limit(row))
    return [_offer(row, prices.get(row.id, ()), limits.get(row.id, ())) for row in rows]


def _offer(row: Row[Any], prices: Sequence[Row[Any]], limits: Iterable[TierLimit]) -> TierWithPrices:
    in_advance = [price for price in prices if price.type != "usage"]
    default = min(in_advance, key=lambda price: (price.first_id, price.id), default=None)
    return TierWithPrices(
        id=row.id,
        name=row.name,
        display_name=row.display_name,
        description=row.description,
        number=row.number,
        features=json.loads(row.features),
        is_popular=bool(row.is_popular),
        is_visible=bool(row.is_visible),
        is_default=bool(row.is_default),
        is_sold_out=bool(row.is_sold_out),
        trial_days=row.trial_days,
        image_url=row.image_url,
        archived_at=row.archived_at,
        metadata=metadata.load(row.metadata),
        created_at=row.created_at,
        updated_at=row.updated_at,
        prices=tuple(map(_price, prices)),
        default_price=None if default is None else _price(default),
        limits=tuple(limits),
    )


def _limit(row: Row[Any]) -> TierLimit:
    return TierLimit(row.max, row.meter, Window[row.window.upper()], row.kind, row.aggregation)


def _price(row: Row[Any]) -> Price:
    steps: list[dict[str, Any]] = json.loads(row.tiers or "[]")
    return Price(
        id=row.id,
        tier_id=row.tier_id,
        is_archived=row.archived_at is not None,
        currency=row.currency,
        type=row.type,
        billing_scheme=row.billing_scheme,
        unit_amount=row.unit_amount,
        per=row.per,
        steps=tuple(Step(step["upTo"], step["unitAmount"], step["flatAmount"]) for step in steps),
        interval=row.interval,
        interval_count=row.interval_count,
        meter=row.meter,
        metadata=metadata.load(row.metadata),
    )
