"""Creation of an instance: the rows that every instance begins with, in one transaction, and its instance key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dream_api import audit, catalog, keys, platforms
from dream_api.core import clock
from dream_api.core.db import Row, Tx
from dream_api.core.secrets import InstanceKey, create_instance_key
from dream_api.core.settings import Settings
from dream_api.operations.instance_key import record_fingerprint
from dream_api.platforms import Mode, Platform, Project

# What it is called at first; its developers may rename it.
FIRST_PROJECT = "My first project"
_MODE: Mode = "test"
_FIRST_PROJECT_ID = "first_project_id"
_CREATED_BY = "operator"


@dataclass(frozen=True, slots=True)
class FirstProject:
    """The project that an instance begins with, and its test keys."""

    platform: Platform
    project: Project
    publishable_key: str
    secret_key: str


async def is_created(tx: Tx) -> bool:
    return await platforms.home_project_id(tx) is not None


async def create_instance(tx: Tx, settings: Settings) -> bool:
    """The operator's platform, the project of the levels, a first project with its test keys, and the instance key.

    False where another process was first: nothing was created then.
    """
    await platforms.next_platform_number(tx, 0)
    if await is_created(tx):
        return False
    # Before anything is sealed is committed, and while nobody else can create another one.
    key = create_instance_key(settings)
    await record_fingerprint(tx, key)
    await catalog.ensure_home(tx)
    platform = await platforms.operator_platform(tx)
    project = await catalog.create_project_with_defaults(tx, platform, FIRST_PROJECT, "saas", platforms.MODES)
    await platforms.set_instance_value(tx, _FIRST_PROJECT_ID, project.id)
    await keys.issue_pair(tx, project, _MODE, instance_key=key, created_by=_CREATED_BY)
    by, details = audit.OPERATOR, {"keys": _MODE}
    await audit.record(tx, platform.log_stream, "project.created", by=by, about=project.id, details=details)
    return True


async def load_first_project(tx: Tx) -> Project | None:
    """Without its keys; None where it was deleted, and in instances of earlier releases."""
    return await platforms.load_project(tx, await platforms.get_instance_value(tx, _FIRST_PROJECT_ID) or "")


async def find_first_project(tx: Tx, key: InstanceKey) -> FirstProject | None:
    """None where it was deleted, or its test keys no longer work or cannot be shown."""
    project = await load_first_project(tx)
    if project is None:
        return None
    rows = await keys.of_project(tx, project.platform_no, project.id, _MODE)
    publishable, secret = (_newest_shown(rows, kind, key) for kind in ("publishable", "secret"))
    if publishable is None or secret is None:
        return None
    return FirstProject(await platforms.get(tx, project.platform_no), project, publishable, secret)


def _newest_shown(rows: Sequence[Row[Any]], kind: str, key: InstanceKey) -> str | None:
    working = [row for row in reversed(rows) if row.kind == kind and row.revoked_at is None and _lasts(row)]
    shown = (keys.reveal_if_decryptable(row, key) for row in working if kind == "publishable" or row.sealed is not None)
    return next(filter(None, shown), None)


def _lasts(row: Row[Any]) -> bool:
    """Those that end within a day are left out."""
    return row.expires_at is None or row.expires_at > clock.now() + clock.DAY
