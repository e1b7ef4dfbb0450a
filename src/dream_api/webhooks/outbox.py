"""Outbox of webhook events: recording and reading them."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Row, Text, func, or_, select

from dream_api.core import ids
from dream_api.core.db import RawTransaction, Statement, Tx, insert, is_real_row, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.platforms import Mode
from dream_api.webhooks.event_types import EventType
from dream_api.webhooks.tables import events


@dataclass(frozen=True, slots=True)
class Event:
    """An event in a project and mode, at a time of the project's clock; `data` is stored as JSON."""

    platform_no: int
    project_id: str
    mode: Mode
    type: EventType
    data: dict[str, object]
    at: int


_happened = values_table(
    "happened",
    platform_no=BigInteger(),
    id=ByteOrderedText,
    project_id=ByteOrderedText,
    mode=ByteOrderedText,
    type=ByteOrderedText,
    data=Text(),
    created_at=BigInteger(),
)
_RECORD = Statement(
    insert(events).from_select(list(_happened.c.keys()), select(*_happened.c).where(is_real_row(_happened))),
    happened=_happened,
)


async def record_events(tx: RawTransaction, happened: Sequence[Event]) -> None:
    """Insert the events, in their order; they are visible once the transaction is committed."""
    rows = [
        (
            event.platform_no,
            ids.new("evt"),
            event.project_id,
            event.mode,
            event.type,
            _to_json(event.data),
            event.at,
        )
        for event in happened
    ]
    await tx.run(_RECORD, happened=rows)


def _to_json(data: Mapping[str, object]) -> str:
    return json.dumps(data, separators=(",", ":"))


async def list_events(
    tx: Tx, platform_no: int, project_id: str, mode: Mode, *, kind: EventType | None, limit: int, after: str | None
) -> Sequence[Row[Any]]:
    """Newest first, those after the id `after`; `kind`: of this type only."""
    e = events.c
    query = select(events).where(e.platform_no == platform_no, e.project_id == project_id, e.mode == mode)
    if kind is not None:
        query = query.where(e.type == kind)
    if after is not None:
        query = query.where(e.id < after)
    return await tx.all(query.order_by(e.id.desc()).limit(limit))


async def get_event(tx: Tx, platform_no: int, project_id: str, mode: Mode, event_id: str) -> Row[Any] | None:
    e = events.c
    own = (e.platform_no == platform_no, e.project_id == project_id, e.mode == mode)
    return await tx.first(select(events).where(*own, e.id == event_id))


async def recent_for_customer(
    tx: Tx,
    platform_no: int,
    project_id: str,
    mode: Mode,
    named: Mapping[str, Collection[str]],
    *,
    among: int,
    limit: int,
) -> Sequence[Row[Any]]:
    """Newest first, of the newest `among` events those about one of these, such as {"paymentId": ["pay_…"]}: each event
    names what it is about before all else."""
    e = events.c
    whose = (e.platform_no == platform_no, e.project_id == project_id, e.mode == mode)
    # Found in the index alone; SQLite would copy the rows of a subquery before it looks at one.
    before = select(e.id).where(*whose).order_by(e.id.desc()).offset(among).limit(1).scalar_subquery()
    beginnings: defaultdict[int, list[str]] = defaultdict(list)
    for name, values in named.items():
        for value in values:
            text = _to_json({name: value}).removesuffix("}")
            beginnings[len(text)].append(text)
    is_about = or_(*(func.substr(e.data, 1, length).in_(texts) for length, texts in beginnings.items()))
    found = select(events).where(*whose, e.id > func.coalesce(before, ""), is_about)
    return await tx.all(found.order_by(e.id.desc()).limit(limit))
