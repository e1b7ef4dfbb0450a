"""SQL of gateway events, and of the fencing tokens of gateway objects."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, select, update

from dream_api.billing.queries import common
from dream_api.billing.tables import gateway_events, gateway_objects
from dream_api.core.db import Tx
from dream_api.core.db import insert as upserting
from dream_api.gateways.contract import GatewayAccount, ObjectKind
from dream_api.platforms import ProjectScope

e = gateway_events.c
o = gateway_objects.c


async def insert_event(tx: Tx, account: GatewayAccount, row: dict[str, Any]) -> bool:
    """Whether it is new."""
    whole = row | {
        "platform_no": account.platform_no,
        "project_id": account.project_id,
        "mode": account.mode,
        "account": account.id,
    }
    inserted = await tx.execute(upserting(gateway_events).values(whole).on_conflict_do_nothing())
    return inserted == 1


async def event_by_id(tx: Tx, account: GatewayAccount, event_id: str) -> Row[Any] | None:
    return await tx.first(
        select(gateway_events).where(e.platform_no == account.platform_no, e.account == account.id, e.id == event_id)
    )


async def unapplied_events(tx: Tx, account: GatewayAccount, event_ids: Collection[str]) -> Sequence[str]:
    """Those of the events that were received and not applied yet, in the order in which they happened."""
    which = (e.platform_no == account.platform_no, e.account == account.id, e.id.in_(sorted(event_ids)))
    rows = await tx.all(select(e.id).where(*which, e.applied_at.is_(None)).order_by(e.id))
    return [row.id for row in rows]


async def events_of(tx: Tx, scope: ProjectScope, *, limit: int) -> Sequence[Row[Any]]:
    """Those received last come first."""
    query = select(gateway_events).where(*common.scoped(gateway_events, scope))
    return await tx.all(query.order_by(e.received_at.desc(), e.id.desc()).limit(limit))


async def mark_applied(tx: Tx, account: GatewayAccount, event_id: str, now: int) -> None:
    await _mark(tx, account, event_id, now)


async def mark_unapplied(tx: Tx, account: GatewayAccount, event_id: str) -> None:
    await _mark(tx, account, event_id, None)


async def _mark(tx: Tx, account: GatewayAccount, event_id: str, applied_at: int | None) -> None:
    await tx.execute(
        update(gateway_events)
        .where(e.platform_no == account.platform_no, e.account == account.id, e.id == event_id)
        .values(applied_at=applied_at)
    )


async def next_fencing_token(tx: Tx, account: GatewayAccount, kind: ObjectKind, object_id: str) -> int:
    """A number above all earlier tokens of the object."""
    taking_token = upserting(gateway_objects).values(
        platform_no=account.platform_no, account=account.id, id=object_id, kind=kind, ticket=1, written=0
    )
    return await tx.scalar(
        taking_token.on_conflict_do_update(
            index_elements=list(gateway_objects.primary_key), set_={"ticket": o.ticket + 1}
        ).returning(o.ticket)
    )


async def is_latest_token(tx: Tx, account: GatewayAccount, object_id: str, token: int) -> bool:
    """Whether no later token has written; if so the row is locked and this token stored as the last writer."""
    claimed = await tx.execute(
        update(gateway_objects)
        .where(
            o.platform_no == account.platform_no,
            o.account == account.id,
            o.id == object_id,
            o.written < token,
        )
        .values(written=token)
    )
    return claimed == 1


async def is_written(tx: Tx, account: GatewayAccount, object_id: str) -> bool:
    """Whether the object was ever stored here."""
    written = await tx.scalar(
        select(o.written).where(o.platform_no == account.platform_no, o.account == account.id, o.id == object_id)
    )
    return bool(written)
