"""`/dashboard/welcome`: from nothing to the first metered call, or the first product, on one page.

Which step comes next is decided by what exists, so that the page may be left and opened again at any of them.
"""

import re
from collections.abc import Mapping
from typing import Any, get_args

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import accounts, audit, catalog, customers, keys, platforms, usage
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.rate_limit import client_address
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.catalog import NewPrice
from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.core.errors import Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import ChangesDep, Db, SettingsDep
from dream_api.core.secrets import InstanceKey
from dream_api.core.settings import Settings
from dream_api.dashboard.audit import actor_of
from dream_api.dashboard.forms import FormErrors, SentForm, submits
from dream_api.dashboard.layout import PageRoute, render_public
from dream_api.metering.open_limits import CurrentWindows
from dream_api.platforms import Membership, Platform, Project, ProjectScope, ProjectType
from dream_api.tenancy.membership import create_platform
from dream_api.usage import REQUESTS, Increment, LimitStatus, Period

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_PATH = "/dashboard/welcome"
_MOST_PROJECTS = 200
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_LONGEST_TIER = 60


@router.get(_PATH)
async def show_welcome(
    db: Db, settings: SettingsDep, instance_key: InstanceKeyDep, user: SignedIn, project: str = ""
) -> Response:
    async with db.read() as tx:
        found = await _found(tx, user, project)
        invitations = await platforms.list_open_invitations(tx, user.session.email) if found is None else ()
    if found is None:
        return _ask(user, {"type": "saas"}, {}, has_invitations=bool(invitations))
    return await _show_steps(db, settings, instance_key, user, *found)


async def _found(tx: Tx, user: SignedInUser, project_id: str) -> tuple[Membership, Project] | None:
    """The project that is asked for, else the newest one, on the user's first platform that has any."""
    for membership in user.memberships:
        projects = await platforms.projects_of(tx, membership.platform.no, limit=_MOST_PROJECTS)
        for one in reversed(projects):
            if project_id in ("", one.id):
                return membership, one
    return None


def _ask(
    user: SignedInUser, form: Mapping[str, str], problems: Mapping[str, str], has_invitations: bool = False
) -> Response:
    return render_public(
        "home/welcome.html",
        user,
        status=ValidationFailed.status if problems else 200,
        has_platform=_may_found(user) is not None,
        is_verified=user.session.is_verified,
        has_invitations=has_invitations,
        form=form,
        problems=problems,
    )


def _may_found(user: SignedInUser) -> Membership | None:
    """The first platform on which the user may make projects."""
    return next((one for one in user.memberships if platforms.has_permission(one.role, "manage")), None)


@submits(router, _PATH, _ask, errors=ValidationFailed)
async def begin(
    request: Request, db: Db, settings: SettingsDep, instance_key: InstanceKeyDep, user: SignedIn, form: SentForm
) -> str:
    """A project with its test keys, on a platform that is created where the user has none."""
    kind = _kind(form.get("type", ""))
    platforms.validate_name(form.get("name", ""))
    async with db.write() as tx:
        platform = await _platform(tx, request, settings, user, form)
        made = await catalog.create_project_with_defaults(tx, platform, form["name"], kind, platforms.MODES)
        caller = f"user:{user.session.user_id}"
        pair = await keys.issue_pair(tx, made, "test", instance_key=instance_key, created_by=caller)
        by = actor_of(request, user)
        details = {"name": made.name, "type": made.type}
        await audit.record(tx, platform.log_stream, "project.created", by=by, about=made.id, details=details)
        for key in pair:
            details = {"project": made.id, "mode": "test", "kind": key.kind}
            await audit.record(tx, platform.log_stream, "key.issued", by=by, about=key.id, details=details)
    return f"{_PATH}?project={made.id}"


def _kind(typed: str) -> ProjectType:
    for kind in get_args(ProjectType):
        if kind == typed:
            return kind
    raise ValidationFailed("Choose a project type.", param="type")


async def _platform(
    tx: Tx, request: Request, settings: Settings, user: SignedInUser, form: Mapping[str, str]
) -> Platform:
    """The user's, or a new one; while the user is held, so that a form that is sent twice makes one."""
    await accounts.lock_user(tx, user.session.user_id)
    for one in await platforms.memberships_of(tx, user.session.user_id):
        if platforms.has_permission(one.role, "manage"):
            return one.platform
    if not user.session.is_verified:
        raise ValidationFailed("Verify your email address first: open the link we sent you.")
    name = platforms.validate_name(form.get("platform", ""), "platform")
    mode, address = settings.home_mode, client_address(request.scope)
    return await create_platform(tx, name, user.session, mode, address=address)


