"""Stock holds: created at checkout, settled when it is paid, released when it is not.

A hold does not expire by itself: billing ends every checkout and emits an event.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api.core.db import Tx
from dream_api.core.errors import Conflict
from dream_api.platforms import ProjectScope
from dream_api.store import inventory_queries as queries
from dream_api.store.inventory import emit_stock_events


class SoldOut(Conflict):
    code = "sold_out"
    hint = "Reduce the quantity, or try again later: units of open checkouts may become available."


@dataclass(frozen=True, slots=True)
class WantedStock:
    """So many of a product, by its tier; the name is for people."""

    tier_id: str
    name: str
    quantity: int


async def hold_stock(tx: Tx, scope: ProjectScope, checkout_id: str, wanted: Iterable[WantedStock], now: int) -> None:
    """Hold all of it for the checkout, or nothing (SoldOut); uncounted stock needs no hold."""
    together, names = _together(wanted)
    for row in await queries.lock_stock(tx, scope.platform_no, together):
        quantity, left = together[row.tier_id], row.on_hand - row.held
        if quantity > left:
            raise SoldOut(_sentence(names[row.tier_id], left), param="items")
        await queries.move_stock(tx, scope.platform_no, row.tier_id, now, held=quantity)
        await queries.insert_hold(tx, scope, checkout_id, row.tier_id, quantity, now)


async def settle(tx: Tx, scope: ProjectScope, checkout_id: str, now: int) -> bool:
    """Take what was held, once however often it is asked; False, and all of it released, where not all is there.

    What was released before the payment arrived is taken again where there is as much.
    """
    stocked, holds = await _locked(tx, scope, checkout_id)
    unsettled = [each for each in holds if each.state != "settled"]
    if any(_is_short(stocked, each) for each in unsettled):
        await _release(tx, scope, holds, now)
        return False
    for each in unsettled:
        row = stocked.get(each.tier_id)
        if row is not None:
            held = each.quantity if each.state == "held" else 0
            await queries.move_stock(tx, scope.platform_no, each.tier_id, now, on_hand=-each.quantity, held=-held)
            await emit_stock_events(tx, scope, row, row.on_hand - each.quantity, now)
        await queries.end_hold(tx, scope.platform_no, each, "settled", now)
    return True


async def release(tx: Tx, scope: ProjectScope, checkout_id: str, now: int) -> None:
    """Nobody pays for it any more; what was settled stays so."""
    _, holds = await _locked(tx, scope, checkout_id)
    await _release(tx, scope, holds, now)


async def _release(tx: Tx, scope: ProjectScope, holds: Iterable[Row[Any]], now: int) -> None:
    for each in holds:
        if each.state == "held":
            await queries.move_stock(tx, scope.platform_no, each.tier_id, now, held=-each.quantity)
            await queries.end_hold(tx, scope.platform_no, each, "released", now)


async def _locked(tx: Tx, scope: ProjectScope, checkout_id: str) -> tuple[dict[str, Row[Any]], list[Row[Any]]]:
    """The stock of what the checkout wants, by tier, and its holds as they are once nobody else can change either."""
    wanted = [each.tier_id for each in await queries.holds_of(tx, scope.platform_no, checkout_id)]
    stocked = await queries.lock_stock(tx, scope.platform_no, wanted)
    holds = await queries.holds_of(tx, scope.platform_no, checkout_id)
    return {row.tier_id: row for row in stocked}, list(holds)


def _is_short(stocked: Mapping[str, Row[Any]], of: Row[Any]) -> bool:
    """Whether the stock for a released hold is gone; uncounted stock is always enough."""
    row = stocked.get(of.tier_id)
    return row is not None and of.state == "released" and of.quantity > row.on_hand - row.held


def _together(wanted: Iterable[WantedStock]) -> tuple[dict[str, int], dict[str, str]]:
    """How many of each tier over all lines, and what it is called."""
    together: Counter[str] = Counter()
    names: dict[str, str] = {}
    for each in wanted:
        together[each.tier_id] += each.quantity
        names[each.tier_id] = each.name
    return dict(together), names


def _sentence(name: str, left: int) -> str:
    return f'Only {left:,} "{name}" left in stock.' if left else f'"{name}" is sold out.'
