"""Lifecycle of platforms and projects: renaming, refund limits, deletion and its cancellation."""

from dataclasses import replace

from dream_api.core import clock, money
from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, NotFound, ValidationFailed
from dream_api.platforms import queries
from dream_api.platforms.rules import CACHE_KIND, Platform, Project, RefundLimit, project_from, validate_name

# How long the deletion of a platform can be cancelled.
GRACE = 14 * clock.DAY
_LARGEST_REFUND_LIMIT = 10**12


class OperatorProjectRequired(Conflict):
    code = "operator_project_required"
    hint = "It sells the levels of this instance. You can delete other projects and platforms."


async def rename(tx: Tx, platform: Platform, name: str) -> Platform:
    named = replace(platform, name=validate_name(name))
    await queries.update_platform(tx, platform.no, {"name": named.name})
    return named


async def change_project(
    tx: Tx,
    project: Project,
    *,
    name: str | None = None,
    refund_limit: RefundLimit | None = None,
    no_limit: bool = False,
) -> Project:
    """In force in every process within a second; `no_limit`: members give nothing back any more."""
    values: dict[str, str | int | None] = {}
    if name is not None:
        values["name"] = validate_name(name)
    if refund_limit is not None:
        proper = validate_refund_limit(refund_limit)
        values |= {"refund_limit_amount": proper.amount, "refund_limit_currency": proper.currency}
    elif no_limit:
        values |= {"refund_limit_amount": None, "refund_limit_currency": None}
    if values:
        await queries.update_project(tx, project.platform_no, project.id, values)
        await invalidate(tx, CACHE_KIND, project.id)
    changed = await queries.project_by_id(tx, project.id)
    if changed is None:
        raise NotFound("Project not found.", param="id")
    return project_from(changed)


def validate_refund_limit(limit: RefundLimit) -> RefundLimit:
    currency = limit.currency.lower()
    if currency not in money.CURRENCIES:
        raise ValidationFailed(
            "This is not a valid currency code.", param="refundLimit", hint="Send an ISO code, such as usd."
        )
    if not 0 < limit.amount <= _LARGEST_REFUND_LIMIT:
        raise ValidationFailed("The refund limit must be greater than zero, in minor units.", param="refundLimit")
    return RefundLimit(limit.amount, currency)


async def delete_project(tx: Tx, project: Project) -> None:
    """It is gone for everybody within a second; a job takes what was in it. Its keys are the caller's to revoke."""
    if project.id == await queries.home_project_id(tx):
        raise OperatorProjectRequired(
            f"The project {project.name} sells the levels of this instance and cannot be deleted.", param="id"
        )
    await queries.update_project(tx, project.platform_no, project.id, {"deleted_at": clock.now()})
    await invalidate(tx, CACHE_KIND, project.id)


async def request_deletion(tx: Tx, platform: Platform) -> Platform:
    """Schedule the deletion of the platform after the grace period; where it is scheduled already, that stays."""
    home = await queries.project_by_id(tx, await queries.home_project_id(tx) or "")
    if home is not None and home.platform_no == platform.no:
        raise OperatorProjectRequired("The operator's platform cannot be deleted.", param="platform")
    if platform.deletes_at is not None:
        return platform
    asked = replace(platform, deletes_at=clock.now() + GRACE)
    await queries.update_platform(tx, platform.no, {"deletes_at": asked.deletes_at})
    return asked


async def cancel_deletion(tx: Tx, platform: Platform) -> Platform:
    """Cancel the scheduled deletion; NotFound when it is too late."""
    await queries.lock_platform(tx, platform.no)
    row = await queries.platform_by_number(tx, platform.no)
    if row is None or (row.deletes_at is not None and row.deletes_at <= clock.now()):
        raise NotFound("The platform is being deleted.")
    await queries.update_platform(tx, platform.no, {"deletes_at": None})
    return replace(platform, deletes_at=None)


async def mark_purged(tx: Tx, project: Project) -> None:
    """What was in a deleted project is gone."""
    await queries.update_project(tx, project.platform_no, project.id, {"name": "Deleted", "purged_at": clock.now()})


async def delete_platform(tx: Tx, platform: Platform) -> None:
    """Nothing else is left of it."""
    await queries.delete_platform(tx, platform.no)


async def mark_erased(tx: Tx, platform: Platform) -> None:
    """All of the platform is gone but what the law keeps."""
    await queries.update_platform(tx, platform.no, {"name": "Deleted", "gone_at": clock.now()})
