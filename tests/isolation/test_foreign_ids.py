"""Another tenant's ids in every place of every operation, by every kind of caller: nothing of it is shown or changed.

A new operation, parameter, property, table or kind of credentials joins by itself, or fails here until it does.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from dream_api import platforms
from dream_api.accounts import ROLES
from dream_api.platforms import Mode
from tests.isolation.foreign_values import SECRET, USED, Tenant, everything_of, fill
from tests.isolation.operations import Operation, document, every_operation
from tests.isolation.tenant_rows import Dump, dump, files, ids_in, of_project
from tests.isolation.test_operations import Things, request_of, things_of
from tests.support.instance import Account, Instance, bearer, open_account_on, open_another

pytestmark = pytest.mark.slow

Headers = dict[str, str]
# By which developers say where they are.
SCOPE = {"platformId", "projectId", "X-Platform-Id", "X-Project-Id", "X-Mode"}
# By which security scheme of the OpenAPI document callers are known.
SCHEMES = {"secretKey", "publishableKey", "personalToken", "session"}
OPERATIONS = [one for one in every_operation() if one.parameters or one.queries or one.headers or one.texts]


@dataclass(frozen=True)
class Caller:
    kind: str
    headers: Headers
    # Places whose values are for the caller to choose.
    chooses: frozenset[str] = frozenset()
    # Whether each value is also sent by itself; other roles differ in what they may do only.
    is_thorough: bool = True


@dataclass(frozen=True)
class Place:
    """Where in a request a value stands: `path`, `query`, `header` or `body`, and its name or way there."""

    part: str
    at: tuple[Any, ...]

    @property
    def name(self) -> str:
        return str(self.at[-1])


def callers_of(account: Account) -> list[Caller]:
    """One of each kind with credentials of the project."""
    of_modes = [caller for mode in platforms.MODES for caller in _with_keys(account, mode)]
    tokens = [Caller(f"token of {role}", account.by(role), is_thorough=role == "owner") for role in ROLES]
    sessions = [Caller(f"session of {role}", account.at_api(role), is_thorough=role == "owner") for role in ROLES]
    return [*of_modes, *tokens, *sessions, Caller("nobody", {})]


def _with_keys(account: Account, mode: Mode) -> list[Caller]:
    return [
        Caller(f"{mode} secret key", bearer(account.secret[mode])),
        Caller(f"{mode} publishable key", {"X-Publishable-Key": account.publishable[mode]}),
    ]


def places_of(operation: Operation) -> list[Place]:
    parts = {"path": operation.parameters, "query": operation.queries, "header": operation.headers}
    named = [Place(part, (name,)) for part, names in parts.items() for name in names]
    return [*named, *(Place("body", at) for at in operation.texts)]


def foreign_value(tenant: Tenant, operation: Operation, place: Place, seed: str) -> str:
    if place.part == "path":
        return tenant.in_path(operation, place.name)
    whole = ".".join(map(str, place.at))
    return tenant.value(operation, whole if whole in tenant.named else place.name, seed)


def request_with(operation: Operation, own: Things, by: Headers, values: dict[Place, str]) -> dict[str, Any]:
    """The operation's example with the caller's own ids, but for these values."""
    in_path = {name: own.value(operation, name) for name in operation.parameters}
    in_path |= {place.name: value for place, value in values.items() if place.part == "path"}
    asked = request_of(operation, own.account, operation.path.format(**in_path), by)
    asked["headers"] |= {place.name: value for place, value in values.items() if place.part == "header"}
    asked["params"] = {place.name: value for place, value in values.items() if place.part == "query"}
    if "json" in asked:
        asked["json"] = own.body(operation)
        if "mode" in asked["json"] and "X-Mode" in by:
            asked["json"]["mode"] = by["X-Mode"]
    for place, value in values.items():
        if place.part == "body":
            asked["json"] = with_value(asked["json"], place.at, value)
    return asked


def with_value(body: Any, at: tuple[Any, ...], value: str) -> Any:
    """A copy of the body with the value there, whether or not something stood there before."""
    if not at:
        return value
    [first, *rest] = at
    if isinstance(first, int):
        return [with_value(body[0] if body else None, tuple(rest), value), *(body or [])[1:]]
    found = copy.copy(body) if isinstance(body, dict) else {}
    name = "note" if first == "*" else first
    found[name] = with_value(found.get(name), tuple(rest), value)
    return found


@dataclass
class Attack:
    """Requests with the tenant's values; `problems` is what should not have happened."""

    instance: Instance
    tenant: Tenant
    # Ids of the tenant that nobody else may be shown.
    ids: set[str]
    # Whether each value is also sent by itself.
    one_by_one: bool
    problems: list[str] = field(default_factory=list)
    # What the callers sent, and may be shown again.
    sent: set[str] = field(default_factory=set)
    requests: int = 0

    async def try_all(self, operation: Operation, own: Things, callers: list[Caller]) -> None:
        for caller in callers:
            places = [place for place in places_of(operation) if place.name not in caller.chooses]
            values = {place: foreign_value(self.tenant, operation, place, caller.kind) for place in places}
            status = await self._try(operation, own, caller, values)
            if status == 401 or not (self.one_by_one and caller.is_thorough):  # 401: it may not ask this at all
                continue
            for place, value in values.items():
                await self._try(operation, own, caller, {place: value})

    async def _try(self, operation: Operation, own: Things, caller: Caller, values: dict[Place, str]) -> int:
        self.sent.update(values.values())
        self.requests += 1
        answer = await self.instance.api.request(**request_with(operation, own, caller.headers, values))
        shown = f"{answer.text}\n{answer.headers}"
        leaked = {word for word in (SECRET, str(USED)) if word in shown} | (ids_in(shown) & self.ids) - self.sent
        if answer.status_code >= 500 or leaked:
            where = {f"{place.part} {place.at}": value for place, value in values.items()}
            self.problems.append(f"{operation} by {caller.kind}, {where}: {answer.status_code} {leaked} {answer.text}")
        return answer.status_code


