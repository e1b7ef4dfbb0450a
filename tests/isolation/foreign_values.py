"""A platform with everything that a platform can have, and its values for each place of a request."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import sqlalchemy as sa

from dream_api.core.db.tenant_tables import TENANT
from dream_api.schema import metadata
from tests.isolation.operations import Operation, every_operation
from tests.isolation.tenant_rows import dump, newest_of_each_kind
from tests.isolation.test_operations import OF_STORES, Things, ask, key_of, things_of
from tests.support.instance import Account, Instance, open_another

# In the tenant's rows, and in no request of others.
SECRET = "qz-confidential-zq"
# How much the tenant's customer used.
USED = 777_137_713
KEY = "key-of-the-other-tenant"
# What is stored as it was written, in any table.
_TEXTS = ("description", "display_name", "reason", "memo", "cancel_reason")
# For each of these the owner has something.
_PATHS = (
    "/api/usage/reserve/{id}/settle",
    "/tiers/{name}",
    "/coupons/{id}",
    "/api/payments/{id}",
    "/api/team/members/{userId}",
    "/api/assets/{key}",
)
_STORE = "/api/orders/{id}"


@dataclass(frozen=True)
class Everything:
    """One of everything, in a project and a store of a platform."""

    saas: Things
    store: Things

    def of(self, operation: Operation) -> Things:
        return self.store if operation.path.startswith(OF_STORES) else self.saas


@dataclass(frozen=True)
class Tenant(Everything):
    """`named`: values by the name of a parameter or property."""

    named: dict[str, str]
    cursors: dict[str, str]
    # One id of each kind.
    ids: list[str]

    @property
    def account(self) -> Account:
        return self.saas.account

    @property
    def platform_no(self) -> int:
        return self.account.project.platform_no

    @property
    def names(self) -> list[str]:
        """By which rows of the instance's own tables are known to be about it."""
        return [self.account.project.platform_id, *self.account.user_ids.values(), self.saas.colleague]

    def in_path(self, operation: Operation, name: str) -> str:
        # Who knows these may use them, whoever it is: the ids of something else are as foreign.
        return self.named["customerId"] if operation.is_anonymous else self.of(operation).value(operation, name)

    def value(self, operation: Operation, name: str, seed: str) -> str:
        """What the tenant itself would send there; where the name says nothing, any of its ids."""
        if name == "after" and operation.path in self.cursors:
            return self.cursors[operation.path]
        return self.named.get(name) or any_of(self.ids, str(operation), name, seed)


def any_of(values: Sequence[str], *seed: str) -> str:
    """One of them, always the same for the same seed."""
    return values[zlib.crc32(" ".join(seed).encode()) % len(values)]


def operation_at(path: str) -> Operation:
    return next(one for one in every_operation() if one.path == path)


async def everything_of(instance: Instance, account: Account) -> Everything:
    account = await open_another(instance.database, account)
    await instance.set_limit(account, "free", None)
    saas = Things(account, "")
    for path in _PATHS:
        saas = _merged(saas, await things_of(instance, account, operation_at(path)))
    return Everything(saas, await things_of(instance, account, operation_at(_STORE)))


async def fill(instance: Instance, account: Account, *, remembers_answers: bool) -> Tenant:
    """Let the account have one of everything; what it wrote itself contains `SECRET`.

    `remembers_answers`: every operation that remembers its answer by `KEY` has one to give again.
    """
    owned = await everything_of(instance, account)
    saas, store = owned.saas, owned.store
    customer = await _customer(instance, saas.account)
    if remembers_answers:
        await _use_key(instance, account)
    await _write_secrets(instance, saas, store)
    named = await _named(instance, saas, store, customer)
    found = await dump(instance.database, account.project.platform_no)
    tenant = Tenant(saas, store, named, {}, newest_of_each_kind(found.ids, without=[saas.page]))
    return replace(tenant, cursors=await _cursors(instance, tenant))


def _merged(one: Things, other: Things) -> Things:
    return replace(one, **{field.name: getattr(other, field.name) or getattr(one, field.name) for field in fields(one)})


async def _customer(instance: Instance, account: Account) -> dict[str, Any]:
    """Somebody with an address, who has used a lot."""
    user = f"user-of-{account.project.platform_no}"
    body = {"userId": user, "email": f"{user}@example.com", "name": SECRET}
    made = await instance.api.post("/api/customers", headers=account.sk, json=body)
    counted = await instance.api.post("/api/data", headers=account.calls(user), json={"quantity": USED})
    assert (made.status_code, counted.status_code) == (201, 200), (made.text, counted.text)
    return made.json()


async def _use_key(instance: Instance, account: Account) -> None:
    for operation in every_operation():
        if "Idempotency-Key" in operation.headers:
            other = await open_another(instance.database, account)
            things = await things_of(instance, other, operation)
            by = {**key_of(operation, things.account), "Idempotency-Key": KEY}
            answer = await ask(instance, operation, things, by)
            assert answer.status_code < 300, (operation, answer.text)


async def _write_secrets(instance: Instance, *things: Things) -> None:
    """Into every row of these projects in test mode that has a text of the tenant's own."""
    note = {"metadata": json.dumps({"note": SECRET})}
    projects = [one.account.project for one in things]
    async with instance.database.write() as tx:
        for table in metadata.tables.values():
            texts = {name: value for name, value in (note | dict.fromkeys(_TEXTS, SECRET)).items() if name in table.c}
            if texts and {TENANT, "project_id", "mode"} <= set(table.c.keys()):
                mine = table.c.project_id.in_([one.id for one in projects]) & (table.c.mode == "test")
                await tx.execute(sa.update(table).where(table.c[TENANT] == projects[0].platform_no, mine).values(texts))


async def _named(instance: Instance, saas: Things, store: Things, customer: dict[str, Any]) -> dict[str, str]:
    account = saas.account
    tiers = (await instance.api.get("/tiers/pro", headers=account.sk)).json()
    coupons = (await instance.api.get("/coupons", headers=account.sk)).json()["data"]
    scope = {"platformId": account.project.platform_id, "projectId": account.project.id}
    return {
        **scope,
        **{f"X-{name[:-2].title()}-Id": value for name, value in scope.items()},
        "X-Mode": "live",
        "X-User-Id": customer["userId"],
        "userId": customer["userId"],
        "subject": customer["userId"],
        "email": customer["email"],
        "customerId": customer["id"],
        "member": account.user_ids["owner"],
        "subscriptionId": saas.subscription,
        "meter": "requests",
        "tier": saas.tier,
        "plan": saas.tier,
        "X-User-Plan": saas.tier,
        "priceId": tiers["prices"][0]["id"],
        "items.0.priceId": store.price,
        "coupon": coupons[0]["code"],
        "Idempotency-Key": KEY,
        "idempotencyKey": KEY,
    }


async def _cursors(instance: Instance, tenant: Tenant) -> dict[str, str]:
    """Where the first of each of its lists ends."""
    found: dict[str, str] = {}
    for operation in every_operation():
        if operation.method == "GET" and "after" in operation.queries:
            headers = key_of(operation, tenant.of(operation).account)
            answer = await instance.api.get(f"{operation.path}?limit=1", headers=headers)
            assert answer.status_code == 200, (operation, answer.text)
            if answer.json()["nextCursor"]:
                found[operation.path] = answer.json()["nextCursor"]
    return found
