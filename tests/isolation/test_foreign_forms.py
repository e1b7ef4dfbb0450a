"""Another tenant's ids in every address and field of developers' pages: nothing of it is shown or changed.

Pages are found by the routes, and forms on the pages: what a member's own pages contain is sent with one value
exchanged.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from dream_api.accounts.tables import sessions
from dream_api.billing.tables import checkouts
from dream_api.dashboard.layout import PageRoute
from dream_api.webhooks.tables import events
from tests.dashboard.test_bad_input import FIELDS, ROUTES, names_of
from tests.isolation.foreign_values import SECRET, USED, Everything, Tenant, any_of, everything_of, fill
from tests.isolation.page_forms import PageForm, forms_in
from tests.isolation.tenant_rows import Dump, dump, files, ids_in, of_project
from tests.support.instance import ORIGIN, Account, Instance

pytestmark = [pytest.mark.slow, pytest.mark.rest]

# What is known by a secret in its address, and what ends the session of whoever asks.
_LEFT_OUT = ("{token}", "/account/sign-out", "/account/close", "/dashboard/operator/mail/")
_MARKS = (SECRET, str(USED), f"{USED:,}")


@dataclass(frozen=True)
class Ids:
    """Values for the parameters of paths, by their name."""

    everything: Everything
    more: dict[str, str]

    def of(self, path: str) -> dict[str, str]:
        is_store = "/orders" in path
        things = self.everything.store if is_store else self.everything.saas
        project = things.account.project
        return {
            **self.more,
            "platformId": project.platform_id,
            "projectId": project.id,
            "mode": "test",
            "name": self.everything.saas.tier,
            "couponId": things.coupon,
            "keyId": things.account.key_ids["test"],
            "id": things.paid_order
            if is_store
            else self.more["checkout"]
            if "/links/" in path
            else things.subscription,
            "paymentId": things.payment,
            "customerId": things.customer,
            "user_id": things.colleague,
            "invitation_id": things.invitation,
            "token_id": things.account.token_ids["owner"],
        }


async def ids_of(instance: Instance, everything: Everything) -> Ids:
    project = everything.saas.account.project
    async with instance.database.read() as tx:
        more = {
            "eventId": await tx.scalar(select(events.c.id).where(events.c.project_id == project.id).limit(1)),
            "checkout": await tx.scalar(select(checkouts.c.id).where(checkouts.c.project_id == project.id).limit(1)),
            "session_id": await tx.scalar(
                select(sessions.c.id).where(sessions.c.user_id == everything.saas.account.user_ids["owner"])
            ),
        }
    assert all(more.values()), more
    return Ids(everything, more)


def path_of(route: PageRoute, values: dict[str, str]) -> str:
    return route.path.format(**{name: values[name] for name in route.param_convertors})


def routes() -> list[PageRoute]:
    return [one for one in ROUTES if not any(part in one.path for part in _LEFT_OUT)]


@dataclass
class Visit:
    """A member's requests with another tenant's values; `problems` is what should not have happened."""

    instance: Instance
    account: Account
    tenant: Tenant
    own: Ids
    foreign: Ids
    # Ids of the tenant that the member may not be shown.
    ids: set[str]
    problems: list[str] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    requests: int = 0

    async def go(self, method: str, path: str, values: list[str], **more: Any) -> Any:
        """Ask with these values of the tenant in it."""
        self.sent.update(values)
        self.requests += 1
        headers = {**self.account.cookie(), "Accept": "text/html"}
        answer = await self.instance.api.request(method, path, headers=headers, **more)
        shown = f"{answer.text}\n{answer.headers}"
        leaked = {mark for mark in _MARKS if mark in shown} | ((ids_in(shown) & self.ids) - self.sent)
        if answer.status_code >= 500 or leaked or answer.headers.get("location", "").startswith("/account/sign-in"):
            self.problems.append(f"{method} {path} {values} {more}: {answer.status_code} {leaked}")
        return answer

    async def ask_for_paths(self, chosen: frozenset[str]) -> None:
        """Each place of each address, by itself and all together; `chosen` are places of the member's own choice."""
        for route in routes():
            own, foreign = self.own.of(route.path), self.foreign.of(route.path)
            names = [name for name in route.param_convertors if name != "mode" and name not in chosen]
            for exchanged in {frozenset(names), *(frozenset([name]) for name in names)} - {frozenset()}:
                path = path_of(route, own | {name: foreign[name] for name in exchanged})
                for method in route.methods & {"GET", "POST"}:
                    data = self.account.form() if method == "POST" else None
                    await self.go(method, path, [foreign[name] for name in exchanged], data=data)

    async def ask_with_queries(self) -> None:
        for route in routes():
            path = path_of(route, self.own.of(route.path))
            names = [name for each in route.dependant.query_params for name in names_of(each)]
            for name in names if "GET" in route.methods else ():
                for value in self._values(name, route.path):
                    await self.go("GET", path, [value], params={name: value})

    async def send_forms(self) -> None:
        for route in routes():  # also where no page shows a form now
            if "POST" in route.methods and route.path.startswith("/dashboard"):
                path = path_of(route, self.own.of(route.path))
                await self._send(PageForm(path), {name: self._values(name, route.path)[0] for name in FIELDS})
        for form in await self._forms():
            for name in form.fields.keys() - {"csrf"}:
                for value in self._values(name, form.action):
                    await self._send(form, {name: value})
            for seed in ("a", "b"):
                await self._send(form, {name: self._values(name, seed)[0] for name in FIELDS})

    async def _send(self, form: PageForm, values: dict[str, str]) -> None:
        await self.go("POST", form.action, list(values.values()), data={**form.fields, **values, "csrf": self._csrf})

    @property
    def _csrf(self) -> str:
        return self.account.form()["csrf"]

    def _values(self, name: str, seed: str) -> list[str]:
        """What the tenant itself would type there, and another id."""
        known = {"price": self.tenant.named["priceId"], "product": self.tenant.saas.tier, "customer": "userId"}
        named = known.get(name) or self.tenant.named.get(name.replace("user_id", "userId"))
        return [*([named] if named else []), any_of(self.tenant.ids, name, seed)]

    async def _forms(self) -> list[PageForm]:
        """Every form on the member's own pages once, filled in."""
        found: dict[tuple[str, frozenset[str]], PageForm] = {}
        for route in routes():
            for path in self._own_paths(route) if "GET" in route.methods else ():
                page = await self.instance.api.get(path, headers=self.account.cookie())
                for form in forms_in(page.text, path):
                    found[form.action, frozenset(form.fields)] = form
        for form in found.values():
            form.fields |= {name: _TYPED[name] for name, value in form.fields.items() if not value and name in _TYPED}
        return [form for form in found.values() if not any(part in form.action for part in _LEFT_OUT)]

    def _own_paths(self, route: PageRoute) -> Iterator[str]:
        own = self.own.of(route.path)
        yield path_of(route, own)
        if "projectId" in route.param_convertors:  # a store has other forms
            yield path_of(route, {**own, "projectId": self.own.everything.store.account.project.id})


