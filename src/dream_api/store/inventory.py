"""Inventory: units on hand, units held by checkouts, and the low-stock threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select, update

from dream_api import platforms, webhooks
from dream_api.catalog import TierUpdate
from dream_api.core.db import Tx, insert
from dream_api.core.errors import Invalid, ValidationFailed
from dream_api.platforms import ProjectScope
from dream_api.store import inventory_queries as queries
from dream_api.store.tables import stock
from dream_api.webhooks import Event, EventType

s = stock.c


class InventoryBelowHeld(Invalid):
    code = "inventory_below_held"
    hint = "Set at least the number of held units, or wait until the open checkouts are paid or expire."


@dataclass(frozen=True, slots=True)
class Inventory:
    """How many there are (None: they are not counted), how many of them are held, and when few are left."""

    on_hand: int | None
    held: int = 0
    low_at: int | None = None

    @property
    def is_sold_out(self) -> bool:
        return self.on_hand == self.held


_UNCOUNTED = Inventory(None)


async def set_inventory(tx: Tx, scope: ProjectScope, tier_id: str, inventory: int | None) -> None:
    """So many are there now, with what is held; None: they are not counted any more."""
    of_tier = (s.platform_no == scope.platform_no, s.tier_id == tier_id)
    held = await tx.scalar(select(s.held).where(*of_tier).with_for_update()) or 0
    if held > (inventory or 0):
        raise InventoryBelowHeld(f"Open checkouts hold a quantity of {held:,}.", param="inventory")
    if inventory is None:
        await tx.execute(delete(stock).where(*of_tier))
        return
    now = await platforms.project_now(tx, scope.platform_no, scope.project_id, scope.mode)
    row = {"on_hand": inventory, "updated_at": now}
    putting = insert(stock).values(
        platform_no=scope.platform_no, tier_id=tier_id, project_id=scope.project_id, mode=scope.mode, held=0, **row
    )
    await tx.execute(putting.on_conflict_do_update(index_elements=list(stock.primary_key), set_=row))


async def set_low_stock_threshold(tx: Tx, scope: ProjectScope, tier_id: str, low_at: int | None) -> None:
    """A sale that leaves so many or fewer emits `stock.low`; None: never."""
    of_tier = (s.platform_no == scope.platform_no, s.tier_id == tier_id)
    if not await tx.execute(update(stock).where(*of_tier).values(low_at=low_at)) and low_at is not None:
        raise ValidationFailed("Set the stock quantity, too: a low stock level needs one.", param="lowInventory")


async def get_inventory(tx: Tx, scope: ProjectScope, tier_ids: Sequence[str]) -> dict[str, Inventory]:
    """Of each tier, what there is of it."""
    found = await tx.all(select(stock).where(s.platform_no == scope.platform_no, s.tier_id.in_(tier_ids)))
    counted = {row.tier_id: Inventory(row.on_hand, row.held, row.low_at) for row in found}
    return {tier_id: counted.get(tier_id, _UNCOUNTED) for tier_id in tier_ids}


async def restock(tx: Tx, scope: ProjectScope, quantities: Mapping[str, int], now: int) -> None:
    """Put so many of each tier back; what is not counted is left alone."""
    for row in await queries.lock_stock(tx, scope.platform_no, quantities):
        await queries.move_stock(tx, scope.platform_no, row.tier_id, now, on_hand=quantities[row.tier_id])


async def emit_stock_events(tx: Tx, scope: ProjectScope, before: Row[Any], on_hand: int, now: int) -> None:
    """Say that a sale left few, or took the last one: once each time that the number comes down to it."""
    kinds: list[EventType] = []
    if before.low_at is not None and on_hand <= before.low_at < before.on_hand:
        kinds.append("stock.low")
    if on_hand == 0:
        kinds.append("stock.sold_out")
    data: dict[str, object] = {"tier": before.name, "inventory": on_hand, "lowInventory": before.low_at}
    events = [Event(scope.platform_no, scope.project_id, scope.mode, kind, data, now) for kind in kinds]
    await webhooks.record_events(tx, events)


async def set_tier_inventory(tx: Tx, scope: ProjectScope, tier_id: str, asked: TierUpdate) -> None:
    """What was left out stays."""
    if "inventory" in asked.model_fields_set:
        await set_inventory(tx, scope, tier_id, asked.inventory)
    if "low_inventory" in asked.model_fields_set:
        await set_low_stock_threshold(tx, scope, tier_id, asked.low_inventory)
