"""Summaries of webhook events."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dream_api import billing
from dream_api.core.db import Row, Tx
from dream_api.core.html import format as formats

_TONES = {"failed": "bad", "disputed": "bad", "sold_out": "bad", "threshold_reached": "warn", "low": "warn"}
# Objects of events that belong to a customer not named in the data.
_OWNED = {"payment": billing.user_ids_by_payment, "invoice": billing.user_ids_by_invoice}
_NOBODY = "–"
_GOOD = ("created", "paid", "succeeded", "completed")


@dataclass(frozen=True, slots=True)
class EventSummary:
    """An event as a row of a table: type, customer and a short detail."""

    id: str
    type: str
    tone: str
    who: str
    detail: str
    at: int


def summarize_event(row: Row[Any]) -> EventSummary:
    data: Mapping[str, Any] = json.loads(row.data)
    last = row.type.rpartition(".")[2]
    tone = next((tone for end, tone in _TONES.items() if last.endswith(end)), "good" if last in _GOOD else "")
    who = next((str(data[name]) for name in ("userId", "email", "customer") if data.get(name)), _NOBODY)
    return EventSummary(row.id, row.type, tone, who, _detail(data), row.created_at)


async def summarize_events(tx: Tx, platform_no: int, rows: Sequence[Row[Any]]) -> list[EventSummary]:
    """Summaries with the customers of payments and invoices, which the events do not name; one query for each kind."""
    owners: dict[str, str] = {}
    ids = {row.id: _owned_ids(json.loads(row.data)) for row in rows}
    for name, user_ids_of in _OWNED.items():
        wanted = {found[name] for found in ids.values() if found[name]}
        if wanted:
            owners |= await user_ids_of(tx, platform_no, wanted)
    return [_owned(summarize_event(row), (owners.get(str(of)) for of in ids[row.id].values())) for row in rows]


def _owned_ids(data: Mapping[str, Any]) -> dict[str, Any]:
    """The event's payment and invoice; events of earlier releases name them without `Id`."""
    return {name: data.get(f"{name}Id") or data.get(name) for name in _OWNED}


def _owned(event: EventSummary, owners: Iterable[str | None]) -> EventSummary:
    owner = next(filter(None, owners), None)
    return replace(event, who=owner) if event.who == _NOBODY and owner else event


def _detail(data: Mapping[str, Any]) -> str:
    """The detail of an event: a share of a limit, a plan, an amount."""
    if "percent" in data and "limit" in data:
        return f"{data['percent']}% of {formats.number(data['limit'])} {data.get('meter', '')}".strip()
    amount = next((data[name] for name in ("amount", "total", "amountDue") if isinstance(data.get(name), int)), None)
    parts = [str(data[name]) for name in ("plan", "tier", "status") if isinstance(data.get(name), str)]
    if amount is not None and isinstance(data.get("currency"), str):
        parts.append(formats.format_amount(amount, data["currency"]))
    return ", ".join(parts)
