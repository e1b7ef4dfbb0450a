"""FastAPI dependencies of dashboard pages: the signed-in user with platform, role, project and mode."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Request

from dream_api import platforms
from dream_api.accounts import Role
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.auth.dependencies import AuthenticatorDep
from dream_api.auth.principals import PlatformPrincipal, ProjectPrincipal
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.errors import NotFound
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.current_project import CurrentProject, find_current_project
from dream_api.platforms import Mode, Permission, Platform, Project, ProjectScope

_MOST_PROJECTS = 200


@dataclass(frozen=True, slots=True)
class PlatformContext:
    """At work on a platform."""

    user: SignedInUser
    platform: Platform
    role: Role
    # All of the platform's, oldest first.
    projects: Sequence[Project]
    # Whether it is the platform of those who run this instance.
    is_operators: bool
    # None where the platform has no project.
    current: CurrentProject | None

    @property
    def platform_id(self) -> str:
        return self.platform.id

    @property
    def platform_no(self) -> int:
        return self.platform.no

    @property
    def base(self) -> str:
        """What the addresses of its pages begin with."""
        return f"/dashboard/{self.platform_id}"

    @property
    def real_now(self) -> int:
        """The present moment of keys, members and the security log, whatever a project's test clock is."""
        return clock.now()

    @property
    def caller(self) -> str:
        return self.user.caller

    @property
    def developer(self) -> PlatformPrincipal:
        """As the rules know them that programs reach by a personal token."""
        session = self.user.session
        return PlatformPrincipal(self.platform, self.role, self.caller, session.user_id, session.shown_name)

    def may(self, permission: Permission) -> bool:
        return platforms.has_permission(self.role, permission)


@dataclass(frozen=True, slots=True)
class ProjectContext(PlatformContext):
    """At work in a project and mode of it."""

    project: Project
    mode: Mode
    # By how many microseconds the project's time in this mode is ahead of real time.
    ahead: int

    @property
    def base(self) -> str:
        return f"/dashboard/{self.project.id}/{self.mode}"

    @property
    def project_now(self) -> int:
        """The present moment of the project in this mode, by which what happens in it is dated."""
        return clock.now() + self.ahead

    @property
    def sold(self) -> str:
        """What a tier is called on pages."""
        return "product" if self.project.type == "store" else "plan"

    @property
    def may_refund(self) -> bool:
        """Whether the role can refund: members up to the project's refund limit."""
        return self.may("refund") or (self.may("refund_some") and self.project.refund_limit is not None)

    @property
    def acting(self) -> ProjectPrincipal:
        """As the rules know them that programs reach by a key."""
        session, caller = self.user.session, f"{self.caller}:{self.project.id}:{self.mode}"
        return ProjectPrincipal(self.project, self.mode, caller, self.role, session.user_id, session.shown_name)

    @property
    def scope(self) -> ProjectScope:
        return self.acting.scope


@dataclass(frozen=True, slots=True)
class OperatorContext(PlatformContext):
    """At work on the whole instance, as a member of the operator's platform."""

    @property
    def base(self) -> str:
        return "/dashboard/operator"


C = TypeVar("C", bound=PlatformContext)


async def _at(
    context: type[C], request: Request, db: Database, user: SignedInUser, platform_id: str, permission: Permission
) -> tuple[C, dict[str, int]]:
    """The context, and the test clock offsets of its projects by their ids.

    Raises NotFound for a platform that is not the user's, PermissionDenied where their role does not allow it.
    """
    own = user.membership_on(platform_id)
    if own is None:
        raise NotFound("Page not found.", hint="It may belong to a platform that you are not a member of.")
    platforms.require_permission(own.role, permission)
    async with db.read() as tx:
        found = await platforms.projects_with_offsets(tx, own.platform.no, limit=_MOST_PROJECTS)
        operator = await platforms.operator_platform(tx)
    projects = [project for project, _ in found]
    current = find_current_project(request, projects)
    at = context(user, own.platform, own.role, projects, operator.id == platform_id, current)
    return at, {project.id: ahead for project, ahead in found}


