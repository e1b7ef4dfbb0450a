"""`GET /api/invoices`: invoices of customers."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from dream_api.api.billing.models import Invoice, ResponseModel, invoice_of
from dream_api.api.billing.pagination import After, Limit
from dream_api.auth.dependencies import CanView
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.billing import queries
from dream_api.core import errors
from dream_api.core.http import error_responses, example_response, json_response
from dream_api.core.http.dependencies import Db

router = APIRouter(tags=["Invoices and payments"], prefix="/api/invoices")

Id = Annotated[str, Path(alias="id", max_length=64, pattern=r"^[^\x00]*$", examples=["inv_01k9q3v8zd0g2m4n6p8r0t2v4w"])]
_SHOWN = {
    "id": "inv_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "number": "0001",
    "subscription": "sub_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "customer": "cus_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "status": "paid",
    "reason": "subscription_cycle",
    "currency": "usd",
    "subtotal": 1999,
    "discount": 0,
    "total": 1999,
    "amountDue": 1999,
    "amountPaid": 1999,
    "periodStart": "2026-10-21T09:14:00Z",
    "periodEnd": "2026-11-21T09:14:00Z",
    "attempts": 1,
    "nextAttempt": None,
    "paidAt": "2026-11-21T10:14:00Z",
    "lines": [
        {"description": "Pro", "amount": 1999, "quantity": 1, "priceId": "price_01k9q3v8zd0g2m4n6p8r0t2v4w"},
    ],
    "createdAt": "2026-11-21T09:14:00Z",
}


class InvoiceList(ResponseModel):
    """Newest first."""

    data: list[Invoice]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


@router.get(
    "",
    summary="List invoices",
    response_model=InvoiceList,
    responses={
        **example_response(200, {"data": [_SHOWN], "nextCursor": None}),
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_invoices(
    db: Db,
    acting: CanView,
    status: Annotated[
        Literal["draft", "open", "paid", "void", "uncollectible"] | None, Query(description="Of this status only.")
    ] = None,
    subscription: Annotated[str | None, Query(max_length=64, description="Of this subscription only.")] = None,
    limit: Limit = 20,
    after: After = None,
) -> Response:
    """Newest first."""
    async with db.read() as tx:
        rows, cursor = await queries.list_invoices(
            tx, acting.scope, status=status, subscription_id=subscription, limit=limit, after=after
        )
    return json_response(InvoiceList(data=[invoice_of(row) for row in rows], next_cursor=cursor))


@router.get(
    "/{id}",
    summary="Read an invoice",
    response_model=Invoice,
    responses={**example_response(200, _SHOWN), **error_responses(*PROJECT_AUTH_ERRORS, errors.NotFound)},
)
async def read_invoice(db: Db, acting: CanView, invoice_id: Id) -> Response:
    async with db.read() as tx:
        row = await queries.invoice_in(tx, acting.scope, invoice_id)
    if row is None:
        raise errors.NotFound("There is no such invoice.", param="id")
    return json_response(invoice_of(row))
