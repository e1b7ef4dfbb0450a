"""Deletion of platforms and projects: a closed platform's keys are rejected, it sells nothing any more, and after 14
days it is purged."""

from dream_api import billing, catalog, keys, platforms
from dream_api.core import jobs
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict
from dream_api.platforms import Mode, Platform, Project
from dream_api.tenancy.level_usage import home_scope

# The job that ends what a closed platform or a deleted project sells.
CLOSURE = "retention.closure"


class LevelSubscriptionActive(Conflict):
    code = "level_subscription_active"
    hint = "Cancel the subscription first, in the customer portal that the page Level links to."


class LivePaymentsExist(Conflict):
    code = "live_payments_exist"
    hint = "Its payments must remain readable. Revoke its keys and hide its tiers, so that nothing more can be sold."


async def close_platform(tx: Tx, platform: Platform, mode: Mode) -> Platform:
    """Close the platform: from now on its keys are rejected and nothing is sold; after the grace period it is purged.

    LevelSubscriptionActive while a subscription pays for its level and would renew; `mode`: in which levels are sold.
    """
    await platforms.lock_platform(tx, platform.no)
    await _require_not_paying(tx, platform, mode)
    closed = await platforms.request_deletion(tx, platform)
    await keys.invalidate_keys(tx, platform.no)
    await jobs.enqueue(tx, CLOSURE, {}, platform_no=platform.no)
    return closed


async def reopen_platform(tx: Tx, platform: Platform) -> Platform:
    """Cancel the platform's deletion; subscriptions that were to end because of it go on."""
    reopened = await platforms.cancel_deletion(tx, platform)
    await keys.invalidate_keys(tx, platform.no)
    await jobs.enqueue(tx, CLOSURE, {}, platform_no=platform.no)
    return reopened


async def delete_project(tx: Tx, project: Project) -> None:
    """Delete the project and revoke its keys; LivePaymentsExist where real payments were made in it."""
    await platforms.lock_project(tx, project.platform_no, project.id)
    if await billing.has_payments(tx, project.platform_no, project.id, "live"):
        raise LivePaymentsExist(f"{project.name} has live payments, so it cannot be deleted.", param="id")
    await platforms.delete_project(tx, project)
    for key in await keys.of_project(tx, project.platform_no, project.id):
        if key.revoked_at is None:
            await keys.revoke(tx, project.platform_no, key.id)
    await jobs.enqueue(tx, CLOSURE, {}, platform_no=project.platform_no)


async def _require_not_paying(tx: Tx, platform: Platform, mode: Mode) -> None:
    scope = home_scope(await catalog.find_home(tx), mode)
    paying = await billing.granting_subscriptions_of_user(tx, scope, platform.id)
    if any(subscription.cancel_at is None for subscription in paying):
        raise LevelSubscriptionActive("The platform still has an active subscription to its level.")
