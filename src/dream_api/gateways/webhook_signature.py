"""Webhook signatures by Stripe's scheme: sign the sandbox's events, verify received ones."""

import hashlib
import hmac

from dream_api.core.errors import BadRequest
from dream_api.core.secrets import InstanceKey


class SignatureInvalid(BadRequest):
    code = "signature_invalid"
    hint = "Forward the event without changing a byte, with its header Stripe-Signature, within five minutes."


def signing_secret(instance_key: InstanceKey, account_id: str) -> str:
    """`whsec_…`: what the account's events are signed with; the same for ever, and kept nowhere."""
    return f"whsec_{instance_key.derive(f'gateway events of {account_id}').hex()}"


def sign(payload: str, secret: str, at_seconds: int) -> str:
    """The header that belongs to the payload: `t=…,v1=…`."""
    signed = hmac.new(secret.encode(), f"{at_seconds}.{payload}".encode(), hashlib.sha256)
    return f"t={at_seconds},v1={signed.hexdigest()}"


def verify(payload: bytes, header: str | None, secret: str) -> None:
    """SignatureInvalid where it was not signed with the secret within the last five minutes of real time."""
    # It takes longer to import than all the rest, and is needed only here.
    from stripe import SignatureVerificationError, Webhook, WebhookSignature  # noqa: PLC0415

    try:
        # TypeError: of a header beyond ASCII.
        WebhookSignature.verify_header(payload, header, secret, Webhook.DEFAULT_TOLERANCE)
    except (SignatureVerificationError, TypeError, ValueError) as problem:
        raise SignatureInvalid("The signature of the event is not valid.") from problem
