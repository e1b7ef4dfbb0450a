"""Actions of the security log: their names and descriptions."""

from collections.abc import Mapping
from types import MappingProxyType

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        # People.
        "user.signed_up": "Signed up",
        "user.verified": "Verified the email address",
        "user.changed": "Changed the account",
        "user.email_changed": "Changed the email address",
        "user.deleted": "Deleted the account",
        "session.opened": "Signed in",
        "session.refused": "Failed to sign in",
        "session.ended": "Ended a session",
        "sessions.ended": "Ended all other sessions",
        "account.locked": "Locked the account after too many failed attempts",
        "account.unlocked": "Unlocked the account",
        "password.changed": "Changed the password",
        "password.reset_asked": "Requested a password reset",
        "password.reset": "Reset the password",
        "totp.enabled": "Turned on two-factor authentication",
        "totp.disabled": "Turned off two-factor authentication",
        "recovery.renewed": "Created new recovery codes",
        "recovery.used": "Signed in with a recovery code",
        "identity.linked": "Linked a single sign-on account",
        "identity.unlinked": "Unlinked a single sign-on account",
        # Members.
        "member.invited": "Invited a member",
        "member.uninvited": "Revoked an invitation",
        "member.declined": "Declined an invitation",
        "member.joined": "Joined the platform",
        "member.role_changed": "Changed a role",
        "member.removed": "Removed a member",
        "member.left": "Left the platform",
        "owner.transferred": "Transferred ownership",
        # Keys and tokens.
        "key.issued": "Created an API key",
        "key.rotated": "Rotated an API key",
        "key.revoked": "Revoked an API key",
        "key.revealed": "Revealed a test API key",
        "key.limited": "Changed the rate limit of an API key",
        "key.changed": "Changed an API key",
        "token.issued": "Created a personal token",
        "token.revoked": "Revoked a personal token",
        # Projects and platforms.
        "platform.created": "Created the platform",
        "platform.changed": "Changed the platform",
        "platform.deletion_asked": "Requested deletion of the platform",
        "platform.deletion_stopped": "Canceled the deletion of the platform",
        "platform.deleted": "Deleted the platform",
        "project.created": "Created a project",
        "project.changed": "Changed a project",
        "project.deleted": "Deleted a project",
        "origins.changed": "Changed the origins",
        "clock.moved": "Advanced the test clock",
        "log.exported": "Exported the security log",
        # What is sold.
        "tier.created": "Created a plan or product",
        "tier.changed": "Changed a plan or product",
        "tier.archived": "Archived a plan or product",
        "coupon.created": "Created a coupon",
        "coupon.changed": "Changed a coupon",
        "coupon.archived": "Archived a coupon",
        "checkout.made": "Created a payment link",
        "subscription.changed": "Changed a subscription",
        "subscription.canceled": "Canceled a subscription",
        "subscription.resumed": "Resumed a subscription",
        "order.canceled": "Canceled an order",
        "payment.refunded": "Refunded a payment",
        "order.refunded": "Refunded an order",
        "asset.deleted": "Deleted a file",
        "customer.changed": "Changed a customer",
        "customer.blocked": "Blocked a customer",
        "customer.unblocked": "Unblocked a customer",
        "customer.deleted": "Deleted a customer",
        # Where money goes, and what the platform itself pays.
        "gateway.connected": "Connected a payment gateway",
        "gateway.disconnected": "Disconnected a payment gateway",
        "project.promoted": "Went live",
        "level.changed": "Changed the platform's level",
        "levels.changed": "Changed a level of the instance",
        "instance_key.replaced": "Replaced the instance key",
    }
)


class NotDeclared(LookupError):
    """An action was recorded that is not declared: a typing error."""


def require_declared(action: str) -> None:
    if action not in ACTIONS:
        raise NotDeclared(f"The action {action!r} is not declared.")