async def _clock_offset(db: Database, project: Project, mode: Mode, known: dict[str, int]) -> int:
    """The project's offset in this mode; read where the project is not among the known ones."""
    if mode == "live" or project.id in known:
        return 0 if mode == "live" else known[project.id]
    async with db.read() as tx:
        return await platforms.clock_offset(tx, project.platform_no, project.id, mode)


def at_platform(permission: Permission) -> Callable[..., Awaitable[PlatformContext]]:
    """A dependency: a page under `/dashboard/{platformId}`, for whose role has the permission there."""

    async def find(
        request: Request,
        db: Db,
        user: SignedIn,
        platform_id: Annotated[str, Path(alias="platformId", max_length=255)],
    ) -> PlatformContext:
        return (await _at(PlatformContext, request, db, user, platform_id, permission))[0]

    return find


def in_project(permission: Permission) -> Callable[..., Awaitable[ProjectContext]]:
    """A dependency: a page under `/dashboard/{projectId}/{mode}`, for whose role has the permission there."""

    async def find(
        request: Request,
        db: Db,
        authenticator: AuthenticatorDep,
        user: SignedIn,
        project_id: Annotated[str, Path(alias="projectId", max_length=255)],
        mode: Mode,
    ) -> ProjectContext:
        project = await authenticator.find_project(project_id)
        if project is None:
            raise NotFound("Page not found.")
        at, offsets = await _at(PlatformContext, request, db, user, project.platform_id, permission)
        return ProjectContext(
            at.user,
            at.platform,
            at.role,
            at.projects,
            at.is_operators,
            CurrentProject(project, mode),
            project=project,
            mode=mode,
            ahead=await _clock_offset(db, project, mode, offsets),
        )

    return find


async def _refunding(visit: Annotated[ProjectContext, Depends(in_project("refund_some"))]) -> ProjectContext:
    """Without a refund limit of the project, members cannot refund."""
    if visit.project.refund_limit is None:
        platforms.require_permission(visit.role, "refund")
    return visit


# Pages of a platform.
PlatformPage = Annotated[PlatformContext, Depends(at_platform("view"))]
PlatformPageCanManageTeam = Annotated[PlatformContext, Depends(at_platform("team"))]
PlatformPageCanManage = Annotated[PlatformContext, Depends(at_platform("manage"))]
PlatformPageCanManageBilling = Annotated[PlatformContext, Depends(at_platform("bill"))]
PlatformPageIsOwner = Annotated[PlatformContext, Depends(at_platform("own"))]
# Pages of a project and mode.
ProjectPage = Annotated[ProjectContext, Depends(in_project("view"))]
ProjectPageCanSell = Annotated[ProjectContext, Depends(in_project("sell"))]
ProjectPageCanRefund = Annotated[ProjectContext, Depends(_refunding)]
ProjectPageCanManage = Annotated[ProjectContext, Depends(in_project("manage"))]


def on_operator_platform(permission: Permission) -> Callable[..., Awaitable[OperatorContext]]:
    """A dependency: a page of the whole instance, for whose role on the operator's platform has the permission."""

    async def find(request: Request, db: Db, user: SignedIn) -> OperatorContext:
        async with db.read() as tx:
            operator = await platforms.operator_platform(tx)
        return (await _at(OperatorContext, request, db, user, operator.id, permission))[0]

    return find


# Pages of the whole instance.
OperatorPage = Annotated[OperatorContext, Depends(on_operator_platform("view"))]
OperatorPageCanManage = Annotated[OperatorContext, Depends(on_operator_platform("manage"))]

# Exports of whole lists: every route of one takes one of these, and every Export button asks `may(EXPORT)`.
EXPORT: Permission = "manage"
ProjectExport = Annotated[ProjectContext, Depends(in_project(EXPORT))]
PlatformExport = Annotated[PlatformContext, Depends(at_platform(EXPORT))]
OperatorExport = Annotated[OperatorContext, Depends(on_operator_platform(EXPORT))]
