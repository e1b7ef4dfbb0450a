"""Number sequences of a platform, without duplicates: of its projects, meters, customers and orders."""

from sqlalchemy import BigInteger, and_, bindparam, select, update

from dream_api.core.db import NO_PLATFORM, RawTransaction, Statement, insert, is_real_row, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.platforms.tables import sequences

s = sequences.c
_CUSTOMERS = "customers"

_drawn = insert(sequences).values(
    platform_no=bindparam("platform_no"), series=bindparam("series"), last=bindparam("count")
)
_DRAW = Statement(
    _drawn.on_conflict_do_update(
        index_elements=list(sequences.primary_key), set_={"last": s.last + _drawn.excluded.last}
    ).returning(s.last)
)

_wanted = values_table("wanted", platform_no=BigInteger(), series=ByteOrderedText)
_BEGIN = Statement(
    insert(sequences)
    .from_select(
        ["platform_no", "series", "last"],
        select(_wanted.c.platform_no, _wanted.c.series, bindparam("zero", 0, BigInteger))
        .where(is_real_row(_wanted))
        .order_by(_wanted.c.platform_no),
    )
    .on_conflict_do_nothing(),
    wanted=_wanted,
)
_LOCK = Statement(
    select(s.platform_no, s.last)
    .join(_wanted, and_(_wanted.c.platform_no == s.platform_no, _wanted.c.series == s.series))
    .order_by(s.platform_no)
    .with_for_update(of=sequences),
    wanted=_wanted,
)

_moved = values_table("moved", platform_no=BigInteger(), series=ByteOrderedText, last=BigInteger())
_MOVE = Statement(
    update(sequences)
    .values(last=_moved.c.last)
    .where(s.platform_no == _moved.c.platform_no, s.series == _moved.c.series),
    moved=_moved,
)


async def next_number(tx: RawTransaction, platform_no: int, series: str, count: int = 1) -> int:
    """The first of the next `count` numbers of the platform's series, which begins with 1."""
    rows = await tx.fetch(_DRAW, platform_no=platform_no, series=series, count=count)
    return int(rows[0][0]) - count + 1


async def next_customer_number(tx: RawTransaction, platform_no: int, count: int = 1) -> int:
    return await next_number(tx, platform_no, _CUSTOMERS, count)


async def lock_customer_sequences(tx: RawTransaction, platform_nos: set[int]) -> dict[int, int]:
    """The last customer number of each platform, locked until the transaction ends.

    The caller advances them with `move_customer_sequences`.
    """
    # Sorted, so that two callers never deadlock.
    wanted = [(no, _CUSTOMERS) for no in sorted(platform_nos)]
    found = {int(no): int(last) for no, last in await tx.fetch(_LOCK, wanted=wanted)}
    if len(found) < len(wanted):
        await tx.run(_BEGIN, wanted=wanted, zero=0)
        found = {int(no): int(last) for no, last in await tx.fetch(_LOCK, wanted=wanted)}
    return found


async def move_customer_sequences(tx: RawTransaction, last: dict[int, int]) -> None:
    """Store the last assigned numbers after `lock_customer_sequences`."""
    await tx.run(_MOVE, moved=[(no, _CUSTOMERS, number) for no, number in sorted(last.items())])


async def next_platform_number(tx: RawTransaction, count: int = 1) -> int:
    """Platforms are numbered by the instance; nobody else can create one before this transaction ends."""
    return await next_number(tx, NO_PLATFORM, "platforms", count)
