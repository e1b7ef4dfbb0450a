"""Checkouts: create the intent, open the gateway's page, sync the outcome."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from dream_api import catalog, platforms
from dream_api.billing import gateway_accounts, queries
from dream_api.billing.context import CHECKOUT_COMPLETED, CHECKOUT_EXPIRED, BillingContext
from dream_api.core import clock, ids, jobs, money
from dream_api.core.db import Tx
from dream_api.core.idempotency import IdempotentRequest
from dream_api.core.metadata import Metadata, dump
from dream_api.gateways.contract import CheckoutSnapshot, GatewayAccount, LineItem, NewCheckout

# How long a checkout can be paid; Stripe knows no shorter time.
OPEN_FOR = 30 * clock.MINUTE
FINISH_JOB = "billing.finish_checkout"
# How long a request may take to open its page before a job opens it.
_ABANDONED = 2 * clock.MINUTE
_LIVE = ("opening", "open")


async def create_checkout(
    tx: Tx,
    account: GatewayAccount,
    wanted: NewCheckout,
    *,
    purpose: str,
    subtotal: int,
    customer_id: str | None,
    metadata: Metadata,
    once: IdempotentRequest | None,
    now: int,
    checkout_id: str | None = None,
) -> Row[Any]:
    """The new checkout, its coupon redeemed; its id is the idempotency key of the call that follows.

    `wanted.metadata` is the gateway's, and gets the checkout's id; `metadata` is the caller's, which no gateway gets.
    `now`: the present moment of the project; `checkout_id`: where its URLs contain it already.
    Raises PlatformClosing, AmountTooLarge and AmountTooSmall.
    """
    catalog.require_chargeable(_due_now(wanted), wanted.currency, param="items" if purpose == "cart" else "quantity")
    await platforms.require_open(tx, account.platform_no, account.project_id)
    if wanted.coupon is not None:
        await catalog.redeem(tx, account.platform_no, wanted.coupon.id)
    row = {
        "id": checkout_id or ids.new("chk"),
        "project_id": account.project_id,
        "mode": account.mode,
        "purpose": purpose,
        "customer_id": customer_id,
        "email": wanted.email,
        "currency": wanted.currency,
        "subtotal": subtotal,
        "coupon_id": wanted.coupon.id if wanted.coupon is not None else None,
        "wanted": json.dumps(_to_json(wanted)),
        "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
        "request": None if once is None else once.digest,
        "fingerprint": None if once is None else once.fingerprint,
        "metadata": dump(metadata),
        "account": account.id,
        "status": "opening",
        "created_at": now,
        "expires_at": wanted.expires_at,
    }
    checkout = await queries.insert_checkout(tx, account.platform_no, row)
    await jobs.enqueue(
        tx,
        FINISH_JOB,
        {"id": checkout.id},
        platform_no=account.platform_no,
        run_at=clock.now() + _ABANDONED,
    )
    return checkout


def _due_now(wanted: NewCheckout) -> int:
    """What is paid on its page: nothing for a trial, and usage later."""
    sold = [line for line in wanted.lines if line.price.type != "usage"]
    if wanted.trial_days:
        sold = [line for line in sold if line.price.interval is None]
    amounts = [catalog.amount_of(line.price, line.quantity) for line in sold]
    if wanted.coupon is None:
        return sum(amounts)
    return sum(amounts) - sum(catalog.discount_of(wanted.coupon, amounts, step=money.step(wanted.currency)))


async def open_page(billing: BillingContext, account: GatewayAccount, checkout: Row[Any]) -> Row[Any]:
    """Create the page at the gateway, idempotently; no transaction may be open."""
    if checkout.status != "opening":
        return checkout
    async with billing.database.read() as tx:
        wanted = await _wanted(tx, account, checkout)
    opened = await billing.gateway_of(account).open_checkout(account, wanted, key=checkout.id)
    async with billing.database.write() as tx:
        values = {"status": "open", "gateway_id": opened.id, "url": opened.url}
        return await queries.open_checkout(tx, account.platform_no, checkout.id, values)


async def open_abandoned(billing: BillingContext, platform_no: int, checkout_id: str) -> None:
    """Open the page of an intent that a crash left without one; it expires at its time."""
    async with billing.database.read() as tx:
        checkout = await queries.checkout_by_id(tx, platform_no, checkout_id)
        account = await gateway_accounts.find_account(tx, checkout.account) if checkout is not None else None
    if checkout is not None and account is not None:
        await open_page(billing, account, checkout)


async def sync_checkout(
    tx: Tx, billing: BillingContext, account: GatewayAccount, snapshot: CheckoutSnapshot, now: int
) -> None:
    """Store how the checkout ended, once, and emit the event in the same transaction."""
    checkout = await _checkout_of(tx, account, snapshot)
    is_undecided = snapshot.status == "open" or (snapshot.status == "complete" and not snapshot.is_paid)
    if checkout is None or checkout.status not in _LIVE or is_undecided:
        return
    values = {
        "status": snapshot.status,
        "gateway_id": snapshot.id,
        "ended_at": now,
        "email": snapshot.email or checkout.email,
    }
    if snapshot.status == "complete":
        ended = await queries.end_checkout(tx, account.platform_no, checkout.id, values | {"total": snapshot.total})
        payment = await queries.payment_by_gateway_id(tx, account, snapshot.payment) if snapshot.payment else None
        await billing.events.emit(tx, CHECKOUT_COMPLETED, checkout=ended, payment=payment, now=now)
        return
    ended = await queries.end_checkout(tx, account.platform_no, checkout.id, values)
    if checkout.coupon_id is not None:
        await catalog.release_redemption(tx, account.platform_no, checkout.coupon_id)
    failed = await queries.has_failed_payment(tx, account.platform_no, checkout.id)
    await billing.events.emit(tx, CHECKOUT_EXPIRED, checkout=ended, failed=failed, now=now)


async def _checkout_of(tx: Tx, account: GatewayAccount, snapshot: CheckoutSnapshot) -> Row[Any] | None:
    """By our own id in the metadata: the response with the gateway's id may not have arrived."""
    named = snapshot.metadata.get("checkout")
    found = None if named is None else await queries.lock_checkout(tx, account.platform_no, named)
    return found if found is not None and found.account == account.id else None


async def _wanted(tx: Tx, account: GatewayAccount, checkout: Row[Any]) -> NewCheckout:
    """The stored intent: a retry sends the same request."""
    stored = json.loads(checkout.wanted)
    lines = [
        LineItem(
            await catalog.find_price(tx, account.platform_no, account.project_id, account.mode, each["price"]),
            each["name"],
            each["quantity"],
        )
        for each in stored["lines"]
    ]
    coupon_id = checkout.coupon_id
    coupon = None if coupon_id is None else await catalog.coupon_by_id(tx, account.platform_no, coupon_id)
    return NewCheckout(
        lines=tuple(lines),
        currency=checkout.currency,
        customer=stored["customer"],
        email=checkout.email,
        success_url=checkout.success_url,
        cancel_url=checkout.cancel_url,
        expires_at=checkout.expires_at,
        trial_days=stored["trialDays"],
        coupon=coupon,
        metadata=stored["metadata"] | {"checkout": checkout.id},
    )


def _to_json(wanted: NewCheckout) -> dict[str, Any]:
    return {
        "lines": _lines(wanted.lines),
        "customer": wanted.customer,
        "trialDays": wanted.trial_days,
        "metadata": wanted.metadata,
    }


def _lines(lines: Sequence[LineItem]) -> list[dict[str, Any]]:
    return [{"price": line.price.id, "name": line.name, "quantity": line.quantity} for line in lines]
