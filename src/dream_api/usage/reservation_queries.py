"""SQL of reservations and of reserved quantities."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, literal_column, select, update
from sqlalchemy import insert as plain_insert

from dream_api.core.db import RawTransaction, Statement, Tx, insert, is_real_row, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.usage.admission import LifeKey
from dream_api.usage.admission_queries import Rows
from dream_api.usage.tables import reservations, usage_counters

_BIG = BigInteger()
_NOTHING = literal_column("0", BigInteger())
# How many overdue reservations one transaction ends.
_CHUNK = 200
c = usage_counters.c
r = reservations.c

_held = values_table("held", platform_no=_BIG, customer_no=_BIG, meter_no=_BIG, held=_BIG)
_hold = insert(usage_counters).from_select(
    ["platform_no", "customer_no", "meter_no", "held", "window", "starts_at", "count", "announced"],
    select(*_held.c, _NOTHING, _NOTHING, _NOTHING, _NOTHING).where(is_real_row(_held)),
)
_HOLD = Statement(
    _hold.on_conflict_do_update(
        index_elements=list(usage_counters.primary_key), set_={"held": c.held + _hold.excluded.held}
    ),
    held=_held,
)

_is_open = r.state == literal_column("'open'")
_OVERDUE = Statement(
    select(r.platform_no, r.id, r.customer_no, r.meter_no, r.quantity, r.level_meter_no)
    .where(_is_open, r.expires_at <= bindparam("now", type_=_BIG))
    .order_by(r.expires_at)
    .limit(literal_column(str(_CHUNK)))
)
_OVERDUE_OF = Statement(
    select(r.quantity).where(
        _is_open,
        r.expires_at <= bindparam("now", type_=_BIG),
        r.platform_no == bindparam("platform_no", type_=_BIG),
        r.customer_no == bindparam("customer_no", type_=_BIG),
        r.meter_no == bindparam("meter_no", type_=_BIG),
    )
)
_ended = values_table("ended", platform_no=_BIG, id=ByteOrderedText)
_EXPIRE = Statement(
    update(reservations)
    .values(state=literal_column("'expired'"))
    .where(and_(r.platform_no == _ended.c.platform_no, r.id == _ended.c.id), _is_open)
    .returning(r.platform_no, r.id),
    ended=_ended,
)


async def add_reserved(tx: RawTransaction, held: Iterable[tuple[int, ...]]) -> None:
    """Add to the reserved quantities of lives, as (life, quantity); a life that has no row yet gets one."""
    await tx.run(_HOLD, held=sorted(held))


async def get_overdue(tx: RawTransaction, now: int) -> Rows:
    """Open reservations whose time is over, the oldest first: a few hundred at most."""
    return await tx.fetch(_OVERDUE, now=now)


async def get_overdue_of_life(tx: RawTransaction, life: LifeKey, now: int) -> Rows:
    """The quantities that overdue reservations of one life still reserve."""
    return await tx.fetch(_OVERDUE_OF, now=now, platform_no=life[0], customer_no=life[1], meter_no=life[2])


async def expire(tx: RawTransaction, ended: Iterable[tuple[int, str]]) -> Rows:
    """End those of them that are open; returns which."""
    return await tx.fetch(_EXPIRE, ended=sorted(ended))


async def insert_reservation(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(plain_insert(reservations).values(row))


async def by_id(tx: Tx, platform_no: int, project_no: int, mode: int, reservation_id: str) -> Any | None:
    return await tx.first(
        select(reservations).where(
            r.platform_no == platform_no, r.project_no == project_no, r.mode == mode, r.id == reservation_id
        )
    )


async def settle(tx: Tx, platform_no: int, reservation_id: str, quantity: int, now: int) -> bool:
    """Whether it was still open, and is settled now."""
    return bool(
        await tx.execute(
            update(reservations)
            .where(r.platform_no == platform_no, r.id == reservation_id, _is_open, r.expires_at > now)
            .values(state="settled", settled=quantity)
        )
    )
