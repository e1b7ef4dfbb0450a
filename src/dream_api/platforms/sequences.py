"""Number sequences without duplicates: of platforms, projects, meters and each platform's customers."""

from sqlalchemy import BigInteger, bindparam, select, update

from dream_api.core.db import RawTransaction, Statement, insert, is_real_row, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.platforms.tables import numbers

_drawn = insert(numbers).values(series=bindparam("series"), last=bindparam("count"))
_DRAW = Statement(
    _drawn.on_conflict_do_update(
        index_elements=[numbers.c.series], set_={"last": numbers.c.last + _drawn.excluded.last}
    ).returning(numbers.c.last)
)

_wanted = values_table("wanted", series=ByteOrderedText)
_BEGIN = Statement(
    insert(numbers)
    .from_select(
        ["series", "last"],
        select(_wanted.c.series, bindparam("zero", 0, BigInteger))
        .where(is_real_row(_wanted))
        .order_by(_wanted.c.series),
    )
    .on_conflict_do_nothing(),
    wanted=_wanted,
)
_LOCK = Statement(
    select(numbers.c.series, numbers.c.last)
    .join(_wanted, _wanted.c.series == numbers.c.series)
    .order_by(numbers.c.series)
    .with_for_update(of=numbers),
    wanted=_wanted,
)

_moved = values_table("moved", series=ByteOrderedText, last=BigInteger())
_MOVE = Statement(update(numbers).values(last=_moved.c.last).where(numbers.c.series == _moved.c.series), moved=_moved)


async def next_number(tx: RawTransaction, series: str, count: int = 1) -> int:
    """The first of the next `count` numbers of the series, which begins with 1."""
    rows = await tx.fetch(_DRAW, series=series, count=count)
    return int(rows[0][0]) - count + 1


async def lock_sequences(tx: RawTransaction, series: list[str]) -> dict[str, int]:
    """The last number of each series, locked until the transaction ends.

    The caller advances them with `move`; the series must be sorted, so that two callers never deadlock.
    """
    wanted = [(name,) for name in series]
    found = {str(name): int(last) for name, last in await tx.fetch(_LOCK, wanted=wanted)}
    if len(found) < len(series):
        await tx.run(_BEGIN, wanted=wanted, zero=0)
        found = {str(name): int(last) for name, last in await tx.fetch(_LOCK, wanted=wanted)}
    return found


async def move(tx: RawTransaction, last: dict[str, int]) -> None:
    """Store the last assigned numbers after `lock_sequences`."""
    await tx.run(_MOVE, moved=sorted(last.items()))


async def lock_platform_sequence(tx: RawTransaction) -> None:
    """Lock the sequence of platforms: nobody else can create one before this transaction ends."""
    await next_number(tx, "platforms", 0)
