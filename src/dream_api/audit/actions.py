"""Actions of the security log: their names and descriptions."""

from collections.abc import Mapping
from types import MappingProxyType

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        # People.
        "user.signed_up": "Signed up",
        "user.verified": "Verified the e-mail address",
        "user.changed": "Changed the account",
        "user.email_changed": "Changed the e-mail address",
        "user.deleted": "Deleted the account",
        "session.opened": "Signed in",
        "session.refused": "Was refused to sign in",
        "session.ended": "Ended a session",
        "sessions.ended": "Ended all other sessions",
        "account.locked": "Locked after too many attempts",
        "account.unlocked": "Unlocked",
        "password.changed": "Changed the password",
        "password.reset_asked": "Asked to reset the password",
        "password.reset": "Reset the password",
        "totp.enabled": "Turned on one-time codes",
        "totp.disabled": "Turned off one-time codes",
        "recovery.renewed": "Made new recovery codes",
        "recovery.used": "Signed in by a recovery code",
        "identity.linked": "Linked a sign-in",
        "identity.unlinked": "Unlinked a sign-in",
        # Members.
        "member.invited": "Invited somebody",
        "member.uninvited": "Took an invitation back",
        "member.joined": "Joined",
        "member.role_changed": "Changed a role",
        "member.removed": "Removed a member",
        "member.left": "Left",
        "owner.transferred": "Handed ownership over",
        # Keys and tokens.
        "key.issued": "Made a key",
        "key.rotated": "Rotated a key",
        "key.revoked": "Revoked a key",
        "key.revealed": "Revealed a test key",
        "key.limited": "Changed a key's limit",
        "key.changed": "Changed a key",
        "token.issued": "Made a personal token",
        "token.revoked": "Revoked a personal token",
        # Projects and platforms.
        "platform.created": "Made the platform",
        "platform.changed": "Changed the platform",
        "platform.deletion_asked": "Asked to delete the platform",
        "platform.deletion_stopped": "Stopped the deletion",
        "platform.deleted": "Deleted the platform",
        "project.created": "Made a project",
        "project.changed": "Changed a project",
        "project.deleted": "Deleted a project",
        "origins.changed": "Changed the origins",
        "clock.moved": "Moved the test clock",
        "log.exported": "Exported the security log",
        # What is sold.
        "tier.created": "Made a tier",
        "tier.changed": "Changed a tier",
        "tier.archived": "Archived a tier",
        "coupon.created": "Made a coupon",
        "coupon.changed": "Changed a coupon",
        "coupon.archived": "Archived a coupon",
        "checkout.made": "Made a link to a checkout",
        "subscription.changed": "Changed a subscription",
        "subscription.canceled": "Canceled a subscription",
        "subscription.resumed": "Resumed a subscription",
        "order.canceled": "Canceled an order",
        "payment.refunded": "Refunded a payment",
        "order.refunded": "Refunded an order",
        "asset.deleted": "Deleted a file",
        "customer.changed": "Changed a customer",
        "customer.blocked": "Blocked a customer",
        "customer.unblocked": "Let a customer in again",
        "customer.deleted": "Deleted a customer",
        # Where money goes, and what the platform itself pays.
        "gateway.connected": "Connected a gateway",
        "gateway.disconnected": "Disconnected a gateway",
        "project.promoted": "Went live",
        "level.changed": "Changed the platform's level",
        "levels.changed": "Changed a level of the instance",
    }
)


class NotDeclared(LookupError):
    """An action was recorded that is not declared: a typing error."""


def require_declared(action: str) -> None:
    if action not in ACTIONS:
        raise NotDeclared(f"Nobody declared the action {action!r}.")
