"""The quickstart project: test keys that the server prints when it is started from a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api import keys, platforms
from dream_api.catalog.rules import create_project_with_defaults
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.secrets import DecryptionFailed, InstanceKey
from dream_api.platforms import MODES, Mode, Platform, Project

NAME = "Quickstart"
_MODE: Mode = "test"
_MADE_BY = "quickstart"


@dataclass(frozen=True, slots=True)
class Quickstart:
    """The project, and its test keys."""

    project: Project
    publishable_key: str
    secret_key: str


async def ensure(tx: Tx, instance_key: InstanceKey) -> Quickstart:
    """The project of that name on the operator's platform, with keys that work; what is missing is made."""
    operator = await platforms.operator_platform(tx)
    project = await _find(tx, operator) or await create_project_with_defaults(tx, operator, NAME, "saas", MODES)
    rows = await keys.of_project(tx, project.platform_id, project.id, _MODE)
    publishable = next((row.shown for row in _working(rows, "publishable")), None)
    secret = next(filter(None, (_opened(row, instance_key) for row in _working(rows, "secret"))), None)
    if publishable is None:
        publishable = await _issue(tx, project, "publishable", instance_key)
    return Quickstart(project, publishable, secret or await _issue(tx, project, "secret", instance_key))


async def _find(tx: Tx, operator: Platform) -> Project | None:
    for row in await platforms.all_projects(tx):
        if (row.platform_id, row.name, row.type) == (operator.id, NAME, "saas"):
            return await platforms.find_project(tx, row.id)
    return None


def _working(rows: Sequence[Row[Any]], kind: keys.Kind) -> list[Row[Any]]:
    """Newest first; those that end soon are left aside."""
    return [row for row in reversed(rows) if row.kind == kind and row.revoked_at is None and _lasts(row)]


def _lasts(row: Row[Any]) -> bool:
    return row.expires_at is None or row.expires_at > clock.now() + clock.DAY


def _opened(row: Row[Any], instance_key: InstanceKey) -> str | None:
    try:
        return keys.reveal(row, instance_key)
    except DecryptionFailed:
        return None


async def _issue(tx: Tx, project: Project, kind: keys.Kind, instance_key: InstanceKey) -> str:
    issued = await keys.issue(tx, project, _MODE, kind, instance_key=instance_key, created_by=_MADE_BY)
    return issued.token
