"""Delivers the sandbox's webhooks in process: sign, receive, apply."""

from collections.abc import Collection

from dream_api.billing import event_sync, gateway_accounts, webhook_intake
from dream_api.billing.context import BillingContext
from dream_api.core import clock
from dream_api.gateways import webhook_signature
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox import Sandbox


async def deliver_events(billing: BillingContext, account: GatewayAccount, only: Collection[str] | None = None) -> None:
    """Deliver what was not delivered yet (or, of it, these events), in its order, and apply it.

    A caller that disconnects loses nothing: a job does the same.
    """
    sandbox = billing.gateways["sandbox"]
    assert isinstance(sandbox, Sandbox)
    secret = webhook_signature.signing_secret(billing.instance_key, account.id)
    while events := await sandbox.undelivered(account, only):
        for event_id, payload in events:
            signature = webhook_signature.sign(payload, secret, clock.now() // clock.SECOND)
            await webhook_intake.receive(billing, payload.encode(), signature)
            await sandbox.mark_delivered(account, [event_id])
            await event_sync.apply_event(billing, account, event_id)


async def deliver_all(billing: BillingContext, account_id: str) -> None:
    """For the job."""
    async with billing.database.read() as tx:
        account = await gateway_accounts.find_account(tx, account_id)
    if account is not None:
        await deliver_events(billing, account)
