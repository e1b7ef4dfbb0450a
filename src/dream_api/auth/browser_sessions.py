"""Who looks at a page: a developer who is signed in, on one of their platforms, in one of its projects."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Path, Request

from dream_api import platforms
from dream_api.accounts import Role, Session
from dream_api.auth.authenticator import Authenticator
from dream_api.auth.principals import Acting, Developer
from dream_api.core.db import Database
from dream_api.core.errors import Forbidden, NotFound, Unauthorized
from dream_api.core.http import ForeignForm, Form, read_form, refuse_foreign_form
from dream_api.core.settings import Settings
from dream_api.dashboard.current_project import Beside, beside_of
from dream_api.platforms import Membership, Mode, Permission, Platform, Project, Scope

_MOST_PROJECTS = 200
# An editor's, with a row for each price and limit.
_LARGEST_FORM = 262_144
_MOST_FIELDS = 500
_READING = ("GET", "HEAD")


class SignInRequired(Unauthorized):
    code = "sign_in_required"
    hint = "Sign in under /account/sign-in; programs send a key or a personal token instead."


class ForeignCall(Forbidden):
    code = "foreign_call"
    hint = "Call from a page of this instance, or with a personal token instead of the cookie."


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in. `csrf`: what every form of theirs carries."""

    session: Session
    csrf: str
    memberships: Sequence[Membership]

    @property
    def caller(self) -> str:
        """Whose idempotency keys these are."""
        return f"user:{self.session.user_id}"

    def membership_on(self, platform_id: str) -> Membership | None:
        return next((each for each in self.memberships if each.platform.id == platform_id), None)


@dataclass(frozen=True, slots=True)
class PlatformVisit:
    """At work on a platform."""

    visitor: Visitor
    platform: Platform
    role: Role
    # All of the platform's, oldest first.
    projects: Sequence[Project]
    # Whether it is the platform of those who run this instance.
    is_operators: bool
    # None where the platform has no project.
    beside: Beside | None

    @property
    def platform_id(self) -> str:
        return self.platform.id

    @property
    def caller(self) -> str:
        return self.visitor.caller

    @property
    def developer(self) -> Developer:
        """As the rules know them that programs reach by a personal token."""
        session = self.visitor.session
        return Developer(self.platform, self.role, self.caller, session.user_id, session.shown_name)

    def may(self, permission: Permission) -> bool:
        return platforms.allows(self.role, permission)


@dataclass(frozen=True, slots=True)
class ProjectVisit(PlatformVisit):
    """At work in a project and mode of it."""

    project: Project
    mode: Mode

    @property
    def may_refund(self) -> bool:
        """Whether any money: members give back up to the project's limit."""
        return self.may("refund") or (self.may("refund_some") and self.project.refund_limit is not None)

    @property
    def acting(self) -> Acting:
        """As the rules know them that programs reach by a key."""
        session, caller = self.visitor.session, f"{self.caller}:{self.project.id}:{self.mode}"
        return Acting(self.project, self.mode, caller, self.role, session.user_id, session.shown_name)

    @property
    def scope(self) -> Scope:
        return self.acting.scope


def cookie_of(settings: Settings) -> str:
    """The session cookie's name; over TLS one that browsers take from this very host alone."""
    return "__Host-dream_session" if settings.link_base.startswith("https:") else "dream_session"


def csrf_of(session_token: str) -> str:
    """What a form must carry to be this session's own: only its pages and the server can know it."""
    return hashlib.sha256(b"form of " + session_token.encode()).hexdigest()


async def visitor_of(request: Request) -> Visitor:
    """Raises SignInRequired; refuses forms that another website sent, also with the visitor's own cookie."""
    visitor = await signed_in(request)
    if visitor is None:
        raise SignInRequired("Nobody is signed in.")
    if request.method not in _READING:
        refuse_foreign_form(request.headers, request.app.state.settings.link_base)
    return visitor


async def signed_in(request: Request) -> Visitor | None:
    """Whoever is signed in, if anybody."""
    authenticator: Authenticator = request.app.state.authenticator
    sent = request.cookies.get(cookie_of(request.app.state.settings), "")
    session = await authenticator.session(sent)
    if session is None:
        return None
    await authenticator.touch_session(session)
    async with authenticator.database.read() as tx:
        memberships = await platforms.memberships_of(tx, session.user_id)
    return Visitor(session, csrf_of(sent), memberships)


async def calling(request: Request) -> Visitor | None:
    """Whoever calls the API by the cookie of their session; None where no cookie came.

    Raises SignInRequired for a session that is over, ForeignCall where another website may have made the call.
    """
    settings: Settings = request.app.state.settings
    if cookie_of(settings) not in request.cookies:
        return None
    visitor = await signed_in(request)
    if visitor is None:
        raise SignInRequired("The session is over.")
    if request.method not in _READING:
        _refuse_foreign_call(request, settings)
    return visitor


