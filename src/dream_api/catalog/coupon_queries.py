"""SQL of coupons."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, or_, select, update

from dream_api.catalog.tables import coupons
from dream_api.core.db import Tx
from dream_api.platforms import Mode

c = coupons.c


def _of(platform_no: int, project_id: str, mode: Mode) -> tuple[ColumnElement[bool], ...]:
    return (c.platform_no == platform_no, c.project_id == project_id, c.mode == mode)


async def insert_coupon(tx: Tx, platform_no: int, row: dict[str, Any]) -> Row[Any]:
    made = await tx.first(insert(coupons).values(platform_no=platform_no, **row).returning(*c))
    assert made is not None
    return made


async def by_id(tx: Tx, platform_no: int, coupon_id: str) -> Row[Any] | None:
    return await tx.first(select(coupons).where(c.platform_no == platform_no, c.id == coupon_id))


async def by_code(tx: Tx, platform_no: int, project_id: str, mode: Mode, code: str) -> Row[Any] | None:
    return await tx.first(select(coupons).where(*_of(platform_no, project_id, mode), c.code == code))


async def page_of_coupons(
    tx: Tx, platform_no: int, project_id: str, mode: Mode, *, limit: int, after: str | None
) -> Sequence[Row[Any]]:
    """Newest first, those after the id `after`; without the archived ones."""
    query = select(coupons).where(*_of(platform_no, project_id, mode), c.archived_at.is_(None))
    if after is not None:
        query = query.where(c.id < after)
    return await tx.all(query.order_by(c.id.desc()).limit(limit))


async def archive(tx: Tx, platform_no: int, coupon_id: str, now: int) -> None:
    await tx.execute(update(coupons).where(c.platform_no == platform_no, c.id == coupon_id).values(archived_at=now))


async def count_redemption(tx: Tx, platform_no: int, coupon_id: str) -> bool:
    """Whether there was one left to be counted."""
    is_left = or_(c.max_redemptions.is_(None), c.redeemed < c.max_redemptions)
    usable = (c.platform_no == platform_no, c.id == coupon_id, c.archived_at.is_(None), is_left)
    return await tx.execute(update(coupons).where(*usable).values(redeemed=c.redeemed + 1)) == 1


async def uncount_redemption(tx: Tx, platform_no: int, coupon_id: str) -> None:
    counted = (c.platform_no == platform_no, c.id == coupon_id, c.redeemed > 0)
    await tx.execute(update(coupons).where(*counted).values(redeemed=c.redeemed - 1))