def test_every_security_scheme_has_callers() -> None:
    assert set(document()["components"]["securitySchemes"]) == SCHEMES


async def test_all_values_at_once_show_and_change_nothing(instance: Instance) -> None:
    await _attack_from_other_platforms(instance, one_by_one=False)


@pytest.mark.rest
async def test_each_value_by_itself_shows_and_changes_nothing(instance: Instance) -> None:
    """Everything else in the request is the caller's own, and would do."""
    await _attack_from_other_platforms(instance, one_by_one=True)


async def _attack_from_other_platforms(instance: Instance, *, one_by_one: bool) -> None:
    tenant = await fill(instance, instance.alice, remembers_answers=one_by_one)
    charlie = await everything_of(instance, instance.charlie)
    operator = await _operator(instance)
    before = await dump(instance.database, tenant.platform_no, names=tenant.names)
    stored = files(instance.settings.data)
    attack = Attack(instance, tenant, before.ids, one_by_one)
    operations = _in_order()

    for operation in operations:
        own = charlie.of(operation)
        if one_by_one:  # some of it is used up
            own = await things_of(instance, await open_another(instance.database, instance.charlie), operation)
        await attack.try_all(operation, own, [*callers_of(own.account), *operator])
        if one_by_one or operation is operations[-1]:  # a read takes as long as the requests of an operation
            after = await dump(instance.database, tenant.platform_no, names=tenant.names)
            attack.problems += [f"{operation}: {change}" for change in before.changes_to(after)]

    assert "\n".join(attack.problems) == ""
    assert stored.items() <= files(instance.settings.data).items()
    assert attack.requests > (2_000 if one_by_one else 900)


def _in_order() -> list[Operation]:
    """Who has made a platform of their own is on several of them, and has to choose."""
    return sorted(OPERATIONS, key=lambda one: one.path == "/generate-platform-id")


async def _operator(instance: Instance) -> list[Caller]:
    """The operator's owner, and the server of the instance's own project."""
    async with instance.database.write() as tx:
        account = await open_account_on(tx, await platforms.operator_platform(tx), "Olga")
    chosen = [
        one for one in callers_of(account) if one.kind in ("test secret key", "token of owner", "session of owner")
    ]
    return [Caller(f"operator's {one.kind}", one.headers) for one in chosen]


@pytest.mark.rest
async def test_keys_of_another_project_or_mode_are_shown_nothing_and_change_nothing(instance: Instance) -> None:
    """Of the same platform; its developers may work in all of its projects, and stay in the one that they chose."""
    tenant = await fill(instance, instance.alice, remembers_answers=True)
    before = await _rows_of_projects(instance, tenant)
    attack = Attack(
        instance, tenant, set().union(*(one.ids for one in before)) - _known_to_all(tenant), one_by_one=True
    )

    for operation in OPERATIONS:
        if operation.is_for_persons and "X-Project-Id" not in operation.headers:
            continue  # about the platform
        other = await open_another(instance.database, instance.alice)
        own = await things_of(instance, other, operation)
        await attack.try_all(operation, own, [*_others(own.account), *_in_live_mode(tenant, operation)])
        after = await _rows_of_projects(instance, tenant)
        changed = [change for one, two in zip(before, after, strict=True) for change in one.changes_to(two)]
        attack.problems += [f"{operation}: {change}" for change in changed]

    assert "\n".join(attack.problems) == ""
    assert attack.requests > 2_000


def _others(account: Account) -> Iterator[Caller]:
    for caller in callers_of(account):
        is_person = caller.kind.startswith(("token", "session"))
        yield Caller(caller.kind, caller.headers, frozenset(SCOPE) if is_person else frozenset())


def _in_live_mode(tenant: Tenant, operation: Operation) -> list[Caller]:
    """Of the very project that has the ids in test mode."""
    account = tenant.of(operation).account
    keys = [Caller(f"its own {one.kind}", one.headers) for one in _with_keys(account, "live")]
    return [*keys, Caller("owner in live mode", account.by("owner", "live"), frozenset(SCOPE))]


async def _rows_of_projects(instance: Instance, tenant: Tenant) -> list[Dump]:
    whole = await dump(instance.database, tenant.platform_no)
    return [of_project(whole, things.account.project, "test") for things in (tenant.saas, tenant.store)]


def _known_to_all(tenant: Tenant) -> set[str]:
    account = tenant.account
    return {
        account.project.platform_id,
        account.project.id,
        tenant.store.account.project.id,
        *account.user_ids.values(),
    }
