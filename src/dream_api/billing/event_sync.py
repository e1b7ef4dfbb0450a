"""Applies a gateway event by reading its object again and syncing our rows.

The result does not depend on the order, number or concurrency of events, because of fencing tokens: a worker takes a
token before it reads the object, and writes only if no worker with a later token has written. The last change at the
gateway is followed by an event; the worker that applies it takes its token after the change, so it reads the change,
and no worker with an earlier token overwrites it.
"""

from dream_api.billing import checkouts, gateway_accounts, payment_sync, queries, subscription_sync, usage_rating
from dream_api.billing.context import BillingContext
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.gateways.contract import (
    CheckoutSnapshot,
    GatewayAccount,
    InvoiceSnapshot,
    ObjectKind,
    PaymentSnapshot,
    Snapshot,
    SubscriptionSnapshot,
)


async def apply_event(billing: BillingContext, account: GatewayAccount, event_id: str) -> None:
    """The event's effect, once or again; nothing where it was applied before or is not kept any more."""
    async with billing.database.read() as tx:
        event = await queries.event_by_id(tx, account, event_id)
    if event is None or event.applied_at is not None:
        return
    await sync_object(billing, account, event.object_kind, event.object_id)
    async with billing.database.write() as tx:
        await queries.mark_applied(tx, account, event_id, clock.now())


async def sync_object(billing: BillingContext, account: GatewayAccount, kind: ObjectKind, object_id: str) -> None:
    """Read the object at the gateway and store its state; no transaction may be open."""
    async with billing.database.write() as tx:
        token = await queries.next_fencing_token(tx, account, kind, object_id)
    snapshot = await _read(billing, account, kind, object_id)
    await _sync_referenced_objects(billing, account, snapshot)
    async with billing.database.write() as tx:
        if await queries.is_latest_token(tx, account, object_id, token):
            await _write(tx, billing, account, snapshot)
    if isinstance(snapshot, InvoiceSnapshot) and snapshot.status == "draft":
        await usage_rating.send(billing, account, snapshot)


async def _read(billing: BillingContext, account: GatewayAccount, kind: ObjectKind, object_id: str) -> Snapshot:
    gateway = billing.gateway_of(account)
    match kind:
        case "checkout":
            return await gateway.read_checkout(account, object_id)
        case "subscription":
            return await gateway.read_subscription(account, object_id)
        case "invoice":
            return await gateway.read_invoice(account, object_id)
        case "payment":
            return await gateway.read_payment(account, object_id)


async def _sync_referenced_objects(billing: BillingContext, account: GatewayAccount, snapshot: Snapshot) -> None:
    """Sync the objects that the row will reference first, where they are not stored yet.

    The event of a checkout carries its payment, so that is always read again: a failed attempt may be stored already.
    """
    is_checkout = isinstance(snapshot, CheckoutSnapshot)
    needed: list[tuple[ObjectKind, str | None]] = []
    match snapshot:
        case CheckoutSnapshot():
            # Stored before the completed checkout is announced.
            needed = [("subscription", snapshot.subscription), ("payment", snapshot.payment)]
        case InvoiceSnapshot():
            needed = [("subscription", snapshot.subscription)]
        case PaymentSnapshot():
            needed = [("invoice", snapshot.invoice)]
        case SubscriptionSnapshot():
            pass
    for kind, object_id in needed:
        if object_id is not None and (is_checkout or not await _is_known(billing, account, object_id)):
            await sync_object(billing, account, kind, object_id)


async def _is_known(billing: BillingContext, account: GatewayAccount, object_id: str) -> bool:
    async with billing.database.read() as tx:
        return await queries.is_written(tx, account, object_id)


async def _write(tx: Tx, billing: BillingContext, account: GatewayAccount, snapshot: Snapshot) -> None:
    now = await gateway_accounts.account_now(tx, account)
    match snapshot:
        case CheckoutSnapshot():
            await checkouts.sync_checkout(tx, billing, account, snapshot, now)
        case SubscriptionSnapshot():
            await subscription_sync.sync_subscription(tx, billing.events, account, snapshot, now)
        case InvoiceSnapshot():
            invoice = await payment_sync.sync_invoice(tx, account, snapshot, now)
            if snapshot.status == "draft":
                await usage_rating.rate(tx, account, invoice, now)
        case PaymentSnapshot():
            await payment_sync.sync_payment(tx, billing.events, account, snapshot, now)
