"""`POST /sandbox/checkout/{id}/pay` and `/cancel`: the actions of the sandbox checkout, for programs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from dream_api.api.billing.models import ResponseModel
from dream_api.billing import sandbox_checkout
from dream_api.billing.dependencies import BillingDep
from dream_api.core import errors
from dream_api.core.http import (
    JSON_BODY_ERRORS,
    RequestModel,
    error_responses,
    example_response,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.gateways.contract import AuthenticationRequired, CardDeclined, GatewayRefused, InsufficientFunds

router = APIRouter(tags=["Sandbox"], prefix="/sandbox/checkout")

Id = Annotated[str, Path(alias="id", max_length=255, pattern=r"^[^\x00]*$", examples=["cs_test_…"])]


class PaymentByCard(RequestModel):
    """One of the test cards."""

    card: str | None = Field(None, max_length=64, description="Its number; none where there is nothing to pay.")
    authenticate: bool = Field(False, description="The buyer has confirmed it with their bank.")


class Paid(ResponseModel):
    """The checkout is complete, and what was bought is in force."""

    status: Literal["complete"] = "complete"
    url: str = Field(description="Where the buyer goes next: the checkout's successUrl.")


class Left(ResponseModel):
    """Nobody can pay the checkout any more."""

    status: Literal["expired"] = "expired"
    url: str = Field(description="Where the buyer goes next: the checkout's cancelUrl.")


_ALWAYS = (
    GatewayRefused,
    errors.NotFound,
    errors.ValidationFailed,
    errors.Overloaded,
    errors.StorageUnavailable,
    errors.OutcomeUnknown,
)


@router.post(
    "/{id}/pay",
    summary="Pay a checkout with a test card",
    response_model=Paid,
    responses={
        **example_response(200, {"status": "complete", "url": "https://myapp.com/success"}),
        **error_responses(*_ALWAYS, *JSON_BODY_ERRORS, CardDeclined, InsufficientFunds, AuthenticationRequired),
    },
    openapi_extra=request_body(PaymentByCard, {"card": "4242424242424242"}),
)
async def pay_checkout(request: Request, billing_context: BillingDep, session_id: Id) -> Response:
    """The id is the permission, as for anyone who has the page's address. A repeated call gets the same response."""
    body, _ = await read_json_body(request, PaymentByCard)
    session = await sandbox_checkout.pay_checkout(
        billing_context, session_id, body.card, authenticate=body.authenticate
    )
    return json_response(Paid(url=sandbox_checkout.success_url(session)))


@router.post(
    "/{id}/cancel",
    summary="Leave a checkout unpaid",
    response_model=Left,
    responses={
        **example_response(200, {"status": "expired", "url": "https://myapp.com/cancel"}),
        **error_responses(*_ALWAYS),
    },
)
async def cancel_checkout(billing_context: BillingDep, session_id: Id) -> Response:
    """As if the buyer went back to the shop."""
    session = await sandbox_checkout.abandon_checkout(billing_context, session_id)
    return json_response(Left(url=sandbox_checkout.cancel_url(session)))
