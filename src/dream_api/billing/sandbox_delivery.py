"""Delivers the sandbox's webhooks in process: sign, receive, apply.

An event is marked as delivered in the transaction that stores it as received. So it is delivered once, however many
deliver at once, and a crash loses nothing: before that transaction the event is undelivered still, and after it a job
applies it.
"""

from collections.abc import Collection

from dream_api.billing import event_sync, gateway_accounts, queries, webhook_intake
from dream_api.billing.context import BillingContext
from dream_api.core import clock
from dream_api.gateways import webhook_signature
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox import Sandbox


async def deliver_events(billing: BillingContext, account: GatewayAccount, only: Collection[str] | None = None) -> None:
    """Deliver what was not delivered yet (or, of it, these events), in its order, and apply it.

    What another caller has delivered and not applied yet is applied here too. A caller that disconnects loses nothing:
    a job does the same.
    """
    found = await _deliver(billing, account, only)
    async with billing.database.read() as tx:
        unapplied = await queries.unapplied_events(tx, account, found if only is None else only)
    for event_id in unapplied:
        await event_sync.apply_event(billing, account, event_id)


async def deliver_all(billing: BillingContext, account_id: str) -> None:
    """For the job."""
    async with billing.database.read() as tx:
        account = await gateway_accounts.find_account(tx, account_id)
    if account is not None:
        await _deliver(billing, account, None)


async def _deliver(billing: BillingContext, account: GatewayAccount, only: Collection[str] | None) -> set[str]:
    """The events that were undelivered; those that nobody else delivers meanwhile are delivered and applied."""
    sandbox = billing.gateways["sandbox"]
    assert isinstance(sandbox, Sandbox)
    found: set[str] = set()
    while events := await sandbox.undelivered(account, only):
        for event_id, payload in events:
            found.add(event_id)
            if await _receive(billing, account, event_id, payload):
                await event_sync.apply_event(billing, account, event_id)
    return found


async def _receive(billing: BillingContext, account: GatewayAccount, event_id: str, payload: str) -> bool:
    """Receive the event as over HTTP; False where another caller has."""
    secret = webhook_signature.signing_secret(billing.instance_key, account.id)
    signature = webhook_signature.sign(payload, secret, clock.now() // clock.SECOND)
    _, event = await webhook_intake.verify(billing, payload.encode(), signature)
    async with billing.database.write() as tx:
        is_ours = await Sandbox.claim_event(tx, account, event_id)
        if is_ours:
            await webhook_intake.store(tx, account, event, payload)
    return is_ours
