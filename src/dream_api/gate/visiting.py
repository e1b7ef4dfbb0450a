"""Who looks at a page: a developer who is signed in, on one of their platforms, in one of its projects."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from dream_api import platforms
from dream_api.accounts import Role, Session
from dream_api.core.db import Database
from dream_api.core.errors import NotFound, Unauthorized
from dream_api.core.http import ForeignForm, Form, read_form, refuse_foreign_form
from dream_api.core.settings import Settings
from dream_api.customers import Scope
from dream_api.gate.acting import Acting, Developer
from dream_api.gate.gate import Gate
from dream_api.platforms import Membership, Mode, Permission, Platform, Project

_MOST_PROJECTS = 200
# An editor's, with a row for each price and limit.
_LARGEST_FORM = 262_144
_MOST_FIELDS = 500


class SignInRequired(Unauthorized):
    code = "sign_in_required"
    hint = "Sign in under /account/sign-in; programs send a key or a personal token instead."


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in. `csrf`: what every form of theirs carries."""

    session: Session
    csrf: str
    memberships: Sequence[Membership]


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

    @property
    def platform_id(self) -> str:
        return self.platform.id

    @property
    def caller(self) -> str:
        return f"user:{self.visitor.session.user_id}"

    @property
    def developer(self) -> Developer:
        """As the rules know them that programs reach by a personal token."""
        return Developer(self.platform, self.role, self.caller)

    def may(self, permission: Permission) -> bool:
        return platforms.allows(self.role, permission)


@dataclass(frozen=True, slots=True)
class ProjectVisit(PlatformVisit):
    """At work in a project and mode of it."""

    project: Project
    mode: Mode

    @property
    def acting(self) -> Acting:
        """As the rules know them that programs reach by a key."""
        return Acting(self.project, self.mode, f"{self.caller}:{self.project.id}:{self.mode}", self.role)

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
    gate: Gate = request.app.state.gate
    sent = request.cookies.get(cookie_of(request.app.state.settings), "")
    session = await gate.session(sent)
    if session is None:
        raise SignInRequired("Nobody is signed in.")
    await gate.touch_session(session)
    if request.method not in ("GET", "HEAD"):
        refuse_foreign_form(request.headers, request.app.state.settings.link_base)
    async with gate.database.read() as tx:
        memberships = await platforms.memberships_of(tx, session.user_id)
    return Visitor(session, csrf_of(sent), memberships)


SignedIn = Annotated[Visitor, Depends(visitor_of)]


async def read_own_form(request: Request, visitor: Visitor) -> Form:
    """The form, where it comes from a page that this visitor was shown; raises ForeignForm."""
    form = await read_form(request, largest=_LARGEST_FORM, most_fields=_MOST_FIELDS)
    if not hmac.compare_digest(form.pop("csrf", "").encode(), visitor.csrf.encode()):
        raise ForeignForm("The form is not one of this session's.")
    return form


async def _at(request: Request, visitor: Visitor, platform_id: str, permission: Permission) -> PlatformVisit:
    """Raises NotFound for a platform that is not the visitor's, RoleForbids where their role does not allow it."""
    own = next((each for each in visitor.memberships if each.platform.id == platform_id), None)
    if own is None:
        raise NotFound("There is no such page.", hint="It may belong to a platform that you are no member of.")
    platforms.refuse_role(own.role, permission)
    database: Database = request.app.state.database
    async with database.read() as tx:
        projects = await platforms.projects_of(tx, platform_id, limit=_MOST_PROJECTS)
        operator = await platforms.operator(tx)
    return PlatformVisit(visitor, own.platform, own.role, projects, is_operators=operator.id == platform_id)


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
        gate: Gate = request.app.state.gate
        project = await gate.project(project_id)
        if project is None:
            raise NotFound("There is no such page.")
        at = await _at(request, visitor, project.platform_id, permission)
        return ProjectVisit(at.visitor, at.platform, at.role, at.projects, at.is_operators, project=project, mode=mode)

    return find


# A page of a platform: for all its members, for those who run it, for its owners.
AtPlatform = Annotated[PlatformVisit, Depends(at_platform("view"))]
ManagingPlatform = Annotated[PlatformVisit, Depends(at_platform("manage"))]
OwningPlatform = Annotated[PlatformVisit, Depends(at_platform("bill"))]
# A page of a project and mode: for all members, for those who sell, for those who may give any money back, for those
# who run it.
InProject = Annotated[ProjectVisit, Depends(in_project("view"))]
SellingInProject = Annotated[ProjectVisit, Depends(in_project("sell"))]
RefundingInProject = Annotated[ProjectVisit, Depends(in_project("refund"))]
ManagingInProject = Annotated[ProjectVisit, Depends(in_project("manage"))]


async def refuse_others_than_operators(visit: PlatformVisit) -> None:
    """Pages of the whole instance are for the operator's own platform; for everybody else there are none."""
    if not visit.is_operators:
        raise NotFound("There is no such page.")
