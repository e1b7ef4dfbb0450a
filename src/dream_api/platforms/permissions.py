"""What each role may do on its platform: one table."""

from typing import Literal

from dream_api.accounts import Role
from dream_api.core.errors import Forbidden

Permission = Literal["view", "sell", "test_keys", "refund", "manage", "bill"]

PERMISSIONS: dict[Permission, tuple[Role, ...]] = {
    # See everything but secrets.
    "view": ("owner", "admin", "member", "viewer"),
    # Catalogue, customers, checkouts, orders.
    "sell": ("owner", "admin", "member"),
    # The keys of test mode.
    "test_keys": ("owner", "admin", "member"),
    # Any refund.
    "refund": ("owner", "admin"),
    # Live keys, origins, settings, going live.
    "manage": ("owner", "admin"),
    # The platform's own level, and where its money goes.
    "bill": ("owner",),
}


class RoleForbids(Forbidden):
    code = "role_forbids"
    hint = "Ask somebody who has such a role, or use their token; `dream-api token list` shows the roles of all."


def allows(role: Role, permission: Permission) -> bool:
    return role in PERMISSIONS[permission]


def refuse_role(role: Role, permission: Permission) -> None:
    """Raises RoleForbids where the role does not allow it."""
    if not allows(role, permission):
        *others, last = PERMISSIONS[permission]
        needed = f"{', '.join(others)} or {last}" if others else last
        raise RoleForbids(f"This takes the role {needed}; yours is {role}.")
