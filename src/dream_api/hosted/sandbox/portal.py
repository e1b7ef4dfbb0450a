"""`/sandbox/portal/{id}`: the customer portal with subscriptions and invoices."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from dream_api import billing, catalog, platforms
from dream_api.billing import BillingContext, queries, sandbox_checkout
from dream_api.billing.dependencies import BillingDep
from dream_api.catalog import Price
from dream_api.core.db import Row, Tx
from dream_api.core.errors import NotFound
from dream_api.core.html.format import format_amount
from dream_api.gateways import stripe_objects
from dream_api.gateways.contract import GatewayAccount, InvoiceSnapshot, seller_closed
from dream_api.gateways.sandbox import Portal
from dream_api.hosted.sandbox.page import Id, PageRoute, page, seller_of

router = APIRouter(prefix="/sandbox/portal", route_class=PageRoute, include_in_schema=False)

_DONE = {
    "change": "Plan changed.",
    "cancel": "Subscription canceled.",
    "resume": "Subscription resumed.",
    "card": "Card updated.",
}


@dataclass(frozen=True, slots=True)
class PortalSubscription:
    """A subscription of the customer's."""

    row: Row[Any]
    name: str
    price: Price

    @property
    def title(self) -> str:
        """`2 × Team`."""
        return self.name if self.row.quantity == 1 else f"{self.row.quantity} × {self.name}"

    @property
    def price_text(self) -> str:
        """`$99.98 per month`."""
        return f"{format_amount(self.row.amount, self.row.currency)} {catalog.describe_interval(self.price)}"

    @property
    def may_change(self) -> bool:
        return self.row.status in ("active", "trialing")


@dataclass(frozen=True, slots=True)
class Visit:
    """An open portal with all that its pages show; nothing in it is another customer's."""

    portal: Portal
    seller: str
    # Whether the seller still sells.
    is_open: bool
    # Newest first.
    held: list[PortalSubscription]

    @property
    def account(self) -> GatewayAccount:
        return self.portal.account

    @property
    def address(self) -> str:
        return f"/sandbox/portal/{self.portal.document['id']}"

    @property
    def current(self) -> list[PortalSubscription]:
        return [each for each in self.held if each.row.status != "canceled"]

    @property
    def invoices(self) -> list[InvoiceSnapshot]:
        """Newest first; drafts are not shown."""
        found = [stripe_objects.parse_invoice(each) for each in self.portal.invoices]
        return [each for each in found if each.status != "draft"]

    @property
    def credits(self) -> list[str]:
        """What following invoices are paid with."""
        balances: dict[str, int] = self.portal.customer["invoice_credit_balance"]
        return [format_amount(-balance, currency) for currency, balance in balances.items() if balance < 0]

    def find(self, subscription_id: str) -> PortalSubscription:
        """A subscription that has not ended."""
        found = next((each for each in self.current if each.row.id == subscription_id), None)
        if found is None:
            raise NotFound("Subscription not found, or already canceled.", hint="Reload the page.")
        return found

    def find_changeable(self, subscription_id: str) -> PortalSubscription:
        """As `find`; raises GatewayRefused where the seller has closed."""
        found = self.find(subscription_id)
        if not self.is_open:
            raise seller_closed()
        return found


async def visit_of(billing_context: BillingContext, portal_id: str) -> Visit:
    """NotFound where the portal is none, or has expired."""
    portal = await sandbox_checkout.sandbox_of(billing_context).find_portal(portal_id)
    async with billing_context.database.read() as tx:
        rows = await _rows_of(tx, portal)
        held = [await _held(tx, portal.account, row) for row in reversed(rows)]
        is_open = await platforms.is_open(tx, portal.account.platform_no, portal.account.project_id)
        return Visit(portal, await seller_of(tx, portal.account), is_open, held)


async def _rows_of(tx: Tx, portal: Portal) -> list[Row[Any]]:
    account, customer = portal.account, portal.customer["id"]
    customer_id = await queries.customer_at_gateway(tx, account.platform_no, account.id, customer)
    if customer_id is None:
        return []
    rows = await queries.subscriptions_of(tx, account.platform_no, customer_id)
    return [row for row in rows if (row.account, row.gateway_customer) == (account.id, customer)]


async def _held(tx: Tx, account: GatewayAccount, row: Row[Any]) -> PortalSubscription:
    scope = billing.scope_of(account)
    price = await catalog.find_price(tx, scope.platform_no, scope.project_id, scope.mode, row.price_id)
    offer = await catalog.find_tier_of_price(tx, scope.platform_no, price)
    return PortalSubscription(row, offer.display_name, price)


@router.get("/{id}")
async def show_portal(billing_context: BillingDep, portal_id: Id, done: str = "") -> Response:
    visit = await visit_of(billing_context, portal_id)
    return page("portal.html", visit=visit, seller=visit.seller, done=_DONE.get(done))


@router.get("/{id}/invoices/{invoice_id}")
async def show_invoice(billing_context: BillingDep, portal_id: Id, invoice_id: str) -> Response:
    visit = await visit_of(billing_context, portal_id)
    invoice = next((each for each in visit.invoices if each.id == invoice_id), None)
    if invoice is None:
        raise NotFound("Invoice not found.", hint="Reload the page.")
    return page("invoice.html", visit=visit, seller=visit.seller, invoice=invoice)