_TYPED = {"userId": "somebody", "name": "Somebody", "code": "CODE", "off": "5", "price": "5", "currency": "usd"} | {
    "email": "somebody@example.com",
    "url": f"{ORIGIN}/thanks",
    "add": ORIGIN,
    "displayName": "Somebody",
    "product": "somebody",
}


async def test_pages_of_another_platform_show_and_change_nothing(instance: Instance) -> None:
    tenant = await fill(instance, instance.alice, remembers_answers=False)
    own, foreign = await _of(instance, await everything_of(instance, instance.charlie), tenant)
    before = await dump(instance.database, tenant.platform_no, names=tenant.names)
    stored = files(instance.settings.data)
    visit = Visit(instance, instance.charlie, tenant, own, foreign, before.ids)

    await visit.ask_for_paths(frozenset())
    await visit.ask_with_queries()
    await visit.send_forms()

    after = await dump(instance.database, tenant.platform_no, names=tenant.names)
    assert "\n".join([*visit.problems, *before.changes_to(after)]) == ""
    assert stored.items() <= files(instance.settings.data).items()
    assert visit.requests > 300


async def test_pages_of_another_project_show_and_change_nothing(instance: Instance) -> None:
    """Of the same platform, whose members go from one project to the other by its address only."""
    tenant = await fill(instance, instance.alice, remembers_answers=False)
    own, foreign = await _of(instance, await everything_of(instance, instance.alice), tenant)
    before = await _rows_of_projects(instance, tenant)
    known = {tenant.account.project.id, tenant.store.account.project.id, *tenant.names}
    visit = Visit(instance, instance.alice, tenant, own, foreign, set().union(*(one.ids for one in before)) - known)

    await visit.ask_for_paths(_OF_THE_PLATFORM)

    after = await _rows_of_projects(instance, tenant)
    changes = [change for one, two in zip(before, after, strict=True) for change in one.changes_to(two)]
    assert "\n".join([*visit.problems, *changes]) == ""


_OF_THE_PLATFORM = frozenset({"platformId", "projectId", "user_id", "invitation_id", "token_id", "session_id"})


async def _of(instance: Instance, everything: Everything, tenant: Tenant) -> tuple[Ids, Ids]:
    return await ids_of(instance, everything), await ids_of(instance, tenant)


async def _rows_of_projects(instance: Instance, tenant: Tenant) -> list[Dump]:
    whole = await dump(instance.database, tenant.platform_no)
    return [of_project(whole, things.account.project, "test") for things in (tenant.saas, tenant.store)]


def test_forms_are_found_with_what_a_browser_would_send() -> None:
    page = """<form method="post" action="/a"><input name="csrf" value="x"><input type="radio" name="r" value="1">
    <input type="radio" name="r" value="2" checked><select name="s"><option value="3"><option value="4" selected>
    </select><textarea name="t"></textarea></form><form><input name="q"></form>"""
    [form] = forms_in(re.sub(r"\s+", " ", page), "/")
    assert form == PageForm("/a", {"csrf": "x", "r": "2", "s": "4", "t": ""})