async def _show_steps(
    db: Database,
    settings: Settings,
    instance_key: InstanceKey,
    user: SignedInUser,
    membership: Membership,
    project: Project,
) -> Response:
    scope = ProjectScope(project.platform_no, project.id, "test")
    async with db.read() as tx:
        key, token = await _key(tx, instance_key, membership, project)
        first = await _first_call(tx, scope, project) if project.type == "saas" else None
        offers = await _products(tx, project) if project.type == "store" else []
    return render_public(
        "home/begun.html",
        user,
        project=project,
        platform=membership.platform,
        base=f"/dashboard/{project.id}/test",
        key=key,
        token=token,
        first=first,
        offers=offers,
        may_sell=platforms.has_permission(membership.role, "sell"),
        form={"currency": "usd"},
        problems={},
        link_base=settings.link_base,
    )


async def _key(tx: Tx, instance_key: InstanceKey, membership: Membership, project: Project) -> tuple[Any, str | None]:
    """The newest test secret key, and on its first day its text, for those who may see that."""
    rows = await keys.of_project(tx, project.platform_no, project.id, "test")
    now = clock.now()
    working = [
        row
        for row in rows
        if row.kind == "secret" and row.revoked_at is None and (row.expires_at is None or row.expires_at > now)
    ]
    if not working:
        return None, None
    key = working[-1]
    if not platforms.has_permission(membership.role, "test_keys") or key.created_at < now - clock.DAY:
        return key, None
    return key, keys.reveal_if_decryptable(key, instance_key)


async def _first_call(tx: Tx, scope: ProjectScope, project: Project) -> tuple[str, LimitStatus] | None:
    """Who was counted first, and how their limit stands; None as long as nobody was."""
    rows = await customers.page_of(tx, scope, limit=1, after=None)
    if not rows:
        return None
    customer = rows[0]
    plans = await catalog.load_plans(tx, scope.platform_no, project.id, project.no, "test")
    now = clock.now() + plans.ahead
    plan = plans.by_name.get(customer.plan or "") or plans.default
    if plan is None:
        return None
    meter = plans.meters[REQUESTS]
    period = customers.period_of(customer, now) or clock.month_of(now)
    windows = CurrentWindows(now)
    limits = windows.limits_for(plan, meter, Period(*period)).limits
    charge = Increment((scope.platform_no, customer.no, meter.no), 1, limits, windows.hour, period[0])
    standing = (await usage.get_limit_statuses(tx, charge))[0]
    return (customer.user_id, standing) if standing.count else None


async def _products(tx: Tx, project: Project) -> list[catalog.TierWithPrices]:
    return await catalog.list_tiers(tx, project.platform_no, project.id, "test", limit=3)


async def _product_again(
    db: Db, settings: SettingsDep, user: SignedIn, project: str, form: Form, problems: FormErrors
) -> Response:
    """The form once more, with what was typed."""
    async with db.read() as tx:
        found = await _found(tx, user, project)
    assert found is not None
    membership, store = found
    return render_public(
        "home/begun.html",
        user,
        status=ValidationFailed.status,
        project=store,
        platform=membership.platform,
        base=f"/dashboard/{store.id}/test",
        key=None,
        token=None,
        first=None,
        offers=[],
        may_sell=True,
        form=form,
        problems={field if field in form else "": sentence for field, sentence in problems.items()},
        link_base=settings.link_base,
    )


@submits(router, _PATH + "/product", _product_again, fields={"prices.0.currency": "currency"}, errors=Invalid)
async def make_product(
    request: Request,
    db: Db,
    settings: SettingsDep,
    changes: ChangesDep,
    user: SignedIn,
    form: SentForm,
    project: str = "",
) -> str:
    """The store's first product, in test mode; the editor of products has all the rest."""
    async with db.read() as tx:
        found = await _found(tx, user, project)
    if found is None:
        return _PATH
    membership, store = found
    platforms.require_permission(membership.role, "sell")
    name = platforms.validate_name(form.get("product", ""), "product")
    slug = _NOT_IN_NAMES.sub("-", name.lower()).strip("-")[:_LONGEST_TIER] or "product"
    currency = form.get("currency", "").lower()
    price = NewPrice(currency=currency, amount=catalog.parse_amount(form.get("price", ""), currency, "price"))
    async with db.write() as tx:
        await catalog.set_tier(tx, store, "test", slug, [], prices=[price], display_name=name)
        by, details = actor_of(request, user), {"project": store.id, "mode": "test", "tier": slug}
        await audit.record(tx, store.log_stream, "tier.created", by=by, about=slug, details=details)
    await changes.poll()
    return f"{_PATH}?project={store.id}"
