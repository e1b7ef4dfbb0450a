"""How an event takes effect: the object that it is about is read at the gateway, then written down here.

Whatever order events come in, however often, and however many apply them at once, the end is the same: before an
object is read a ticket is drawn, and what was read is written only if nobody who drew a later one has written. The last
change at the gateway is followed by an event; whoever applies it draws after the change, and so reads it; and nobody
with an earlier ticket writes over that.
"""

from dream_api.billing import checkouts, gateway_accounts, payment_sync, queries, subscription_sync, usage_rating
from dream_api.billing.context import BillingContext
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.gateways.contract import (
    CheckoutFacts,
    Facts,
    GatewayAccount,
    InvoiceFacts,
    ObjectKind,
    PaymentFacts,
    SubscriptionFacts,
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
    """Read the object at the gateway, and write down how it stands; no transaction may be open."""
    async with billing.database.write() as tx:
        ticket = await queries.next_fencing_token(tx, account, kind, object_id)
    facts = await _read(billing, account, kind, object_id)
    await _refresh_what_it_needs(billing, account, facts)
    async with billing.database.write() as tx:
        if await queries.is_latest_token(tx, account, object_id, ticket):
            await _write(tx, billing, account, facts)
    if isinstance(facts, InvoiceFacts) and facts.status == "draft":
        await usage_rating.send(billing, account, facts)


async def _read(billing: BillingContext, account: GatewayAccount, kind: ObjectKind, object_id: str) -> Facts:
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


async def _refresh_what_it_needs(billing: BillingContext, account: GatewayAccount, facts: Facts) -> None:
    """What the object's row will point to is written first, where it is not known yet.

    Who hears of a checkout is handed its payment, so that is read anew: a try that failed before may have been known.
    """
    is_told = isinstance(facts, CheckoutFacts)
    needed: list[tuple[ObjectKind, str | None]] = []
    match facts:
        case CheckoutFacts():
            # What was bought is there before anybody hears that it was.
            needed = [("subscription", facts.subscription), ("payment", facts.payment)]
        case InvoiceFacts():
            needed = [("subscription", facts.subscription)]
        case PaymentFacts():
            needed = [("invoice", facts.invoice)]
        case SubscriptionFacts():
            pass
    for kind, object_id in needed:
        if object_id is not None and (is_told or not await _is_known(billing, account, object_id)):
            await sync_object(billing, account, kind, object_id)


async def _is_known(billing: BillingContext, account: GatewayAccount, object_id: str) -> bool:
    async with billing.database.read() as tx:
        return await queries.is_written(tx, account, object_id)


async def _write(tx: Tx, billing: BillingContext, account: GatewayAccount, facts: Facts) -> None:
    now = await gateway_accounts.now_in(tx, account)
    match facts:
        case CheckoutFacts():
            await checkouts.sync_checkout(tx, billing, account, facts, now)
        case SubscriptionFacts():
            await subscription_sync.sync_subscription(tx, billing.events, account, facts, now)
        case InvoiceFacts():
            invoice = await payment_sync.sync_invoice(tx, account, facts)
            if facts.status == "draft":
                await usage_rating.rate(tx, account, invoice)
        case PaymentFacts():
            await payment_sync.sync_payment(tx, billing.events, account, facts, now)
