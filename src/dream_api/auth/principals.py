"""Principals: authenticated callers with the project and mode, or the platform, that they act in."""

from dataclasses import dataclass

from dream_api.accounts import Role
from dream_api.audit import Actor, Stream
from dream_api.platforms import Mode, Permission, Platform, Project, ProjectScope, has_permission


@dataclass(frozen=True, slots=True)
class ProjectPrincipal:
    """A caller in a project and mode: its server, a browser, or a developer in a role."""

    project: Project
    mode: Mode
    # Whose idempotency keys these are.
    caller: str
    # None: a key of the project, not a person.
    role: Role | None = None
    # Who it is, where a person is known, and how others know them.
    user_id: str | None = None
    shown_name: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether the caller has the permission; a server has all of them."""
        return self.role is None or has_permission(self.role, permission)

    def actor(self, address: str | None) -> Actor:
        """As the security log knows them."""
        kind, _, rest = self.caller.partition(":")
        if kind == "user" and self.user_id is not None:
            return Actor("user", self.user_id, self.shown_name, address or "")
        return Actor("token" if kind == "token" else "key", rest.partition(":")[0], self.shown_name, address or "")

    @property
    def platform_id(self) -> str:
        return self.project.platform_id

    @property
    def platform_no(self) -> int:
        return self.project.platform_no

    @property
    def log_stream(self) -> Stream:
        return self.project.log_stream

    @property
    def project_id(self) -> str:
        return self.project.id

    @property
    def project_no(self) -> int:
        return self.project.no

    @property
    def scope(self) -> ProjectScope:
        return ProjectScope(self.platform_no, self.project_id, self.mode)

    @property
    def plans_name(self) -> str:
        """The cache key of the project's tiers in this mode."""
        return f"{self.project_id}:{self.mode}"


@dataclass(frozen=True, slots=True)
class PlatformPrincipal:
    """A developer on a platform, in a role."""

    platform: Platform
    role: Role
    caller: str
    # Who it is, where a person is known.
    user_id: str | None = None
    # How others know them.
    shown_name: str = ""

    @property
    def platform_id(self) -> str:
        return self.platform.id

    @property
    def platform_no(self) -> int:
        return self.platform.no

    @property
    def log_stream(self) -> Stream:
        return self.platform.log_stream

    def may(self, permission: Permission) -> bool:
        return has_permission(self.role, permission)

    def actor(self, address: str | None) -> Actor:
        """As the security log knows them."""
        if self.user_id is not None:
            return Actor("user", self.user_id, self.shown_name, address or "")
        return Actor("token", self.caller.removeprefix("token:"), self.shown_name, address or "")
