"""Unit of work over one sandbox account: loaded objects, changes, events."""

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from dream_api import platforms
from dream_api.core import clock, ids, jobs
from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount, GatewayRefused, seller_closed
from dream_api.gateways.sandbox import queries

Json = dict[str, Any]
DELIVER_JOB = "billing.deliver"
API_VERSION = "2026-10-28.endive"


@dataclass(slots=True)
class StoredObject:
    """An object in Stripe's shape, with what the sandbox stores and does not expose."""

    document: Json
    hidden: Json = field(default_factory=dict[str, Any])
    # The object that it belongs to.
    parent: str | None = None
    # When it changes by itself, in whole seconds of the project's time.
    due: int | None = None
    # As it was read; None of a new one.
    original: Json | None = None

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def kind(self) -> str:
        return str(self.document["object"])

    @property
    def row(self) -> Json:
        return {
            "parent": self.parent,
            "document": json.dumps(self.document),
            "hidden": json.dumps(self.hidden),
            "due_at": None if self.due is None else self.due * clock.SECOND,
        }

    @classmethod
    def from_row(cls, row: Row[Any]) -> "StoredObject":
        due = None if row.due_at is None else row.due_at // clock.SECOND
        return cls(json.loads(row.document), json.loads(row.hidden), row.parent, due, original=_stored(row))


def _stored(row: Row[Any]) -> Json:
    return {"parent": row.parent, "document": row.document, "hidden": row.hidden, "due_at": row.due_at}


class UnitOfWork:
    """Reads each object once and writes back, by `save`, what was changed of them.

    `at`: the moment at which all of it happens, in whole seconds of the project's time.
    """

    def __init__(self, tx: Tx, account: GatewayAccount, at: int, key: str | None = None) -> None:
        self.account = account
        self.at = at
        self.event_ids: list[str] = []
        self.tx = tx
        self._key = key
        self._objects: dict[str, StoredObject] = {}
        self._events: list[Json] = []

    async def get(self, object_id: str) -> StoredObject | None:
        if object_id not in self._objects:
            row = await queries.object_by_id(self.tx, self.account.platform_no, self.account.id, object_id)
            if row is not None:
                self._objects[object_id] = StoredObject.from_row(row)
        return self._objects.get(object_id)

    async def find(self, kind: str, object_id: str) -> StoredObject:
        """GatewayRefused where there is none."""
        found = await self.get(object_id)
        if found is None or found.kind != kind:
            raise GatewayRefused(f"The sandbox has no {kind} {object_id!r}.")
        return found

    async def children(self, parent: str, kind: str) -> list[StoredObject]:
        """Oldest first; also those that were made just now."""
        for row in await queries.children(self.tx, self.account.platform_no, self.account.id, parent, kind):
            self._objects.setdefault(row.id, StoredObject.from_row(row))
        found = (stored for stored in self._objects.values() if stored.parent == parent and stored.kind == kind)
        return sorted(found, key=lambda stored: stored.id)

    async def first_due(self) -> StoredObject | None:
        row = await queries.first_due(self.tx, self.account.platform_no, self.account.id)
        return None if row is None else self._objects.setdefault(row.id, StoredObject.from_row(row))

    def add(self, document: Json, *, parent: str | None = None, due: int | None = None, **hidden: Any) -> StoredObject:
        stored = self._objects[str(document["id"])] = StoredObject(document, hidden, parent, due)
        return stored

    def emit_event(self, event_type: str, stored: StoredObject) -> None:
        """Add an event with the object's present state."""
        data: Json = {"object": stored.document}
        if event_type.endswith(".updated") and stored.original is not None:
            before: Json = json.loads(stored.original["document"])
            data["previous_attributes"] = {
                name: value for name, value in before.items() if stored.document.get(name) != value
            }
        event_id = ids.new("evt")
        payload = {
            "id": event_id,
            "object": "event",
            "account": self.account.id,
            "api_version": API_VERSION,
            "created": self.at,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": self._key},
            "type": event_type,
        }
        self.event_ids.append(event_id)
        self._events.append({"id": event_id, "payload": json.dumps(payload)})

    async def refuse_closed_seller(self) -> None:
        """GatewayRefused where the platform is being deleted, or the project was."""
        account = self.account
        if not await platforms.is_open(self.tx, account.platform_no, account.project_id, lock=True):
            raise seller_closed()

    async def save(self) -> None:
        """Write the changed objects and the events, and enqueue the delivery."""
        account, platform_no = self.account, self.account.platform_no
        account_columns = {"account": account.id, "project_id": account.project_id}
        for stored in self._objects.values():
            row = stored.row
            if stored.original is None:
                row |= {"id": stored.id, "kind": stored.kind, "created_at": self.at * clock.SECOND, **account_columns}
                await queries.insert_object(self.tx, platform_no, row)
            elif row != stored.original:
                await queries.update_object(self.tx, platform_no, account.id, stored.id, row)
        for event in self._events:
            row = {**event, **account_columns, "created_at": clock.now()}
            await queries.insert_event(self.tx, platform_no, row)
        if self._events:
            await jobs.enqueue(self.tx, DELIVER_JOB, {"account": account.id}, platform_no=platform_no)
