"""Actions of the sandbox's hosted pages; their effects are applied before the response."""

from dream_api.billing import event_sync
from dream_api.billing.context import BillingContext
from dream_api.billing.sandbox_delivery import deliver_events
from dream_api.gateways.contract import GatewayRefused
from dream_api.gateways.sandbox import CheckoutSession, Sandbox

# A shop writes this into its URLs where it wants to read which checkout its buyer comes from.
_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def sandbox_of(billing: BillingContext) -> Sandbox:
    sandbox = billing.gateways["sandbox"]
    assert isinstance(sandbox, Sandbox)
    return sandbox


async def pay_checkout(
    billing: BillingContext, session_id: str, card: str | None, *, authenticate: bool = False
) -> CheckoutSession:
    """The checkout, complete; one that was paid before is answered as it is, and nothing is charged again.

    CardRefused where the card does not pay, GatewayRefused where the checkout has expired.
    """
    sandbox = sandbox_of(billing)
    session = await sandbox.find_session(session_id)
    try:
        attempt = await sandbox.attempt_payment(session_id, card, authenticate)
    except GatewayRefused:
        session = await sandbox.find_session(session_id)
        if session.document["status"] != "complete":
            raise
        # Another request paid it, and may still be delivering: what it bought is read without its events.
        await event_sync.sync_object(billing, session.account, "checkout", session_id)
        return session
    await deliver_events(billing, session.account, attempt.event_ids)
    if attempt.refused is not None:
        raise attempt.refused
    return await sandbox.find_session(session_id)


async def abandon_checkout(billing: BillingContext, session_id: str) -> CheckoutSession:
    """The checkout, which nobody can pay any more; GatewayRefused where it was paid already."""
    sandbox = sandbox_of(billing)
    event_ids = await sandbox.abandon(session_id)
    session = await sandbox.find_session(session_id)
    if session.document["status"] == "complete":
        raise GatewayRefused(
            "This checkout is already paid.", hint="Cancel the subscription or order, or refund the payment."
        )
    await deliver_events(billing, session.account, event_ids)
    return session


async def change_card(billing: BillingContext, portal_id: str, card: str, *, authenticate: bool = False) -> None:
    """The customer pays with this card from now on; what is open is paid with it at once."""
    sandbox = sandbox_of(billing)
    portal = await sandbox.find_portal(portal_id)
    event_ids = await sandbox.change_card(portal_id, card, authenticate)
    await deliver_events(billing, portal.account, event_ids)


def success_url(session: CheckoutSession) -> str:
    """The URL to send the buyer to after payment."""
    return str(session.document["success_url"]).replace(_PLACEHOLDER, session.document["metadata"]["checkout"])


def cancel_url(session: CheckoutSession) -> str:
    """The URL to send the buyer to without payment."""
    return str(session.document["cancel_url"])
