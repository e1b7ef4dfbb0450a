"""Cart checkout: creates the order, its stock holds and the checkout in one transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from dream_api import billing, catalog, customers, gateways, platforms
from dream_api.catalog import Coupon
from dream_api.core import ids, money
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden, Invalid, ValidationFailed
from dream_api.core.idempotency import IdempotentRequest
from dream_api.core.metadata import Metadata
from dream_api.platforms import Project, ProjectScope
from dream_api.store import orders, stock_holds
from dream_api.store.orders import OrderLine
from dream_api.store.stock_holds import SoldOut, WantedStock

MOST_ITEMS = 50
MOST_OF_ONE = 1_000


class StoreOnly(Forbidden):
    code = "store_only"
    hint = "Use a project of the type store. A saas project sells subscriptions with POST /api/create-checkout."


class MixedCurrencies(Invalid):
    code = "mixed_currencies"
    hint = "Choose prices in one currency, or create a checkout for each currency."


@dataclass(frozen=True, slots=True)
class Item:
    """So many of what a price sells."""

    price_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What somebody wants to pay for, and where they go afterwards; `user_id` where they are a customer."""

    email: str
    items: Sequence[Item]
    success_url: str
    cancel_url: str
    user_id: str | None = None
    coupon: str | None = None
    metadata: Metadata = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Picked:
    """An item that can be sold."""

    line: gateways.LineItem
    tier_id: str
    amount: int


async def create_checkout(
    tx: Tx, project: Project, scope: ProjectScope, cart: Cart, *, once: IdempotentRequest | None = None
) -> Row[Any]:
    """The checkout, for `billing.open_page`, with its order and all of its stock held."""
    if project.type != "store":
        raise StoreOnly("Only stores have carts, and this project is a saas project.")
    platforms.require_allowed_redirect(project, scope.mode, cart.success_url, "successUrl")
    platforms.require_allowed_redirect(project, scope.mode, cart.cancel_url, "cancelUrl")
    account = await billing.ensure_account(tx, scope)
    now = await billing.account_now(tx, account)
    picked = await _pick(tx, scope, cart.items)
    currency = _currency_of(picked)
    coupon = None if cart.coupon is None else await _coupon(tx, scope, cart.coupon, currency, now)
    amounts = [each.amount for each in picked]
    discount = _discount(coupon, amounts, currency)
    customer_id = None if cart.user_id is None else await _customer(tx, scope, cart.user_id, now)
    order_id = ids.new("ord")
    wanted = gateways.NewCheckout(
        lines=tuple(each.line for each in picked),
        currency=currency,
        customer=None,
        email=cart.email,
        success_url=cart.success_url,
        cancel_url=cart.cancel_url,
        expires_at=now + billing.OPEN_FOR,
        coupon=coupon,
        metadata={"order": order_id} | ({} if customer_id is None else {"customer": customer_id}),
    )
    checkout = await billing.create_checkout(
        tx,
        account,
        wanted,
        purpose="cart",
        subtotal=sum(amounts),
        customer_id=customer_id,
        metadata=cart.metadata,
        once=once,
        now=now,
    )
    wanted_stock = [WantedStock(each.tier_id, each.line.name, each.line.quantity) for each in picked]
    await stock_holds.hold_stock(tx, scope, checkout.id, wanted_stock, now)
    lines = [_order_line(each) for each in picked]
    await orders.create_order(
        tx,
        scope,
        order_id,
        checkout,
        lines,
        email=cart.email,
        discount=discount,
        metadata=cart.metadata,
        now=now,
    )
    return checkout


async def _pick(tx: Tx, scope: ProjectScope, items: Iterable[Item]) -> list[_Picked]:
    """The items with what they cost, one for each price; refuses what is not sold."""
    together: Counter[str] = Counter()
    for item in items:
        together[item.price_id] += item.quantity
    picked: list[_Picked] = []
    for price_id, quantity in together.items():
        offer, price = await catalog.find_purchasable(
            tx, scope.platform_no, scope.project_id, scope.mode, price_id, param="items"
        )
        if offer.is_sold_out:
            raise SoldOut(f'"{offer.display_name}" is sold out.', param="items")
        if quantity > MOST_OF_ONE:
            raise ValidationFailed(
                f"At most {MOST_OF_ONE:,} units of one price can be bought in one order.", param="items"
            )
        line = gateways.LineItem(price, offer.display_name, quantity)
        picked.append(_Picked(line, offer.id, catalog.amount_of(price, quantity)))
    return picked


def _currency_of(picked: Sequence[_Picked]) -> str:
    currencies = sorted({each.line.price.currency for each in picked})
    if len(currencies) > 1:
        raise MixedCurrencies(
            f"All prices of a cart must be in one currency, not in {' and '.join(currencies)}.", param="items"
        )
    return currencies[0]


async def _coupon(tx: Tx, scope: ProjectScope, code: str, currency: str, now: int) -> Coupon:
    coupon = await catalog.find_coupon(tx, scope.platform_no, scope.project_id, scope.mode, code, now)
    if coupon.currency not in (None, currency):
        raise catalog.CouponInvalid("The coupon is for a currency other than the cart's.", param="coupon")
    return coupon


def _discount(coupon: Coupon | None, amounts: Sequence[int], currency: str) -> int:
    """What the coupon takes off all lines together."""
    return 0 if coupon is None else sum(catalog.discount_of(coupon, amounts, step=money.step(currency)))


async def _customer(tx: Tx, scope: ProjectScope, user_id: str, now: int) -> str:
    customer = await customers.ensure(tx, scope, user_id, now=now)
    customers.require_active(customer.status)
    return customer.id


def _order_line(picked: _Picked) -> OrderLine:
    price = picked.line.price
    is_plain = price.billing_scheme in ("flat_rate", "per_unit") and price.per == 1
    return OrderLine(
        tier_id=picked.tier_id,
        price_id=price.id,
        name=picked.line.name,
        quantity=picked.line.quantity,
        unit_amount=price.unit_amount if is_plain else None,
        amount=picked.amount,
    )
