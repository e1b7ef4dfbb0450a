"""What each role may do on its platform: one table."""

from dataclasses import dataclass
from typing import Literal

from dream_api.accounts import Role
from dream_api.core.errors import Forbidden

Permission = Literal["view", "sell", "test_keys", "refund_some", "refund", "team", "manage", "bill", "own"]

PERMISSIONS: dict[Permission, tuple[Role, ...]] = {
    # See everything but secrets.
    "view": ("owner", "admin", "member", "viewer"),
    # Catalogue, customers, checkouts, orders.
    "sell": ("owner", "admin", "member"),
    # The keys of test mode.
    "test_keys": ("owner", "admin", "member"),
    # Refunds up to the project's limit.
    "refund_some": ("owner", "admin", "member"),
    # Any refund.
    "refund": ("owner", "admin"),
    # Who works here, and as what; owners are made and removed by owners.
    "team": ("owner", "admin"),
    # Live keys, origins, settings, going live.
    "manage": ("owner", "admin"),
    # The platform's own level, and where its money goes.
    "bill": ("owner",),
    # The platform itself: whose it is, and whether it goes on.
    "own": ("owner",),
}


@dataclass(frozen=True, slots=True)
class Right:
    """A line of the table as people read it."""

    words: str
    permission: Permission


# docs/guide/team.md shows it.
TABLE = (
    Right("View content", "view"),
    Right("View analytics", "view"),
    Right("Create and edit pages", "sell"),
    Right("Manage products", "sell"),
    Right("Customers", "sell"),
    Right("Webhooks", "sell"),
    Right("Test keys", "test_keys"),
    Right("Refunds up to the project's limit", "refund_some"),
    Right("Any refund", "refund"),
    Right("Manage team members", "team"),
    Right("Live keys", "manage"),
    Right("Origins", "manage"),
    Right("Settings", "manage"),
    Right("Go live", "manage"),
    Right("Export", "manage"),
    Right("Security log", "manage"),
    Right("Connect Stripe", "bill"),
    Right("Billing and level", "bill"),
    Right("Transfer the platform", "own"),
    Right("Delete the platform", "own"),
)


class PermissionDenied(Forbidden):
    code = "permission_denied"
    hint = "Ask a member who has such a role. The page Members shows the role of each member."


def has_permission(role: Role, permission: Permission) -> bool:
    return role in PERMISSIONS[permission]


def require_permission(role: Role, permission: Permission) -> None:
    """Raises PermissionDenied where the role does not have the permission."""
    if not has_permission(role, permission):
        *others, last = PERMISSIONS[permission]
        needed = f"{', '.join(others)} or {last}" if others else last
        raise PermissionDenied(f"This requires the role {needed}; yours is {role}.")
