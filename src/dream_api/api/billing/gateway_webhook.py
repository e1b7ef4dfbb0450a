"""`POST /webhook/stripe`: events that a payment gateway sends."""

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api.api.billing.models import ResponseModel
from dream_api.billing import webhook_intake
from dream_api.billing.dependencies import BillingDep
from dream_api.core import errors
from dream_api.core.http import error_responses, example_response, json_response, read_body
from dream_api.core.http.dependencies import SettingsDep
from dream_api.gateways import webhook_signature

router = APIRouter(tags=["Webhooks"])


class Received(ResponseModel):
    """The event is kept; what follows from it happens soon."""

    received: Literal[True] = True


@router.post(
    "/webhook/stripe",
    summary="Receive a gateway's event",
    response_model=Received,
    responses={
        **example_response(200, {"received": True}),
        **error_responses(
            webhook_intake.EventMalformed,
            webhook_signature.SignatureInvalid,
            errors.TooLarge,
            errors.Overloaded,
            errors.StorageUnavailable,
            errors.OutcomeUnknown,
        ),
    },
)
async def receive_event(request: Request, settings: SettingsDep, billing_context: BillingDep) -> Response:
    """Signed like Stripe's events, by the header `Stripe-Signature`, at most 5 minutes ago. Each is kept once."""
    limit = settings.body_limit
    payload = await read_body(request.receive, request.headers.get("content-length"), limit)
    await webhook_intake.receive(billing_context, payload, request.headers.get("stripe-signature"))
    return json_response(Received())
