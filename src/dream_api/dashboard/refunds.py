"""Refunds by a form: what is sent twice refunds once, and members refund up to the project's limit."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request

from dream_api import billing
from dream_api.billing import BillingContext
from dream_api.core.db import Row, Tx
from dream_api.core.errors import Conflict, Invalid
from dream_api.core.http import Form
from dream_api.core.idempotency import IdempotentRequest
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext
from dream_api.gateways.contract import GatewayAccount

ERRORS = (Invalid, Conflict, billing.RefundLimitExceeded)
_LONGEST_ONCE = 64
# What is refunded: where it was paid, the payment, and how the refund is created.
Prepared = tuple[GatewayAccount, Row[Any], Callable[[IdempotentRequest | None], Awaitable[Row[Any]]]]


async def submit_refund(
    request: Request,
    billing_context: BillingContext,
    visit: ProjectContext,
    form: Form,
    prepare: Callable[[Tx], Awaitable[Prepared]],
    *,
    action: str,
    about: str,
) -> None:
    """Creates the refund with its audit entry, and sends it to the gateway."""
    async with billing_context.database.write() as tx:
        account, payment, create = await prepare(tx)
        once = _once_of(visit, about, form)
        refund = await billing.find_started_refund(tx, account, once)
        if refund is None:
            refund = await create(once)
            if not visit.may("refund"):
                await billing.require_refund_limit(tx, payment, visit.project.refund_limit)
            details = {"amount": str(refund.amount), "currency": refund.currency}
            await record(tx, request, visit, action, about=about, **details)
    await billing.send_refund(billing_context, account, refund)


def _once_of(visit: ProjectContext, about: str, form: Form) -> IdempotentRequest | None:
    key = form.get("once", "")[:_LONGEST_ONCE]
    body = repr(sorted(form.items())).encode()
    return IdempotentRequest(visit.platform_no, f"{visit.caller} refund {about}", key, body) if key else None
