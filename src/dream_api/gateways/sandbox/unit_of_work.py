"""One account's objects within one transaction: what was read, what changes, and the events that tell of it."""

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from dream_api.core import clock, ids, jobs
from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount, GatewayRefused
from dream_api.gateways.sandbox import queries

Json = dict[str, Any]
DELIVER_JOB = "billing.deliver"
API_VERSION = "2026-10-28.endive"


@dataclass(slots=True)
class StoredObject:
    """An object in Stripe's shape, with what the sandbox knows and does not tell of it."""

    document: Json
    hidden: Json = field(default_factory=dict[str, Any])
    # The object that it belongs to.
    parent: str | None = None
    # When it changes by itself, in whole seconds of the project's time.
    due: int | None = None
    # As it was read; None of a new one.
    was: Json | None = None

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
    def of(cls, row: Row[Any]) -> "StoredObject":
        due = None if row.due_at is None else row.due_at // clock.SECOND
        return cls(json.loads(row.document), json.loads(row.hidden), row.parent, due, was=_stored(row))


def _stored(row: Row[Any]) -> Json:
    return {"parent": row.parent, "document": row.document, "hidden": row.hidden, "due_at": row.due_at}


class UnitOfWork:
    """Reads each object once and writes back, by `save`, what was changed of them.

    `at`: the moment at which all of it happens, in whole seconds of the project's time.
    """

    def __init__(self, tx: Tx, account: GatewayAccount, at: int, key: str | None = None) -> None:
        self.account = account
        self.at = at
        self.told: list[str] = []
        self.tx = tx
        self._key = key
        self._things: dict[str, StoredObject] = {}
        self._events: list[Json] = []

    async def get(self, object_id: str) -> StoredObject | None:
        if object_id not in self._things:
            row = await queries.object_by_id(self.tx, self.account.platform_id, self.account.id, object_id)
            if row is not None:
                self._things[object_id] = StoredObject.of(row)
        return self._things.get(object_id)

    async def find(self, kind: str, object_id: str) -> StoredObject:
        """GatewayRefused where there is none."""
        found = await self.get(object_id)
        if found is None or found.kind != kind:
            raise GatewayRefused(f"The sandbox has no {kind} {object_id!r}.")
        return found

    async def children(self, parent: str, kind: str) -> list[StoredObject]:
        """Oldest first; also those that were made just now."""
        for row in await queries.children(self.tx, self.account.platform_id, self.account.id, parent, kind):
            self._things.setdefault(row.id, StoredObject.of(row))
        found = (thing for thing in self._things.values() if thing.parent == parent and thing.kind == kind)
        return sorted(found, key=lambda thing: thing.id)

    async def first_due(self) -> StoredObject | None:
        row = await queries.first_due(self.tx, self.account.platform_id, self.account.id)
        return None if row is None else self._things.setdefault(row.id, StoredObject.of(row))

    def add(self, document: Json, *, parent: str | None = None, due: int | None = None, **hidden: Any) -> StoredObject:
        thing = self._things[str(document["id"])] = StoredObject(document, hidden, parent, due)
        return thing

    def emit_event(self, event_type: str, thing: StoredObject) -> None:
        """An event of how the thing stands now."""
        data: Json = {"object": thing.document}
        if event_type.endswith(".updated") and thing.was is not None:
            before: Json = json.loads(thing.was["document"])
            data["previous_attributes"] = {
                name: value for name, value in before.items() if thing.document.get(name) != value
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
        self.told.append(event_id)
        self._events.append({"id": event_id, "payload": json.dumps(payload)})

    async def save(self) -> None:
        """Writes what changed, and asks for the delivery of what was told."""
        account, platform_id = self.account, self.account.platform_id
        of_account = {"account": account.id, "project_id": account.project_id}
        for thing in self._things.values():
            row = thing.row
            if thing.was is None:
                row |= {"id": thing.id, "kind": thing.kind, "created_at": self.at * clock.SECOND, **of_account}
                await queries.insert_object(self.tx, platform_id, row)
            elif row != thing.was:
                await queries.update_object(self.tx, platform_id, account.id, thing.id, row)
        for event in self._events:
            row = {**event, **of_account, "created_at": clock.now()}
            await queries.insert_event(self.tx, platform_id, row)
        if self._events:
            await jobs.enqueue(self.tx, DELIVER_JOB, {"account": account.id}, platform_id=platform_id)
