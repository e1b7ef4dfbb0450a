"""Renders the page of keys, for all views that change them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from dream_api import accounts, keys, platforms
from dream_api.core.db import Database, Row, Tx
from dream_api.core.errors import NotFound
from dream_api.core.http import Form
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage
from dream_api.dashboard.forms import FormErrors
from dream_api.dashboard.layout import render_page
from dream_api.keys import IssuedKey
from dream_api.platforms import Mode, Permission

_USER = "user:"
_MASK = "•" * 12
# How many characters of a key without a name are its name.
_TAIL = 4


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as the page shows it."""

    row: Row[Any]
    created_by: str
    now: int

    @property
    def is_working(self) -> bool:
        return self.row.revoked_at is None and not self.has_expired

    @property
    def has_expired(self) -> bool:
        return self.row.expires_at is not None and self.row.expires_at <= self.now

    @property
    def may_be_revealed(self) -> bool:
        return self.is_working and self.row.sealed is not None

    @property
    def masked(self) -> str:
        """`sk_test_••••••••••••a71e`."""
        prefix, mode, _ = self.row.shown.split("_", 2)
        return f"{prefix}_{mode}_{_MASK}{self.row.shown[-_TAIL:]}"

    @property
    def called(self) -> str:
        """What is typed to revoke it."""
        return self.row.name or self.row.shown[-_TAIL:]


def permission_in(mode: Mode) -> Permission:
    """The permission to create, rotate and revoke keys of a mode."""
    return "manage" if mode == "live" else "test_keys"


async def _require_key_permission(visit: ProjectPage) -> ProjectContext:
    platforms.require_permission(visit.role, permission_in(visit.mode))
    return visit


# For those who can create and revoke keys of the mode.
KeysPage = Annotated[ProjectContext, Depends(_require_key_permission)]


async def keys_of(tx: Tx, visit: ProjectContext) -> list[KeyRow]:
    """Newest first."""
    rows = await keys.of_project(tx, visit.platform_no, visit.project.id, visit.mode)
    names = await _names_of(tx, rows)
    now = visit.real_now
    return [KeyRow(row, names.get(row.created_by) or str(row.created_by), now) for row in reversed(rows)]


async def find_key(tx: Tx, visit: ProjectContext, key_id: str) -> KeyRow:
    """A key of this project and mode; NotFound where there is none."""
    found = next((key for key in await keys_of(tx, visit) if key.row.id == key_id), None)
    if found is None:
        raise NotFound("API key not found.", hint="Reload the API keys page.")
    return found


async def _names_of(tx: Tx, rows: Sequence[Row[Any]]) -> dict[str, str]:
    """The names of those who created the keys."""
    users = {row.created_by.removeprefix(_USER) for row in rows if row.created_by.startswith(_USER)}
    found = await accounts.users_by_id(tx, sorted(users)) if users else ()
    return {f"{_USER}{user.id}": user.name or user.email for user in found}


async def show_keys(
    db: Database,
    visit: ProjectContext,
    *,
    issued: Sequence[IssuedKey] = (),
    revealed: dict[str, str] | None = None,
    form: Form | None = None,
    problems: FormErrors | None = None,
) -> Response:
    """`issued` keys are shown here and never again; `revealed`: test keys by their ids; `problems`: of a form of it."""
    async with db.read() as tx:
        known = await keys_of(tx, visit)
    return render_page(
        visit,
        "keys/keys.html",
        here="keys",
        status=422 if problems else 200,
        mode_path="/keys",
        publishable=[key for key in known if key.row.kind == "publishable" and key.is_working],
        secret=[key for key in known if key.row.kind == "secret" and key.is_working],
        ended=[key for key in known if not key.is_working],
        may_keep=visit.may(permission_in(visit.mode)),
        may_reveal=visit.mode == "test" and visit.may("manage"),
        issued=issued,
        revealed=revealed or {},
        form=form or {},
        problems=problems or {},
    )


def show_revoking(visit: ProjectContext, key: KeyRow, problems: FormErrors | None = None) -> Response:
    return render_page(
        visit, "keys/revoke.html", here="keys", status=422 if problems else 200, key=key, problems=problems or {}
    )
