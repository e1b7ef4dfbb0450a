"""Webhook intake: verify the signature, store the event once, enqueue its application."""

from typing import Any

from dream_api.billing import gateway_accounts, queries
from dream_api.billing.context import BillingContext
from dream_api.core import clock, jobs
from dream_api.core.db import Tx
from dream_api.core.errors import BadRequest
from dream_api.core.json_input import parse_json
from dream_api.gateways import stripe_objects, webhook_signature
from dream_api.gateways.contract import GatewayAccount

APPLY_JOB = "billing.apply"


class EventMalformed(BadRequest):
    code = "event_malformed"
    hint = "Forward the gateway's event without changing a byte."


async def receive(billing: BillingContext, payload: bytes, signature: str | None) -> str:
    """Store the event, once, and return its id.

    SignatureInvalid where it was not signed, not lately, or not for the account that it names.
    """
    account, event = await verify(billing, payload, signature)
    async with billing.database.write() as tx:
        await store(tx, account, event, payload.decode())
    return event["id"]


async def verify(
    billing: BillingContext, payload: bytes, signature: str | None
) -> tuple[GatewayAccount, dict[str, Any]]:
    """The account, and the event that it signed; errors as of `receive`."""
    event = _event_of(payload)
    async with billing.database.read() as tx:
        account = await gateway_accounts.find_account(tx, event["account"])
    # One who guesses accounts learns nothing: an unknown one has a secret too, which nobody knows.
    webhook_signature.verify(
        payload, signature, webhook_signature.signing_secret(billing.instance_key, event["account"])
    )
    if account is None:
        raise EventMalformed("The event belongs to an account that is not connected to this instance.", param="account")
    return account, event


async def store(tx: Tx, account: GatewayAccount, event: dict[str, Any], payload: str) -> None:
    """Store the event, once, and enqueue its application."""
    about = stripe_objects.event_object(event)
    row = {
        "id": event["id"],
        "type": event["type"],
        "object_kind": None if about is None else about[0],
        "object_id": None if about is None else about[1],
        "payload": payload,
        "received_at": clock.now(),
        "applied_at": clock.now() if about is None else None,
    }
    if await queries.insert_event(tx, account, row) and about is not None:
        job_payload = {"account": account.id, "event": event["id"]}
        await jobs.enqueue(tx, APPLY_JOB, job_payload, platform_no=account.platform_no)


def _event_of(payload: bytes) -> dict[str, Any]:
    """What is needed to know whose secret to ask for; nothing of it is believed before the signature was verified."""
    try:
        event = parse_json(payload)
    except ValueError as problem:
        raise EventMalformed("The body is not JSON.") from problem
    if not isinstance(event, dict):
        raise EventMalformed("The body is not an event.")
    for name in ("id", "type", "account"):
        text = event.get(name)  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST or "\x00" in text:
            raise EventMalformed(f"The event has no {name}.", param=name)
    data = event.get("data")  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(data, dict) or not isinstance(data.get("object"), dict):  # pyright: ignore[reportUnknownMemberType]
        raise EventMalformed("The event has no object.", param="data.object")
    return event  # pyright: ignore[reportUnknownVariableType]


_LONGEST = 255
