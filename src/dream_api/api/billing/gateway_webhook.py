"""`POST /webhook/stripe`: events that a payment gateway sends."""

from typing import Literal

from fastapi import Request

from dream_api.api.endpoint import Endpoints
from dream_api.api.models import ResponseModel, example
from dream_api.billing import webhook_intake
from dream_api.billing.dependencies import BillingDep
from dream_api.core import errors
from dream_api.core.http import ModelResponse, json_response, read_body
from dream_api.core.http.dependencies import SettingsDep
from dream_api.gateways import webhook_signature

endpoints = Endpoints("Webhooks", "/webhook")


class WebhookReceived(ResponseModel, json_schema_extra=example({"received": True})):
    """The event is stored, and is processed soon."""

    received: Literal[True] = True


@endpoints.post(
    "/stripe",
    "webhooks.receiveStripe",
    "Receive an event from a gateway",
    errors=(
        webhook_intake.EventMalformed,
        webhook_signature.SignatureInvalid,
        errors.TooLarge,
        errors.Overloaded,
        errors.StorageUnavailable,
        errors.OutcomeUnknown,
    ),
    ignores_unknown_parameters=True,
)
async def receive_event(
    request: Request, settings: SettingsDep, billing_context: BillingDep
) -> ModelResponse[WebhookReceived]:
    """Events must be signed like Stripe's (`Stripe-Signature`), at most 5 minutes ago. Each event is stored once."""
    payload = await read_body(request.receive, request.headers.get("content-length"), settings.body_limit)
    await webhook_intake.receive(billing_context, payload, request.headers.get("stripe-signature"))
    return json_response(WebhookReceived())
