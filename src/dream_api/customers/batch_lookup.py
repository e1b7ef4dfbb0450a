"""Bulk look-up and creation of customers for metering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, and_, select

from dream_api.core import ids
from dream_api.core.db import RawTransaction, Statement, insert, is_real_row, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.customers.rules import Customer
from dream_api.customers.tables import customers
from dream_api.platforms import Mode, lock_customer_sequences, move_customer_sequences

# platform number, project id, mode, user id
CustomerKey = tuple[int, str, Mode, str]


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer that a metered call creates, at a time of the project's clock."""

    customer: Customer
    created_at: int


c = customers.c
_identity = {
    "platform_no": BigInteger(),
    "project_id": ByteOrderedText,
    "mode": ByteOrderedText,
    "user_id": ByteOrderedText,
}

_wanted = values_table("wanted", **_identity)
_FIND = Statement(
    select(*(c[name] for name in _identity), c.no, c.status, c.plan, c.period_starts_at, c.period_ends_at).join_from(
        _wanted, customers, and_(*(c[name] == _wanted.c[name] for name in _identity))
    ),
    wanted=_wanted,
)

_fresh = values_table(
    "fresh",
    **_identity,
    id=ByteOrderedText,
    no=BigInteger(),
    status=ByteOrderedText,
    created_at=BigInteger(),
    updated_at=BigInteger(),
)
_INSERT = Statement(
    insert(customers).from_select(list(_fresh.c.keys()), select(*_fresh.c).where(is_real_row(_fresh))), fresh=_fresh
)


async def find_many(tx: RawTransaction, wanted: Sequence[CustomerKey]) -> dict[CustomerKey, Customer]:
    """The existing customers among the wanted ones, by their keys."""
    rows = await tx.fetch(_FIND, wanted=sorted(set(wanted)))
    return {(row[0], row[1], row[2], row[3]): Customer(row[4], row[5], row[6], row[7], row[8]) for row in rows}


async def last_numbers(tx: RawTransaction, platform_nos: set[int]) -> dict[int, int]:
    """Each platform's last customer number, locked: only this transaction can create customers there now."""
    return await lock_customer_sequences(tx, platform_nos)


async def bulk_create(tx: RawTransaction, fresh: Mapping[CustomerKey, NewCustomer]) -> None:
    """Insert customers with the numbers assigned after `last_numbers`, and advance the sequences to these."""
    rows = [
        (*who, ids.new("cus"), new.customer.no, new.customer.status, new.created_at, new.created_at)
        for who, new in fresh.items()
    ]
    await tx.run(_INSERT, fresh=rows)
    last: dict[int, int] = {}
    for who, new in fresh.items():
        last[who[0]] = max(last.get(who[0], 0), new.customer.no)
    await move_customer_sequences(tx, last)
