"""`/api/invoices`: list and get invoices of customers."""

from typing import Annotated, Literal

from fastapi import Query

from dream_api.api.billing.models import Invoice, InvoiceList
from dream_api.api.endpoint import Endpoints
from dream_api.api.models import PageRequest, page_of, path_id
from dream_api.auth.dependencies import CanView
from dream_api.billing import queries
from dream_api.core.errors import NotFound
from dream_api.core.http import ModelResponse, json_response
from dream_api.core.http.dependencies import Db

endpoints = Endpoints("Invoices and payments", "/api/invoices")


@endpoints.get("", "invoices.list", "List invoices")
async def list_invoices(
    db: Db,
    acting: CanView,
    page: Annotated[PageRequest, page_of("inv")],
    status: Annotated[
        Literal["draft", "open", "paid", "void", "uncollectible"] | None,
        Query(description="Only subscriptions with this status."),
    ] = None,
    subscription_id: Annotated[
        str | None,
        Query(alias="subscriptionId", max_length=64, description="Only invoices of this subscription, `sub_…`."),
    ] = None,
) -> ModelResponse[InvoiceList]:
    """Newest first."""
    async with db.read() as tx:
        rows = await queries.page_of_invoices(
            tx, acting.scope, status=status, subscription_id=subscription_id, limit=page.fetch, after=page.after
        )
    return json_response(page.page(InvoiceList, rows))


@endpoints.get("/{id}", "invoices.get", "Get an invoice", errors=(NotFound,))
async def get_invoice(db: Db, acting: CanView, invoice_id: Annotated[str, path_id("inv")]) -> ModelResponse[Invoice]:
    """An invoice with its lines."""
    async with db.read() as tx:
        row = await queries.invoice_in(tx, acting.scope, invoice_id)
    if row is None:
        raise NotFound("Invoice not found.", param="id")
    return json_response(Invoice.model_validate(row))
