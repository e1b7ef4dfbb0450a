"""`POST /sandbox/checkout/{id}/pay` and `/cancel`: the actions of the sandbox checkout, for programs."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field
from typing_extensions import TypeAliasType

from dream_api.api.endpoint import Endpoints, JsonBody
from dream_api.api.models import NO_NUL, ResponseModel, example
from dream_api.billing import sandbox_checkout
from dream_api.billing.dependencies import BillingDep
from dream_api.core import errors
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.gateways.contract import AuthenticationRequired, CardDeclined, GatewayRefused, InsufficientFunds

endpoints = Endpoints("Test mode", "/sandbox/checkout")

SandboxCheckoutStatus = TypeAliasType("SandboxCheckoutStatus", Literal["complete", "expired"])
Id = Annotated[
    str,
    Path(
        alias="id",
        max_length=255,
        pattern=NO_NUL,
        description="The last part of the checkout's `url`.",
        examples=["cs_test_…"],
    ),
]


class SandboxPayment(RequestModel, json_schema_extra=example({"card": "4242424242424242"})):
    """One of the test cards."""

    card: str | None = Field(None, max_length=64, description="The number of the card. null: no payment is due.")
    authenticate: bool = Field(False, description="The buyer has confirmed the payment with their bank.")


class SandboxCheckout(
    ResponseModel, json_schema_extra=example({"status": "complete", "url": "https://myapp.com/success"})
):
    """How the checkout ended."""

    status: SandboxCheckoutStatus = Field(description="complete: paid. expired: it can no longer be paid.")
    url: str = Field(description="Where the buyer goes next: the checkout's successUrl or cancelUrl.")


_ERRORS = (
    GatewayRefused,
    errors.NotFound,
    errors.ValidationFailed,
    errors.Overloaded,
    errors.StorageUnavailable,
    errors.OutcomeUnknown,
)


@endpoints.post(
    "/{id}/pay",
    "sandbox.pay",
    "Pay a sandbox checkout",
    errors=(*_ERRORS, CardDeclined, InsufficientFunds, AuthenticationRequired),
)
async def pay_checkout(
    billing_context: BillingDep, session_id: Id, body: JsonBody[SandboxPayment]
) -> ModelResponse[SandboxCheckout]:
    """No API key is needed, only the address of the page. A repeated call returns the same response."""
    session = await sandbox_checkout.pay_checkout(
        billing_context, session_id, body.card, authenticate=body.authenticate
    )
    return json_response(SandboxCheckout(status="complete", url=sandbox_checkout.success_url(session)))


@endpoints.post("/{id}/cancel", "sandbox.cancel", "Cancel a sandbox checkout", errors=_ERRORS)
async def cancel_checkout(billing_context: BillingDep, session_id: Id) -> ModelResponse[SandboxCheckout]:
    """Has the same effect as a buyer who goes back without paying."""
    session = await sandbox_checkout.abandon_checkout(billing_context, session_id)
    return json_response(SandboxCheckout(status="expired", url=sandbox_checkout.cancel_url(session)))