def _refuse_foreign_call(request: Request, settings: Settings) -> None:
    """Browsers say from where a call comes; without that word a cookie changes nothing."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = origin == origin_of(settings) if site is None else site == "same-origin"
    if not is_ours:
        raise ForeignCall("A session's cookie came with a call that no page of this instance made.")


def origin_of(settings: Settings) -> str:
    """The instance's own origin, as browsers tell it."""
    parts = urlsplit(settings.link_base)
    return f"{parts.scheme}://{parts.netloc}"


SignedIn = Annotated[Visitor, Depends(visitor_of)]


async def read_own_form(request: Request, visitor: Visitor) -> Form:
    """The form, where it comes from a page that this visitor was shown; raises ForeignForm."""
    form = await read_form(request, largest=_LARGEST_FORM, most_fields=_MOST_FIELDS)
    if not hmac.compare_digest(form.pop("csrf", "").encode(), visitor.csrf.encode()):
        raise ForeignForm("The form is not one of this session's.")
    return form


async def _at(request: Request, visitor: Visitor, platform_id: str, permission: Permission) -> PlatformVisit:
    """Raises NotFound for a platform that is not the visitor's, RoleForbids where their role does not allow it."""
    own = visitor.membership_on(platform_id)
    if own is None:
        raise NotFound("There is no such page.", hint="It may belong to a platform that you are no member of.")
    platforms.refuse_role(own.role, permission)
    database: Database = request.app.state.database
    async with database.read() as tx:
        projects = await platforms.projects_of(tx, platform_id, limit=_MOST_PROJECTS)
        operator = await platforms.operator(tx)
    is_operators = operator.id == platform_id
    return PlatformVisit(visitor, own.platform, own.role, projects, is_operators, beside_of(request, projects))


def at_platform(permission: Permission) -> Callable[..., Awaitable[PlatformVisit]]:
    """A dependency: a page under `/dashboard/{platformId}`, for whose role has the permission there."""

    async def find(
        request: Request, visitor: SignedIn, platform_id: Annotated[str, Path(alias="platformId", max_length=255)]
    ) -> PlatformVisit:
        return await _at(request, visitor, platform_id, permission)

    return find


def in_project(permission: Permission) -> Callable[..., Awaitable[ProjectVisit]]:
    """A dependency: a page under `/dashboard/{projectId}/{mode}`, for whose role has the permission there."""

    async def find(
        request: Request,
        visitor: SignedIn,
        project_id: Annotated[str, Path(alias="projectId", max_length=255)],
        mode: Mode,
    ) -> ProjectVisit:
        authenticator: Authenticator = request.app.state.authenticator
        project = await authenticator.project(project_id)
        if project is None:
            raise NotFound("There is no such page.")
        at = await _at(request, visitor, project.platform_id, permission)
        return ProjectVisit(
            at.visitor,
            at.platform,
            at.role,
            at.projects,
            at.is_operators,
            Beside(project, mode),
            project=project,
            mode=mode,
        )

    return find


async def _refunding(visit: Annotated[ProjectVisit, Depends(in_project("refund_some"))]) -> ProjectVisit:
    """Where the project has no refund limit, members give nothing back."""
    if visit.project.refund_limit is None:
        platforms.refuse_role(visit.role, "refund")
    return visit


# A page of a platform: for all its members, for those who choose them, for those who run it, for those who
# pay for it, for those whose it is.
AtPlatform = Annotated[PlatformVisit, Depends(at_platform("view"))]
TeamingPlatform = Annotated[PlatformVisit, Depends(at_platform("team"))]
ManagingPlatform = Annotated[PlatformVisit, Depends(at_platform("manage"))]
OwningPlatform = Annotated[PlatformVisit, Depends(at_platform("bill"))]
OwningItself = Annotated[PlatformVisit, Depends(at_platform("own"))]
# A page of a project and mode: for all members, for those who sell, for those who may give money back, some of
# them up to the project's limit, for those who run it.
InProject = Annotated[ProjectVisit, Depends(in_project("view"))]
SellingInProject = Annotated[ProjectVisit, Depends(in_project("sell"))]
RefundingInProject = Annotated[ProjectVisit, Depends(_refunding)]
ManagingInProject = Annotated[ProjectVisit, Depends(in_project("manage"))]


def operating(permission: Permission) -> Callable[..., Awaitable[PlatformVisit]]:
    """A dependency: a page of the whole instance, for whose role on the operator's platform has the permission."""

    async def find(request: Request, visitor: SignedIn) -> PlatformVisit:
        database: Database = request.app.state.database
        async with database.read() as tx:
            operator = await platforms.operator(tx)
        return await _at(request, visitor, operator.id, permission)

    return find


# A page of the whole instance: for the operator's members, for those who run it.
Operating = Annotated[PlatformVisit, Depends(operating("view"))]
ManagingInstance = Annotated[PlatformVisit, Depends(operating("manage"))]


async def refuse_others_than_operators(visit: PlatformVisit) -> None:
    """Pages of the whole instance are for the operator's own platform; for everybody else there are none."""
    if not visit.is_operators:
        raise NotFound("There is no such page.")
