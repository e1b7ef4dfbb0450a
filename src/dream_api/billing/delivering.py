"""How the sandbox's events arrive: signed and received like a gateway's, then applied."""

from collections.abc import Collection

from dream_api.billing import accounts, applying, receiving, signing
from dream_api.billing.billing import Billing
from dream_api.billing.contract import Account
from dream_api.billing.sandbox import Sandbox
from dream_api.core import clock


async def deliver(billing: Billing, account: Account, only: Collection[str] | None = None) -> None:
    """Deliver what was not delivered yet (or, of it, these events), in its order, and apply it.

    Whoever goes away on the way is no loss: a job does the same.
    """
    sandbox = billing.gateways["sandbox"]
    assert isinstance(sandbox, Sandbox)
    secret = signing.secret_of(billing.instance_key, account.id)
    while told := await sandbox.undelivered(account, only):
        for event_id, payload in told:
            signature = signing.sign(payload, secret, clock.now() // clock.SECOND)
            await receiving.receive(billing, payload.encode(), signature)
            await sandbox.mark_delivered(account, [event_id])
            await applying.apply(billing, account, event_id)


async def deliver_all(billing: Billing, account_id: str) -> None:
    """For the job."""
    async with billing.database.read() as tx:
        account = await accounts.find_account(tx, account_id)
    if account is not None:
        await deliver(billing, account)
