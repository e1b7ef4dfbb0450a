"""What people do on the sandbox's pages: in force, also at the metered calls, before they are answered."""

from dream_api.billing.context import BillingContext
from dream_api.billing.sandbox_delivery import deliver_events
from dream_api.gateways.contract import CardRefused, GatewayRefused
from dream_api.gateways.sandbox import Sandbox, Session

# A shop writes this into its URLs where it wants to read which checkout its buyer comes from.
_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def sandbox_of(billing: BillingContext) -> Sandbox:
    sandbox = billing.gateways["sandbox"]
    assert isinstance(sandbox, Sandbox)
    return sandbox


async def pay_checkout(
    billing: BillingContext, session_id: str, card: str | None, *, authenticate: bool = False
) -> Session:
    """The checkout, complete; one that was paid before is answered as it is, and nothing is charged again.

    CardRefused where the card does not pay, GatewayRefused where the checkout has expired.
    """
    sandbox = sandbox_of(billing)
    session = await sandbox.find_session(session_id)
    try:
        told = await sandbox.pay(session_id, card, authenticate)
    except CardRefused:
        await deliver_events(billing, session.account)  # the attempt is told of all the same
        raise
    except GatewayRefused:
        session = await sandbox.find_session(session_id)
        if session.document["status"] != "complete":
            raise
        told = None  # its twin, which may still be delivering
    await deliver_events(billing, session.account, told)
    return await sandbox.find_session(session_id)


async def abandon_checkout(billing: BillingContext, session_id: str) -> Session:
    """The checkout, which nobody can pay any more; GatewayRefused where it was paid already."""
    sandbox = sandbox_of(billing)
    told = await sandbox.leave(session_id)
    session = await sandbox.find_session(session_id)
    if session.document["status"] == "complete":
        raise GatewayRefused("This checkout was paid already.", hint="Cancel what was bought, or refund the payment.")
    await deliver_events(billing, session.account, told)
    return session


async def change_card(billing: BillingContext, portal_id: str, card: str, *, authenticate: bool = False) -> None:
    """The customer pays with this card from now on; what is open is paid with it at once."""
    sandbox = sandbox_of(billing)
    portal = await sandbox.find_portal(portal_id)
    told = await sandbox.change_card(portal_id, card, authenticate)
    await deliver_events(billing, portal.account, told)


def success_url(session: Session) -> str:
    """Where whoever has paid goes next."""
    return str(session.document["success_url"]).replace(_PLACEHOLDER, session.document["metadata"]["checkout"])


def cancel_url(session: Session) -> str:
    """Where whoever has not paid goes."""
    return str(session.document["cancel_url"])
