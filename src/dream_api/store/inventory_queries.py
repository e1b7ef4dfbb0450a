"""SQL of stock and of what is held of it."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, and_, insert, select, update

from dream_api.catalog.tables import tiers
from dream_api.core.db import Tx
from dream_api.platforms import ProjectScope
from dream_api.store.tables import stock, stock_holds

s = stock.c
h = stock_holds.c


async def lock_stock(tx: Tx, platform_no: int, tier_ids: Collection[str]) -> Sequence[Row[Any]]:
    """The tiers' stock with their names, in the order of their ids; nobody else changes it before the commit."""
    of_tier = and_(tiers.c.platform_no == s.platform_no, tiers.c.id == s.tier_id)
    wanted = select(stock, tiers.c.name).join(tiers, of_tier).where(s.platform_no == platform_no)
    return await tx.all(wanted.where(s.tier_id.in_(tier_ids)).order_by(s.tier_id).with_for_update(of=stock))


async def move_stock(tx: Tx, platform_no: int, tier_id: str, now: int, *, on_hand: int = 0, held: int = 0) -> None:
    """Add to both, or take away; the table refuses to hold more than there is."""
    values = {"on_hand": s.on_hand + on_hand, "held": s.held + held, "updated_at": now}
    await tx.execute(update(stock).where(s.platform_no == platform_no, s.tier_id == tier_id).values(values))


async def insert_hold(tx: Tx, scope: ProjectScope, checkout_id: str, tier_id: str, quantity: int, now: int) -> None:
    row = {"tier_id": tier_id, "quantity": quantity, "state": "held", "updated_at": now}
    whose = {"platform_no": scope.platform_no, "project_id": scope.project_id, "mode": scope.mode}
    await tx.execute(insert(stock_holds).values(whose | row | {"checkout_id": checkout_id}))


async def holds_of(tx: Tx, platform_no: int, checkout_id: str) -> Sequence[Row[Any]]:
    """In the order of their tiers."""
    wanted = select(stock_holds).where(h.platform_no == platform_no, h.checkout_id == checkout_id)
    return await tx.all(wanted.order_by(h.tier_id))


async def end_hold(tx: Tx, platform_no: int, hold: Row[Any], state: str, now: int) -> None:
    await tx.execute(
        update(stock_holds)
        .where(h.platform_no == platform_no, h.checkout_id == hold.checkout_id, h.tier_id == hold.tier_id)
        .values(state=state, updated_at=now)
    )
