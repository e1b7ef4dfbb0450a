"""Platforms and projects: creation and look-up."""

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Row

from dream_api.audit import Stream
from dream_api.core import clock, ids
from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden, NotFound, ValidationFailed
from dream_api.platforms import queries
from dream_api.platforms.closure import require_open
from dream_api.platforms.sequences import next_customer_number, next_number, next_platform_number

Mode = Literal["test", "live"]
ProjectType = Literal["saas", "store"]
MODES: tuple[Mode, ...] = get_args(Mode)
# Projects are cached by their ids.
CACHE_KIND = "project"
_LONGEST_NAME = 120


class SaasProjectRequired(Forbidden):
    code = "saas_only"
    hint = "Use the key of a saas project."


@dataclass(frozen=True, slots=True)
class Platform:
    """A tenant."""

    id: str
    no: int
    name: str
    # When all of it goes, where its deletion was asked for.
    deletes_at: int | None = None

    @property
    def log_stream(self) -> Stream:
        """Its stream of the security log."""
        return Stream(self.id, self.no)


@dataclass(frozen=True, slots=True)
class RefundLimit:
    """How much of a payment in that currency a member may give back, in minor units."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Project:
    """What a platform sells; its type never changes. `origins`: its own websites (`platforms.origins`)."""

    platform_id: str
    platform_no: int
    id: str
    no: int
    name: str
    type: ProjectType
    origins: tuple[str, ...] = ()
    # None: members give nothing back.
    refund_limit: RefundLimit | None = None
    created_at: int = 0

    @property
    def log_stream(self) -> Stream:
        """Its platform's stream of the security log."""
        return Stream(self.platform_id, self.platform_no)


def mode_no(mode: Mode) -> int:
    """How a mode is written in the tables of the metered call."""
    return MODES.index(mode)


async def create(tx: Tx, name: str) -> Platform:
    platform = Platform(ids.new("plt"), await next_platform_number(tx), validate_name(name))
    await queries.insert_platform(
        tx, {"id": platform.id, "no": platform.no, "name": platform.name, "created_at": clock.now()}
    )
    await next_customer_number(tx, platform.no, 0)  # begun here, so that a refused first call writes nothing
    return platform


async def create_project(tx: Tx, platform: Platform, name: str, project_type: ProjectType) -> Project:
    """A new project; raises PlatformClosing."""
    await require_open(tx, platform.no)
    project = Project(
        platform_id=platform.id,
        platform_no=platform.no,
        id=ids.new("prj"),
        no=await next_number(tx, platform.no, "projects"),
        name=validate_name(name),
        type=project_type,
        created_at=clock.now(),
    )
    row = {name: getattr(project, name) for name in ("id", "no", "name", "type", "created_at")}
    await queries.insert_project(tx, platform.no, row)
    return project


async def rename_project(tx: Tx, project: Project, name: str) -> None:
    """In force everywhere within a second."""
    await queries.set_project_name(tx, project.platform_no, project.id, validate_name(name))
    await invalidate(tx, CACHE_KIND, project.id)


async def find(tx: Tx, platform_id: str) -> Platform:
    row = await queries.platform_by_id(tx, platform_id)
    if row is None:
        raise NotFound(
            "Platform not found.",
            param="platform",
            hint="`dream-api platform list` lists all platforms.",
        )
    return platform_from(row)


async def get(tx: Tx, platform_no: int) -> Platform:
    """The platform with this number, which is known to exist."""
    row = await queries.platform_by_number(tx, platform_no)
    assert row is not None
    return platform_from(row)


async def find_project(tx: Tx, project_id: str) -> Project:
    """For operators: the project, on any platform."""
    found = await load_project(tx, project_id)
    if found is None:
        raise NotFound("Project not found.", param="project", hint="`dream-api project list` lists all projects.")
    return found


async def load_project(tx: Tx, project_id: str) -> Project | None:
    """The project on any platform, for callers whose access is checked later."""
    row = await queries.project_by_id(tx, project_id)
    return None if row is None else project_from(row)


async def projects_of(tx: Tx, platform_no: int, *, limit: int) -> list[Project]:
    """The platform's projects, oldest first, so many at most."""
    return [project_from(row) for row in await queries.projects_of(tx, platform_no, limit=limit)]


async def operator_platform(tx: Tx) -> Platform:
    """The platform of those who run this instance."""
    platform_no = await queries.platform_no_of_project(tx, await queries.home_project_id(tx) or "")
    if platform_no is None:
        raise NotFound("The operator's platform was not found.", hint="`dream-api init` creates the instance.")
    return await get(tx, platform_no)


async def list_projects(tx: Tx, platform_no: int, *, limit: int, after: str | None) -> list[Project]:
    """The platform's projects, newest first; `after`: those following the project of that id."""
    return [project_from(row) for row in await queries.page_of_projects(tx, platform_no, limit=limit, after=after)]


def platform_from(row: Row[Any]) -> Platform:
    return Platform(row.id, row.no, row.name, row.deletes_at)


def project_from(row: Row[Any]) -> Project:
    limit = None
    if row.refund_limit_amount is not None:
        limit = RefundLimit(row.refund_limit_amount, row.refund_limit_currency)
    origins = tuple(json.loads(row.origins))
    return Project(row.platform_id, row.platform_no, row.id, row.no, row.name, row.type, origins, limit, row.created_at)


def validate_name(name: str, param: str = "name") -> str:
    """The name without spaces around it, where people can read it."""
    proper = name.strip()
    if not proper or len(proper) > _LONGEST_NAME or not proper.isprintable():
        raise ValidationFailed(f"A name must be 1 to {_LONGEST_NAME} printable characters.", param=param)
    return proper
